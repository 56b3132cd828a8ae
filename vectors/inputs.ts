import { derivePairKeys, epochAt, hex, identityBytes, sha256 } from '@hushlamp/shared'
import type { EpochKeys, Identity, Random } from '@hushlamp/shared'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

/** The people of the vectors. Carol is the stranger who tries what must fail. */
export const alice: Identity = testIdentity('alice')
export const bob: Identity = testIdentity('bob')
export const carol: Identity = testIdentity('carol')

/** The present, in Unix seconds. */
export const moment = 1_800_000_000

/** Bob's onion service. */
export const onionKey: Uint8Array = testSecret('bob/onion')

/** Keys of the direction in which Bob publishes and Alice reads, in the epoch of {@link moment}. */
export function bobToAlice(): EpochKeys {
  const pair = mustExist(derivePairKeys(bob, alice, 'own-to-peer'))
  return pair.epochKeys(epochAt(moment, pair.offsetSeconds))
}

/** A person with all secrets. */
export function identityVector(label: string): object {
  const identity = testIdentity(label)
  return {
    label,
    fingerprint: hex(identity.fingerprint),
    signingSeed: hex(testSecret(`${label}/signing`)),
    signingKey: hex(identity.signingKey),
    presenceSecret: hex(testSecret(`${label}/agreement`)),
    presenceKey: hex(identity.presenceKey),
    id: hex(identityBytes(identity))
  }
}

/** Keys of one epoch, as other files repeat them. */
export function epochVector(keys: EpochKeys): object {
  return {
    epoch: keys.epoch,
    ownerPublicKey: hex(keys.owner.publicKey),
    registryKey: hex(keys.registryKey),
    sivKey: hex(keys.sivKey),
    handshakePsk: hex(keys.handshakePsk),
    handshakeTagKey: hex(keys.handshakeTagKey)
  }
}

/** What was done to good bytes to make them bad. */
export type Change =
  | { readonly at: number; readonly xor: number }
  | { readonly keep: number }
  | { readonly append: string }

/** Carries out a change. */
export function changed(bytes: Uint8Array, change: Change): Uint8Array {
  if ('keep' in change) return bytes.slice(0, change.keep)
  if ('append' in change) return new Uint8Array([...bytes, ...Buffer.from(change.append, 'hex')])
  const copy = bytes.slice()
  copy[change.at] = (copy[change.at] ?? 0) ^ change.xor
  return copy
}

/** Hexadecimal digits, or for long values their length and digest. */
export function hexOrDigest(bytes: Uint8Array): string | object {
  return bytes.length <= 300 ? hex(bytes) : { bytes: bytes.length, sha256: hex(sha256(bytes)) }
}

/** Gives the published secret of that label as if it were random. */
export function fixedRandom(label: string): Random {
  return { bytes: () => testSecret(label) }
}

/** The value, which test inputs are made to have. */
export function mustExist<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test input turned out to be unusable')
  return value
}

/** The assurance that a bad input is refused here too. */
export function mustNotExist(value: unknown): void {
  if (value !== undefined) throw new Error('a bad test input was accepted')
}
