import { hex, sha256, verifyOwnership } from '@hushlamp/shared'

import type { VerifyOwnership } from './wire.ts'

/** Enough for all that a busy node meets in some minutes, in less than two megabytes. */
const maxRemembered = 10_000

/**
 * Verifies each owned put once: a row comes back with every get and every repair, and its signature costs more than all
 * the rest of an answer. What does not verify is not remembered.
 */
export function rememberingVerify(verify: VerifyOwnership = verifyOwnership): VerifyOwnership {
  const verified = new Set<string>()
  return (key, value, ownership, now) => {
    const { publicKey, expiry, signature } = ownership
    if (expiry <= now || expiry > 0xffffffff || !Number.isInteger(expiry)) return false
    // The fields before the value have fixed lengths: no two puts look the same.
    const fixed = key.length === 20 && publicKey.length === 32 && signature.length === 64
    if (!fixed) return false
    const expiryBytes = new Uint8Array(Uint32Array.of(expiry).buffer)
    const name = hex(sha256(key, publicKey, expiryBytes, signature, value))
    if (verified.delete(name)) {
      verified.add(name)
      return true
    }
    if (!verify(key, value, ownership, now)) return false
    verified.add(name)
    for (const oldest of verified) {
      if (verified.size <= maxRemembered) break
      verified.delete(oldest)
    }
    return true
  }
}
