import { createCipheriv } from 'node:crypto'

/**
 * AES-SIV (RFC 5297) with one associated datum, for plaintexts of at least 16 bytes. The core does not export its own,
 * and this one checks it.
 */
export function sivSeal(
  key: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array
): Uint8Array {
  const macKey = key.subarray(0, 32)
  const doubled = double(cmac(macKey, new Uint8Array(16)))
  const mixed = xor(doubled, cmac(macKey, associated))
  const tail = plaintext.length - 16
  const whole = plaintext.slice()
  whole.set(xor(plaintext.subarray(tail), mixed), tail)
  const synthetic = cmac(macKey, whole)
  const counter = synthetic.slice()
  for (const at of [8, 12]) counter[at] = (counter[at] ?? 0) & 0x7f
  const cipher = createCipheriv('aes-256-ctr', key.subarray(32), counter)
  return new Uint8Array(Buffer.concat([synthetic, cipher.update(plaintext), cipher.final()]))
}

/** AES-CMAC, RFC 4493. */
function cmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const once = double(block(key, new Uint8Array(16)))
  const blocks = Math.max(1, Math.ceil(message.length / 16))
  const last = new Uint8Array(16)
  const rest = message.subarray((blocks - 1) * 16)
  last.set(rest)
  if (rest.length < 16) last[rest.length] = 0x80
  let state: Uint8Array = new Uint8Array(16)
  for (let i = 0; i < blocks - 1; i++)
    state = block(key, xor(state, message.subarray(i * 16, i * 16 + 16)))
  return block(key, xor(state, xor(last, rest.length === 16 ? once : double(once))))
}

function block(key: Uint8Array, input: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return new Uint8Array(cipher.update(input))
}

/** Multiplication by x in GF(2^128). */
function double(bytes: Uint8Array): Uint8Array {
  const carry = (bytes[0] ?? 0) >> 7
  return bytes.map(
    (byte, i) => ((byte << 1) | ((bytes[i + 1] ?? 0) >> 7)) ^ (i === 15 ? carry * 0x87 : 0)
  )
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}
