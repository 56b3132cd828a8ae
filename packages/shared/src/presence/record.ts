import { sivOpen, sivSeal } from '../crypto/aes-siv.ts'
import { concat, lengthPrefixed, uint64 } from '../crypto/bytes.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { identityBytes } from '../identity/identity.ts'
import type { Identity, PublicIdentity } from '../identity/identity.ts'
import type { UnixSeconds } from '../ports.ts'
import type { EpochKeys } from './pair-keys.ts'

/** Length of every record: the registry's 1024 bits, all of them indistinguishable from random. */
export const recordBytes = 128

/** A record that claims to be issued later than this after `now` is ignored. */
export const maxIssuedAheadSeconds = 1_500

const recordVersion = 1
const recordLabel = 'hushlamp/v1/record'
const inviteRecordLabel = 'hushlamp/v1/invite-record'
const metadataBytes = 16
const onionKeyBytes = 32

/** What a record says: message (4) of the paper, repaired. */
export interface PresenceRecord {
  /** Ed25519 public key of the onion service under which the publisher can be reached, 32 bytes. */
  readonly onionKey: Uint8Array
  /** When the record was sealed; with {@link sequence} it orders the records of an epoch. */
  readonly issued: UnixSeconds
  /** 0 to 65,535. */
  readonly sequence: number
  /** How long the publisher vouches for the record, 1 to 65,535 minutes from {@link issued}. */
  readonly ttlMinutes: number
  /** Reserved, 0 to 255 each. */
  readonly flags: number
  readonly device: number
  readonly capabilities: number
}

/** Stands for the reader of an open invite's records, whom nobody knows yet. */
export interface InviteReader {
  /** SHA-256 of the invite's root, 32 bytes: names the invite and tells nothing about it. */
  readonly inviteRootHash: Uint8Array
}

/** The pair and epoch that a record belongs to. */
export interface RecordContext {
  readonly publisher: PublicIdentity
  readonly reader: PublicIdentity | InviteReader
  readonly keys: EpochKeys
}

/**
 * Seals a record: AES-SIV with the registry key as associated data over metadata ‖ onion key ‖ signature; the signature
 * binds publisher, reader, epoch and registry key, so that nobody can pass it on as another one's. 128 bytes.
 */
export function sealRecord(
  record: PresenceRecord,
  context: RecordContext & { readonly publisher: Identity }
): Uint8Array {
  const metadata = encodeMetadata(record)
  const signature = context.publisher.signing.sign(transcript(metadata, record.onionKey, context))
  const plaintext = concat(metadata, record.onionKey, signature)
  return sivSeal(context.keys.sivKey, context.keys.registryKey, plaintext)
}

/**
 * Opens what the registry returned. Undefined for everything that is not a valid record of this pair and epoch: wrong
 * length, failing check, unknown version, issued too far ahead, expired, or with a bad signature. All failures look
 * the same to the caller and lead to no network action. Cheap checks come first, the signature last.
 */
export function openRecord(
  value: Uint8Array,
  context: RecordContext,
  now: UnixSeconds
): PresenceRecord | undefined {
  if (value.length !== recordBytes) return undefined
  const plaintext = sivOpen(context.keys.sivKey, context.keys.registryKey, value)
  if (!plaintext) return undefined
  const metadata = plaintext.subarray(0, metadataBytes)
  const onionKey = plaintext.subarray(metadataBytes, metadataBytes + onionKeyBytes)
  const signature = plaintext.subarray(metadataBytes + onionKeyBytes)
  const record = decodeMetadata(metadata, onionKey)
  if (!record) return undefined
  if (record.issued > now + maxIssuedAheadSeconds) return undefined
  if (record.issued + record.ttlMinutes * 60 <= now) return undefined
  return verifySignature(
    context.publisher.signingKey,
    transcript(metadata, onionKey, context),
    signature
  )
    ? record
    : undefined
}

/** Orders records of one pair and epoch: positive if `a` was issued after `b`. */
export function compareRecords(
  a: Pick<PresenceRecord, 'issued' | 'sequence'>,
  b: Pick<PresenceRecord, 'issued' | 'sequence'>
): number {
  return a.issued - b.issued || a.sequence - b.sequence
}

/**
 * Whether a reader may believe a record that was opened, having believed `seen` before in the same epoch: an older one is a
 * replay, the same one is no news and no harm.
 */
export function admits(
  seen: Pick<PresenceRecord, 'issued' | 'sequence'> | undefined,
  record: Pick<PresenceRecord, 'issued' | 'sequence'>
): boolean {
  return seen === undefined || compareRecords(record, seen) >= 0
}

/** `issued` of the next record of a pair in an epoch: never goes back, whatever the clock does. */
export function nextIssued(now: UnixSeconds, lastIssued: UnixSeconds | undefined): UnixSeconds {
  return lastIssued === undefined ? now : Math.max(now, lastIssued + 1)
}

function transcript(
  metadata: Uint8Array,
  onionKey: Uint8Array,
  { publisher, reader, keys }: RecordContext
): Uint8Array {
  const [label, readerBinding] =
    'inviteRootHash' in reader
      ? [inviteRecordLabel, reader.inviteRootHash]
      : [recordLabel, identityBytes(reader)]
  return lengthPrefixed(
    label,
    identityBytes(publisher),
    readerBinding,
    uint64(keys.epoch),
    keys.registryKey,
    metadata,
    onionKey
  )
}

function encodeMetadata(record: PresenceRecord): Uint8Array {
  const bytes = new Uint8Array(metadataBytes)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, recordVersion)
  view.setUint8(1, record.flags)
  view.setUint8(2, record.device)
  view.setUint8(3, record.capabilities)
  view.setUint32(4, record.issued)
  view.setUint16(8, record.sequence)
  view.setUint16(10, record.ttlMinutes)
  return bytes
}

function decodeMetadata(metadata: Uint8Array, onionKey: Uint8Array): PresenceRecord | undefined {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  if (view.getUint8(0) !== recordVersion || view.getUint32(12) !== 0) return undefined
  return {
    onionKey,
    issued: view.getUint32(4),
    sequence: view.getUint16(8),
    ttlMinutes: view.getUint16(10),
    flags: view.getUint8(1),
    device: view.getUint8(2),
    capabilities: view.getUint8(3)
  }
}
