import { createCipheriv, createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { concat } from './bytes.ts'
import { equalConstantTime } from './hash.ts'

/*
 * Built on the AES of OpenSSL, which uses the processor's own instructions: a table-driven AES in JavaScript takes
 * twice as long for a record, and its time depends on the key. Checked against the vectors of RFC 5297 and against
 * @noble/ciphers in the tests.
 */

const blockBytes = 16
const keyBytes = 64
const noBytes = new Uint8Array(0)

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
  const { cipherKey, synthesise } = prepared(key)
  const iv = synthesise(associated, plaintext)
  return concat(iv, counterMode(cipherKey, iv, plaintext))
}

/** Opens what {@link sivSeal} made; undefined where the check fails. */
export function sivOpen(
  key: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array
): Uint8Array | undefined {
  if (sealed.length < blockBytes) return undefined
  const { cipherKey, synthesise } = prepared(key)
  const iv = sealed.subarray(0, blockBytes)
  const plaintext = counterMode(cipherKey, iv, sealed.subarray(blockBytes))
  return equalConstantTime(synthesise(associated, plaintext), iv) ? plaintext : undefined
}

/** What follows from a key alone. */
interface PreparedKey {
  readonly bytes: Uint8Array
  readonly cipherKey: KeyObject
  /** S2V, §2.4, of one associated datum and the plaintext. */
  readonly synthesise: (associated: Uint8Array, plaintext: Uint8Array) => Uint8Array
}

/** A reader tries every value that it finds under a registry key, and any number of them may be junk of others. */
const preparedKeys = new WeakMap<Uint8Array, PreparedKey>()

function prepared(key: Uint8Array): PreparedKey {
  const known = preparedKeys.get(key)
  // An array may be written to: only its present content counts.
  if (known && equalConstantTime(known.bytes, key)) return known
  if (key.length !== keyBytes) throw new RangeError('a key of AES-SIV-CMAC-512 has 64 bytes')
  const bytes = new Uint8Array(key)
  const half = keyBytes / 2
  const made: PreparedKey = {
    bytes,
    cipherKey: createSecretKey(bytes.subarray(half)),
    synthesise: newSynthesis(createSecretKey(bytes.subarray(0, half)))
  }
  preparedKeys.set(key, made)
  return made
}

function newSynthesis(key: KeyObject): PreparedKey['synthesise'] {
  const cmac = newCmac(key)
  const first = doubled(cmac(new Uint8Array(blockBytes)))
  return (associated, plaintext) => {
    const d = new Uint8Array(first)
    xorInto(d, cmac(associated))
    if (plaintext.length < blockBytes) {
      const short = doubled(d)
      xorInto(short, padded(plaintext))
      return cmac(short)
    }
    const masked = new Uint8Array(plaintext)
    xorInto(masked.subarray(-blockBytes), d)
    return cmac(masked)
  }
}

/**
 * AES-CMAC (RFC 4493) under one key. One cipher in CBC mode serves all messages: what its chain holds from the last one is
 * taken out again with the first block of the next.
 */
function newCmac(key: KeyObject): (message: Uint8Array) => Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, new Uint8Array(blockBytes))
  let chain: Uint8Array = cipher.update(new Uint8Array(blockBytes))
  const whole = doubled(chain)
  const partial = doubled(whole)
  return (message) => {
    const lastFrom = Math.max(0, Math.ceil(message.length / blockBytes) - 1) * blockBytes
    const blocks = new Uint8Array(lastFrom + blockBytes)
    blocks.set(message)
    const isWhole = message.length === blocks.length
    if (!isWhole) blocks[message.length] = 0x80
    xorInto(blocks.subarray(lastFrom), isWhole ? whole : partial)
    xorInto(blocks, chain)
    chain = cipher.update(blocks).subarray(-blockBytes)
    return chain
  }
}

/** CTR mode, §2.5: bits 31 and 63 of the first counter are cleared. The same in both directions. */
function counterMode(key: KeyObject, iv: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return noBytes
  const counter = new Uint8Array(iv)
  const view = new DataView(counter.buffer)
  for (const at of [8, 12]) view.setUint8(at, view.getUint8(at) & 0x7f)
  return new Uint8Array(createCipheriv('aes-256-ctr', key, counter).update(bytes))
}

/** dbl, §2.3: times x in GF(2^128), in time that does not depend on the block. */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(blockBytes)
  const [from, to] = [viewOf(block), viewOf(result)]
  let carry = (from.getUint8(0) >> 7) * 0x87
  for (let at = blockBytes - 4; at >= 0; at -= 4) {
    const word = from.getUint32(at)
    to.setUint32(at, (word << 1) ^ carry)
    carry = word >>> 31
  }
  return result
}

/** pad, §2.1: a one bit, then zeros up to a whole block. */
function padded(rest: Uint8Array): Uint8Array {
  const block = new Uint8Array(blockBytes)
  block.set(rest)
  block[rest.length] = 0x80
  return block
}

/** Exclusive-ors a block into the first bytes of `target`. */
function xorInto(target: Uint8Array, block: Uint8Array): void {
  const [to, from] = [viewOf(target), viewOf(block)]
  for (let at = 0; at < blockBytes; at += 4) to.setUint32(at, to.getUint32(at) ^ from.getUint32(at))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
