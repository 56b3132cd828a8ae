import { aessiv } from '@noble/ciphers/aes.js'

/**
 * AES-SIV-CMAC-512 (RFC 5297) with one associated datum: deterministic authenticated encryption. The result is the
 * 16-byte synthetic IV followed by as many bytes as the plaintext has.
 *
 * @param key 64 bytes: the MAC half, then the encryption half.
 */
export function sivSeal(
  key: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array
): Uint8Array {
  return aessiv(key, associated).encrypt(plaintext)
}

/** Opens what {@link sivSeal} made; undefined where the check fails. */
export function sivOpen(
  key: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array
): Uint8Array | undefined {
  if (sealed.length < 16) return undefined
  try {
    return aessiv(key, associated).decrypt(sealed)
  } catch {
    // The library reports a failing check by throwing; there is one way to fail.
    return undefined
  }
}
