import { createHash, createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'

/** SHA-1, 20 bytes. Only for OpenDHT's identity of values (§1.3 of its semantics), never for security. */
export function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** SHA-256 of the parts, one after the other. 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/*
 * Keys are made KeyObjects first, here and wherever a key is used: node:crypto then takes a quarter of the time that it
 * takes with a key of plain bytes.
 */

/** HMAC-SHA256 of the parts, one after the other. 32 bytes. */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', createSecretKey(key))
  for (const part of parts) mac.update(part)
  return new Uint8Array(mac.digest())
}

/** HKDF-SHA256 (RFC 5869), extract and expand, `length` bytes. */
export function hkdf(
  inputKey: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length = 32
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', createSecretKey(inputKey), salt, info, length))
}

/** Whether the arrays are equal, in time that depends on their lengths alone. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
