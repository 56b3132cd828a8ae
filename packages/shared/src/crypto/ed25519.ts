import {
  createPrivateKey,
  createPublicKey,
  sign as signWith,
  verify as verifyWith
} from 'node:crypto'

import { concat } from './bytes.ts'
import { importPublicKey, publicKeyHeader } from './public-key.ts'

const seedHeader = Buffer.from('302e020100300506032b657004220420', 'hex')

/** An Ed25519 key pair (RFC 8032). The secret stays inside. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Signature of 64 bytes over the message itself. */
  sign(message: Uint8Array): Uint8Array
}

/** The key pair of a 32-byte seed. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes')
  const key = createPrivateKey({
    key: Buffer.from(concat(seedHeader, seed)),
    format: 'der',
    type: 'pkcs8'
  })
  const publicKey = new Uint8Array(
    createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  )
  return { publicKey, sign: (message) => new Uint8Array(signWith(null, message, key)) }
}

/**
 * Whether `signature` is a valid Ed25519 signature of `message`. Wrong lengths, points off the curve, small-order keys
 * and non-canonical signatures are all simply false.
 */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64 || isSmallOrder(publicKey)) return false
  try {
    return verifyWith(null, message, importPublicKey(publicKeyHeader.ed25519, publicKey), signature)
  } catch {
    // OpenSSL reports some impossible keys by throwing: to the caller that is one more invalid signature.
    return false
  }
}

/** y-coordinates of the eight points of small order, canonical and not, without the sign bit. */
const smallOrderY = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
])

/** Whether an Ed25519 public key is one of the points of small order, under which one signature fits many messages. */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  const y = Buffer.from(publicKey)
  y[31] = (y[31] ?? 0) & 0x7f
  return smallOrderY.has(y.toString('hex'))
}
