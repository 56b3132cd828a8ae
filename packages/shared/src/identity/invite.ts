import {
  base64,
  compareBytes,
  concat,
  fromBase64,
  lengthPrefixed,
  uint32
} from '../crypto/bytes.ts'
import { isSmallOrder } from '../crypto/ed25519.ts'
import { sha256 } from '../crypto/hash.ts'
import { HushlampError } from '../errors.ts'
import type { Random, UnixSeconds } from '../ports.ts'
import { clockToleranceSeconds } from './clock-tolerance.ts'
import type { Identity, PublicIdentity } from './identity.ts'

/** How long an invite is open unless the inviter says otherwise: 24 hours. */
export const defaultInviteSeconds = 86_400

/** How long an invite may be open at most: 7 days. */
export const maxInviteSeconds = 604_800

const inviteVersion = 'i1'
const secretBytes = 32
const publicKeyBytes = 32
const checksumBytes = 4
const fingerprintLengths = [20, 32]
const checksumLabel = 'hushlamp/v1/invite-checksum'
/** An invite of a v6 identity has 195 characters; whatever is much longer is not parsed at all. */
const maxTextLength = 512
const form = /^hushlamp:(?<version>i\d+)\/(?<body>[A-Za-z0-9_-]+)$/i

/** An open invite: whoever holds it can find the inviter while it is open, and become a contact as the first to use it. */
export interface Invite {
  /** Who invites, with the keys that the certificate sent inside the handshake must have. */
  readonly inviter: PublicIdentity
  /** 32 random bytes, known to the two sides alone. */
  readonly secret: Uint8Array
  /** First second at which the invite is no longer open. */
  readonly expires: UnixSeconds
}

/**
 * Makes an invite that is open for `ttlSeconds` (1 second to {@link maxInviteSeconds}). Throws `invite-expiry` outside
 * of that range.
 */
export function createInvite(
  inviter: PublicIdentity,
  random: Random,
  now: UnixSeconds,
  ttlSeconds: number = defaultInviteSeconds
): Invite {
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxInviteSeconds)
    throw new HushlampError('invite-expiry')
  const { fingerprint, signingKey, presenceKey } = inviter
  return {
    inviter: { fingerprint, signingKey, presenceKey },
    secret: random.bytes(secretBytes),
    expires: now + ttlSeconds
  }
}

/**
 * The invite as a link: `hushlamp:i1/` and base64url without padding (RFC 4648 §5) of
 *
 * ```
 * fingerprint length u8 (20 or 32) | fingerprint | Ed25519 public key 32 | X25519 presence key 32 | secret 32 |
 * expires u32 (Unix seconds) | checksum 4
 * ```
 *
 * all big-endian, where checksum = SHA-256(lp("hushlamp/v1/invite-checksum", all bytes before it))[0..4). 125 bytes and
 * 179 characters for a v4 identity: a QR code of version 9 (53 × 53 modules) with error correction M; 137 bytes and 195
 * characters for v6: version 10.
 */
export function encodeInvite(invite: Invite): string {
  const { fingerprint, signingKey, presenceKey } = invite.inviter
  const content = concat(
    new Uint8Array([fingerprint.length]),
    fingerprint,
    signingKey,
    presenceKey,
    invite.secret,
    uint32(invite.expires)
  )
  return `hushlamp:${inviteVersion}/${base64url(concat(content, checksumOf(content)))}`
}

/**
 * Reads an invite as a person pasted it: white space around it is taken off, and the letters in front of the slash may
 * have either case; everything else must be exact. Whether the invite can be used is for {@link checkInvite} to say.
 *
 * Throws `invite-version` for an invite of a later form, `invite-malformed` for anything else that is wrong, a typing
 * error or a lost end included.
 */
export function decodeInvite(text: string): Invite {
  if (text.length > maxTextLength) throw new HushlampError('invite-malformed')
  const { version, body } = form.exec(text.trim())?.groups ?? {}
  if (version === undefined || body === undefined) throw new HushlampError('invite-malformed')
  if (version.toLowerCase() !== inviteVersion) throw new HushlampError('invite-version')
  const bytes = fromBase64url(body)
  const invite = bytes && decodeContent(bytes)
  if (!invite) throw new HushlampError('invite-malformed')
  return invite
}

/**
 * Whether `own` may use the invite at `now`: throws `contact-is-self`, `invite-expired`, `invite-malformed` (open for
 * longer than any inviter may choose) or `key-agreement-failed`.
 */
export function checkInvite(invite: Invite, own: Identity, now: UnixSeconds): void {
  const { fingerprint, presenceKey } = invite.inviter
  if (equal(fingerprint, own.fingerprint) || equal(presenceKey, own.presenceKey))
    throw new HushlampError('contact-is-self', 'The invite is your own.')
  if (invite.expires <= now) throw new HushlampError('invite-expired')
  if (invite.expires > now + maxInviteSeconds + clockToleranceSeconds)
    throw new HushlampError('invite-malformed')
  if (!own.agreement.agree(presenceKey)) throw new HushlampError('key-agreement-failed')
}

function decodeContent(bytes: Uint8Array): Invite | undefined {
  const fingerprintBytes = bytes[0] ?? 0
  const length = 1 + fingerprintBytes + 2 * publicKeyBytes + secretBytes + 4 + checksumBytes
  if (!fingerprintLengths.includes(fingerprintBytes) || bytes.length !== length) return undefined
  const content = bytes.subarray(0, length - checksumBytes)
  if (!equal(checksumOf(content), bytes.subarray(length - checksumBytes))) return undefined
  let offset = 1
  const take = (count: number): Uint8Array => content.slice(offset, (offset += count))
  const inviter = {
    fingerprint: take(fingerprintBytes),
    signingKey: take(publicKeyBytes),
    presenceKey: take(publicKeyBytes)
  }
  const secret = take(secretBytes)
  const expires = new DataView(content.buffer, content.byteOffset + offset).getUint32(0)
  return isSmallOrder(inviter.signingKey) ? undefined : { inviter, secret, expires }
}

/** Finds what people do to a link: a letter changed, an end cut off. Against attackers the handshake protects. */
function checksumOf(content: Uint8Array): Uint8Array {
  return sha256(lengthPrefixed(checksumLabel, content)).subarray(0, checksumBytes)
}

function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Undefined also where unused bits are set: a link has exactly one form. */
function fromBase64url(text: string): Uint8Array | undefined {
  const padding = '='.repeat((4 - (text.length % 4)) % 4)
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/') + padding)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0
}
