import { uint32 } from '../crypto/bytes.ts'
import { decodeEnvelope, encodeEnvelope } from './payload.ts'
import type { Fields, UnknownPayload } from './payload.ts'

/**
 * Sizes in which a certificate travels, so that its length (mostly that of a name) does not show: with what surrounds it,
 * the first fills one frame of 4,096 bytes, the second one of 16,384; the third holds the largest certificate there is.
 */
export const certificateSteps = [3_840, 16_128, 65_540] as const

const lengthBytes = 4
const onionKeyBytes = 32
const pairSecretBytes = 32

/** What the guest says first, under the keys of the handshake: who is behind the static key. */
export interface JoinPayload {
  readonly kind: 'join'
  /** OpenPGP certificate of the guest, binary. */
  readonly certificate: Uint8Array
  /**
   * Secret of the pair if the guest has the inviter as a contact already: 32 bytes, or none where the contact was made
   * without an invite. Absent for a guest to whom the inviter is new.
   */
  readonly pairSecret?: Uint8Array
}

/** The inviter has stored the guest as a contact. Sent to nobody else and only after that. */
export interface AcceptedPayload {
  readonly kind: 'accepted'
  /** OpenPGP certificate of the inviter, binary. */
  readonly certificate: Uint8Array
  /** The pair's secret from now on, decided by {@link decideInviteUse}: 32 bytes or none. */
  readonly pairSecret: Uint8Array
  /** Public key of the inviter's main onion service, 32 bytes, if it is up. */
  readonly onionKey?: Uint8Array
}

/** What an invite's link carries; on an ordinary link these kinds are unknown and ignored. */
export type InvitePayload = JoinPayload | AcceptedPayload | { readonly kind: 'bye' }

/** The payload in the same CBOR envelope as those of ordinary links. */
export function encodeInvitePayload(payload: InvitePayload): Uint8Array {
  if (payload.kind === 'bye') return encodeEnvelope('bye', {})
  const { kind, certificate, ...fields } = payload
  return encodeEnvelope(kind, { certificate: paddedCertificate(certificate), ...fields })
}

/** Reads a payload, with the answers of `decodePayload`. */
export function decodeInvitePayload(bytes: Uint8Array): InvitePayload | UnknownPayload | undefined {
  const envelope = decodeEnvelope(bytes)
  switch (envelope?.kind) {
    case undefined:
      return undefined
    case 'join':
      return decodeJoin(envelope.fields)
    case 'accepted':
      return decodeAccepted(envelope.fields)
    case 'bye':
      return { kind: 'bye' }
    default:
      return { kind: 'unknown' }
  }
}

function decodeJoin(fields: Fields): JoinPayload | undefined {
  const { pairSecret } = fields
  const certificate = unpaddedCertificate(fields['certificate'])
  if (!certificate || (pairSecret !== undefined && !isPairSecret(pairSecret))) return undefined
  return { kind: 'join', certificate, ...(pairSecret === undefined ? {} : { pairSecret }) }
}

function decodeAccepted(fields: Fields): AcceptedPayload | undefined {
  const { pairSecret, onionKey } = fields
  const certificate = unpaddedCertificate(fields['certificate'])
  if (!certificate || !isPairSecret(pairSecret)) return undefined
  if (onionKey !== undefined && !isBytes(onionKey, onionKeyBytes)) return undefined
  return {
    kind: 'accepted',
    certificate,
    pairSecret,
    ...(onionKey === undefined ? {} : { onionKey })
  }
}

/** length u32 ‖ certificate ‖ zeros up to the next of {@link certificateSteps}. */
function paddedCertificate(certificate: Uint8Array): Uint8Array {
  const needed = lengthBytes + certificate.length
  const padded = new Uint8Array(certificateSteps.find((step) => step >= needed) ?? needed)
  padded.set(uint32(certificate.length))
  padded.set(certificate, lengthBytes)
  return padded
}

function unpaddedCertificate(padded: unknown): Uint8Array | undefined {
  if (!(padded instanceof Uint8Array)) return undefined
  if (!certificateSteps.some((step) => step === padded.length)) return undefined
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0)
  const end = lengthBytes + length
  const fits = end <= padded.length && padded.subarray(end).every((byte) => byte === 0)
  return fits ? padded.slice(lengthBytes, end) : undefined
}

function isPairSecret(value: unknown): value is Uint8Array {
  return isBytes(value, pairSecretBytes) || isBytes(value, 0)
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}
