import { argon2id } from '../crypto/argon2id.ts'
import type { Argon2Cost } from '../crypto/argon2id.ts'
import { compareBytes, concat, uint32, utf8, wipe } from '../crypto/bytes.ts'
import { chachaOpen, chachaSeal, tagBytes } from '../crypto/chacha-poly.ts'
import { HushlampError } from '../errors.ts'
import type { Random } from '../ports.ts'

/** Longest secret that is sealed: a secret certificate has some 1,000 bytes, and at most those of a certificate. */
export const maxSecretKeyBytes = 65_536

/** What trying one passphrase costs: the second choice that RFC 9106 §4 recommends, 64 MiB and three passes. */
export const defaultPassphraseCost: Argon2Cost = {
  memoryKibibytes: 65_536,
  passes: 3,
  lanes: 4
}

/** Bounds on what a file may ask for: never less than is safe, never so much that reading it stops the program. */
const costBounds = {
  memoryKibibytes: [65_536, 262_144],
  passes: [3, 10],
  lanes: [1, 8]
} as const

const magic = utf8('hushlock')
const formatVersion = 1
const saltBytes = 16
const saltOffset = 16
const headerBytes = saltOffset + saltBytes

/**
 * Encrypts a secret under a passphrase, to be stored:
 *
 * ```
 *  0.. 7  "hushlock"
 *  8      version u8 = 1: Argon2id (RFC 9106, version 0x13) and ChaCha20-Poly1305 (RFC 8439)
 *  9      lanes u8
 * 10..11  passes u16
 * 12..15  memory in KiB u32
 * 16..31  salt, random
 * 32..    ciphertext, as long as the secret, then the tag of 16 bytes
 * ```
 *
 * all big-endian. Key = Argon2id(passphrase in UTF-8 of its NFC form, salt), 32 bytes; associated data = the first 32
 * bytes; nonce = twelve zeros, because a salt and with it a key is never used twice. Rejects with
 * `passphrase-unsupported` where this Node.js lacks Argon2id, or `config-invalid` for a cost out of bounds.
 */
export async function sealSecret(
  secret: Uint8Array,
  passphrase: string,
  random: Random,
  cost: Argon2Cost = defaultPassphraseCost
): Promise<Uint8Array> {
  if (secret.length > maxSecretKeyBytes || !isWithinBounds(cost))
    throw new HushlampError(
      'config-invalid',
      'The secret or the cost of the passphrase is too large or too small.'
    )
  const header = encodeHeader(cost, random.bytes(saltBytes))
  const key = await deriveKey(passphrase, header.subarray(saltOffset), cost)
  const sealed = chachaSeal(key, 0, header, secret)
  wipe(key)
  return concat(header, sealed)
}

/**
 * Opens what {@link sealSecret} made. Rejects with `secret-malformed` where the bytes have not its form, with
 * `passphrase-wrong` where the passphrase is another one or anything was changed, or with `passphrase-unsupported`.
 */
export async function openSecret(sealed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const cost = decodeHeader(sealed)
  if (!cost) throw new HushlampError('secret-malformed')
  const header = sealed.subarray(0, headerBytes)
  const key = await deriveKey(passphrase, header.subarray(saltOffset), cost)
  const secret = chachaOpen(key, 0, header, sealed.subarray(headerBytes))
  wipe(key)
  if (!secret) throw new HushlampError('passphrase-wrong')
  return secret
}

async function deriveKey(
  passphrase: string,
  salt: Uint8Array,
  cost: Argon2Cost
): Promise<Uint8Array> {
  const message = utf8(passphrase.normalize('NFC'))
  const key = await argon2id(message, salt, cost)
  wipe(message)
  if (!key) throw new HushlampError('passphrase-unsupported')
  return key
}

function encodeHeader(cost: Argon2Cost, salt: Uint8Array): Uint8Array {
  const { lanes, passes, memoryKibibytes } = cost
  const numbers = new Uint8Array([formatVersion, lanes, passes >> 8, passes & 0xff])
  return concat(magic, numbers, uint32(memoryKibibytes), salt)
}

function decodeHeader(sealed: Uint8Array): Argon2Cost | undefined {
  const overhead = headerBytes + tagBytes
  if (sealed.length < overhead || sealed.length > overhead + maxSecretKeyBytes) return undefined
  if (compareBytes(sealed.subarray(0, magic.length), magic) !== 0) return undefined
  const view = new DataView(sealed.buffer, sealed.byteOffset)
  if (view.getUint8(8) !== formatVersion) return undefined
  const cost = {
    lanes: view.getUint8(9),
    passes: view.getUint16(10),
    memoryKibibytes: view.getUint32(12)
  }
  return isWithinBounds(cost) ? cost : undefined
}

function isWithinBounds(cost: Argon2Cost): boolean {
  return (['memoryKibibytes', 'passes', 'lanes'] as const).every((name) => {
    const [least, most] = costBounds[name]
    return Number.isSafeInteger(cost[name]) && cost[name] >= least && cost[name] <= most
  })
}
