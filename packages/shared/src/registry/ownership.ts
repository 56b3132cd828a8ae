import { lengthPrefixed, uint32, utf8 } from '../crypto/bytes.ts'
import { signingKeyFromSeed, verifySignature } from '../crypto/ed25519.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { equalConstantTime, sha256 } from '../crypto/hash.ts'
import type { UnixSeconds } from '../ports.ts'
import { keyBytes } from './limits.ts'
import type { Ownership } from './registry.ts'

const keyLabel = utf8('hushlamp/v1/key')
const putLabel = 'hushlamp/v1/put'

/** Expiries are rounded up to this, so that they tell less of the moment of the put. */
export const expiryGranularitySeconds = 600

/** The registry key that belongs to an owner: SHA-256("hushlamp/v1/key" ‖ public key), first 20 bytes. */
export function ownedRegistryKey(ownerPublicKey: Uint8Array): Uint8Array {
  return sha256(keyLabel, ownerPublicKey).subarray(0, keyBytes)
}

/** The key pair of an owner from its 32-byte seed. */
export function ownerKeyFromSeed(seed: Uint8Array): SigningKey {
  return signingKeyFromSeed(seed)
}

/** now rounded up to 10 minutes, plus the time to live. */
export function ownedExpiry(now: UnixSeconds, ttlSeconds: number): UnixSeconds {
  return Math.ceil(now / expiryGranularitySeconds) * expiryGranularitySeconds + ttlSeconds
}

function transcript(key: Uint8Array, value: Uint8Array, expiry: UnixSeconds): Uint8Array {
  return lengthPrefixed(putLabel, key, sha256(value), uint32(expiry))
}

/** Signs a put of `value` under the owner's key. Signature over lp("hushlamp/v1/put", key, SHA-256(value), expiry u32). */
export function proveOwnership(
  owner: SigningKey,
  value: Uint8Array,
  ttlSeconds: number,
  now: UnixSeconds
): Ownership {
  const expiry = ownedExpiry(now, ttlSeconds)
  const key = ownedRegistryKey(owner.publicKey)
  return {
    publicKey: owner.publicKey,
    expiry,
    signature: owner.sign(transcript(key, value, expiry))
  }
}

/** Whether `ownership` proves a put of `value` under `key` that has not expired at `now`. */
export function verifyOwnership(
  key: Uint8Array,
  value: Uint8Array,
  ownership: Ownership,
  now: UnixSeconds
): boolean {
  const { publicKey, expiry, signature } = ownership
  return (
    publicKey.length === 32 &&
    Number.isInteger(expiry) &&
    expiry > now &&
    expiry <= 0xffffffff &&
    equalConstantTime(ownedRegistryKey(publicKey), key) &&
    verifySignature(publicKey, transcript(key, value, expiry), signature)
  )
}
