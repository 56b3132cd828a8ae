import { compareBytes, hex, lengthPrefixed } from '../crypto/bytes.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import type { AgreementKey } from '../crypto/x25519.ts'

/** What others know of a person: fingerprint and raw public keys of a certificate. */
export interface PublicIdentity {
  /** Full OpenPGP fingerprint of the primary key: 20 bytes (v4) or 32 (v6). */
  readonly fingerprint: Uint8Array
  /** Ed25519 public key of the primary key, 32 bytes. */
  readonly signingKey: Uint8Array
  /** X25519 public key of the presence subkey, 32 bytes. */
  readonly presenceKey: Uint8Array
}

/** A person with the secret keys, that is: ourselves. */
export interface Identity extends PublicIdentity {
  /** Signs presence records. */
  readonly signing: SigningKey
  /** Agrees on secrets with contacts and authenticates links. */
  readonly agreement: AgreementKey
}

/**
 * `ID(X)` of the specification: lp(fingerprint, Ed25519 public, X25519 presence public). Goes into every derivation and
 * transcript, because a fingerprint alone (SHA-1 in v4) or a short key id could be made to collide.
 */
export function identityBytes(identity: PublicIdentity): Uint8Array {
  return lengthPrefixed(identity.fingerprint, identity.signingKey, identity.presenceKey)
}

/** Whether both are the same person with the same keys. Public data: not constant-time. */
export function sameIdentity(a: PublicIdentity, b: PublicIdentity): boolean {
  return compareBytes(identityBytes(a), identityBytes(b)) === 0
}

/**
 * The 32-bit id that OpenPGP programs show, eight upper-case hexadecimal digits: the end of a v4 fingerprint, the end of a
 * v6 key id's eight bytes. For display only: somebody else's key with the same one is made in minutes.
 */
export function shortKeyId({ fingerprint }: Pick<PublicIdentity, 'fingerprint'>): string {
  const end = fingerprint.length === 20 ? 20 : 8
  return hex(fingerprint.subarray(end - 4, end)).toUpperCase()
}

/** Whether two different persons show the same short id: importing the second must be refused. */
export function shortKeyIdsClash(a: PublicIdentity, b: PublicIdentity): boolean {
  return shortKeyId(a) === shortKeyId(b) && compareBytes(a.fingerprint, b.fingerprint) !== 0
}
