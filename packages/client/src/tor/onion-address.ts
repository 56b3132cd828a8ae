import { createHash } from 'node:crypto'

import { concat, signingKeyFromSeed, utf8 } from '@hushlamp/shared'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const checksumLabel = utf8('.onion checksum')
const version = Uint8Array.of(3)

/** Base32 in lower case without padding (RFC 4648 §6). */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(value >>> bits) & 31] ?? ''
    }
  }
  return bits === 0 ? text : text + (alphabet[(value << (5 - bits)) & 31] ?? '')
}

/** The bytes of canonical base32 without padding, in either case, or undefined where the text is anything else. */
export function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let value = 0
  let bits = 0
  let length = 0
  for (const character of text.toLowerCase()) {
    const digit = alphabet.indexOf(character)
    if (digit < 0) return undefined
    value = ((value << 5) | digit) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (value >>> bits) & 0xff
    }
  }
  return base32(bytes) === text.toLowerCase() ? bytes : undefined
}

/**
 * The name of an onion service, version 3, in lower case: 56 characters and `.onion` (rend-spec-v3 §6,
 * ENCODING-ONION-ADDRESS). The public key has 32 bytes.
 */
export function onionHost(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new RangeError('the key of an onion service has 32 bytes')
  return `${base32(concat(publicKey, checksum(publicKey), version))}.onion`
}

/**
 * The public key of 32 bytes in the name of an onion service, 56 characters of either case and `.onion`, or undefined
 * where form, checksum or version are not right.
 */
export function onionPublicKey(host: string): Uint8Array | undefined {
  const label = /^([a-z2-7]{56})\.onion$/i.exec(host)?.[1]
  const bytes = label === undefined ? undefined : fromBase32(label)
  const publicKey = bytes?.slice(0, 32)
  if (publicKey === undefined || onionHost(publicKey) !== host.toLowerCase()) return undefined
  return publicKey
}

/** The public key of the onion service that runs from an Ed25519 seed of 32 bytes. No Tor is needed. */
export function onionPublicKeyOfSeed(seed: Uint8Array): Uint8Array {
  return signingKeyFromSeed(seed).publicKey
}

/**
 * The expanded secret key of 64 bytes that Tor wants instead of the seed: SHA-512 of the seed with the scalar clamped
 * (RFC 8032 §5.1.5). Tor takes an unclamped one without a word, so the clamping is done here (control-spec §3.27).
 */
export function expandedSecretKey(seed: Uint8Array): Uint8Array {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes')
  const key = new Uint8Array(createHash('sha512').update(seed).digest())
  key[0] = (key[0] ?? 0) & 248
  key[31] = ((key[31] ?? 0) & 63) | 64
  return key
}

function checksum(publicKey: Uint8Array): Uint8Array {
  const hash = createHash('sha3-256').update(checksumLabel).update(publicKey).update(version)
  return new Uint8Array(hash.digest()).subarray(0, 2)
}
