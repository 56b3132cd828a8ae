import {
  concat,
  identityBytes,
  lengthPrefixed,
  maxIssuedAheadSeconds,
  openRecord,
  sealRecord
} from '@hushlamp/shared'
import type { EpochKeys, Identity, PresenceRecord, RecordContext } from '@hushlamp/shared'

import { sivSeal } from './aes-siv.ts'
import { changed, expects, mustEqual, mustExist, mustNotExist, refuses, uint } from './cases.ts'
import type { Case, Values, VectorFile } from './cases.ts'
import {
  alice,
  bob,
  bobToAlice,
  carol,
  inviteOf,
  inviteOnionKey,
  moment,
  onionKey
} from './inputs.ts'

const plain = { issued: moment, sequence: 0, ttlMinutes: 360, flags: 0, device: 0, capabilities: 0 }

/** Who publishes for whom, with the bytes that stand for the reader in what is signed. */
interface Sealing {
  readonly label: string
  readonly publisher: Identity
  readonly signer: Identity
  readonly reader: Uint8Array
  readonly keys: EpochKeys
}

const bobForAlice: Sealing = {
  label: 'hushlamp/v1/record',
  publisher: bob,
  signer: bob,
  reader: identityBytes(alice),
  keys: bobToAlice()
}
const context: RecordContext = { publisher: bob, reader: alice, keys: bobToAlice() }

/** `record.json`: Bob's records for Alice. */
export function recordFile(): VectorFile {
  const full = {
    issued: moment + 7,
    sequence: 65_535,
    ttlMinutes: 1,
    flags: 1,
    device: 2,
    capabilities: 255
  }
  return {
    openRecord: [
      openedCase({ ...plain, onionKey }, bobForAlice, { ...context, publisher: bob }),
      openedCase({ ...full, onionKey }, bobForAlice, { ...context, publisher: bob }),
      ...damaged(),
      ...wrongInside()
    ]
  }
}

/** The record of Alice's invite. */
export function inviteRecordCase(inviter: Identity): Case {
  const { keys, epochKeys } = inviteOf(inviter)
  return openedCase(
    { ...plain, onionKey: inviteOnionKey },
    {
      label: 'hushlamp/v1/invite-record',
      publisher: inviter,
      signer: inviter,
      reader: keys.reader.inviteRootHash,
      keys: epochKeys
    },
    { publisher: inviter, reader: keys.reader, keys: epochKeys }
  )
}

function metadataOf(content: typeof plain, version = 1, reserved = 0): Uint8Array {
  return concat(
    Uint8Array.of(version, content.flags, content.device, content.capabilities),
    uint(4, content.issued),
    uint(2, content.sequence),
    uint(2, content.ttlMinutes),
    uint(4, reserved)
  )
}

/** Every step of sealing, so that bad contents can be sealed as well as good ones. */
function sealSteps(
  metadata: Uint8Array,
  onion: Uint8Array,
  { label, publisher, signer, reader, keys }: Sealing
): Readonly<Record<'signatureInput' | 'signature' | 'plaintext' | 'record', Uint8Array>> {
  const signatureInput = lengthPrefixed(
    label,
    identityBytes(publisher),
    reader,
    uint(8, keys.epoch),
    keys.registryKey,
    metadata,
    onion
  )
  const signature = signer.signing.sign(signatureInput)
  const plaintext = concat(metadata, onion, signature)
  const record = sivSeal(keys.sivKey, keys.registryKey, plaintext)
  return { signatureInput, signature, plaintext, record }
}

function inputs({ label, publisher, reader, keys }: Sealing, record: Uint8Array): Values {
  return {
    label,
    publisher: identityBytes(publisher),
    reader,
    signingKey: publisher.signingKey,
    epoch: keys.epoch,
    registryKey: keys.registryKey,
    sivKey: keys.sivKey,
    record
  }
}

function openedCase(
  content: PresenceRecord,
  sealing: Sealing,
  recordContext: RecordContext & { readonly publisher: Identity }
): Case {
  const { onionKey: onion, ...fields } = content
  const metadata = metadataOf(fields)
  const { record, ...steps } = sealSteps(metadata, onion, sealing)
  mustEqual(sealRecord(content, recordContext), record)
  const acceptedFrom = content.issued - maxIssuedAheadSeconds
  const refusedFrom = content.issued + content.ttlMinutes * 60
  for (const now of [acceptedFrom, refusedFrom - 1])
    mustExist(openRecord(record, recordContext, now))
  return expects(
    { ...inputs(sealing, record), now: content.issued },
    { metadata, ...fields, onionKey: onion, ...steps, acceptedFrom, refusedFrom }
  )
}

function refusedCase(
  reason: string,
  record: Uint8Array,
  now: number = moment,
  sealing: Sealing = bobForAlice
): Case {
  mustNotExist(openRecord(record, context, now))
  return refuses(reason, { ...inputs(sealing, record), now })
}

function damaged(): readonly Case[] {
  const { record } = sealSteps(metadataOf(plain), onionKey, bobForAlice)
  const ofNextEpoch = sealSteps(metadataOf(plain), onionKey, {
    ...bobForAlice,
    keys: bobToAlice(1)
  })
  return [
    refusedCase('length', changed(record, { keep: 127 })),
    refusedCase('length', changed(record, { append: '00' })),
    refusedCase('tag', changed(record, { at: 0, xor: 1 })),
    refusedCase('tag', changed(record, { at: 16, xor: 128 })),
    refusedCase('tag', changed(record, { at: 127, xor: 1 })),
    refusedCase('tag', ofNextEpoch.record),
    refusedCase('issued-ahead', record, moment - maxIssuedAheadSeconds - 1),
    refusedCase('expired', record, moment + plain.ttlMinutes * 60)
  ]
}

/** Properly sealed, but with contents that nobody may believe. */
function wrongInside(): readonly Case[] {
  const cases: readonly (readonly [string, Uint8Array, Partial<Sealing>])[] = [
    ['version', metadataOf(plain, 2), {}],
    ['version', metadataOf(plain, 0), {}],
    ['reserved', metadataOf(plain, 1, 1), {}],
    ['signature', metadataOf(plain), { signer: alice }],
    ['signature', metadataOf(plain), { reader: identityBytes(carol) }]
  ]
  return cases.map(([reason, metadata, change]) =>
    refusedCase(reason, sealSteps(metadata, onionKey, { ...bobForAlice, ...change }).record)
  )
}
