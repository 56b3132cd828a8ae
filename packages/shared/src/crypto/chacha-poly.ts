import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'

import { concat } from './bytes.ts'

/** Bytes that a tag adds to each ciphertext. */
export const tagBytes = 16

/** 32 zero bits, then the counter in 64 bits little-endian: Noise, revision 34, §12.3. */
function noiseNonce(counter: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true)
  return nonce
}

/** ChaCha20-Poly1305 (RFC 8439) with Noise's nonce of a counter: ciphertext, then a tag of 16 bytes. */
export function chachaSeal(
  key: Uint8Array,
  counter: number,
  associated: Uint8Array,
  plaintext: Uint8Array
): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', createSecretKey(key), noiseNonce(counter), {
    authTagLength: tagBytes
  })
  cipher.setAAD(associated, { plaintextLength: plaintext.length })
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Opens what {@link chachaSeal} made; undefined where the check fails. */
export function chachaOpen(
  key: Uint8Array,
  counter: number,
  associated: Uint8Array,
  sealed: Uint8Array
): Uint8Array | undefined {
  if (sealed.length < tagBytes) return undefined
  const ciphertext = sealed.subarray(0, sealed.length - tagBytes)
  const decipher = createDecipheriv(
    'chacha20-poly1305',
    createSecretKey(key),
    noiseNonce(counter),
    {
      authTagLength: tagBytes
    }
  )
  decipher.setAAD(associated, { plaintextLength: ciphertext.length })
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    return concat(decipher.update(ciphertext), decipher.final())
  } catch {
    // A failing tag is reported by throwing; there is one way to fail.
    return undefined
  }
}

/** REKEY of Noise, revision 34, §4.2: the first 32 bytes of encrypting 32 zeros under the greatest nonce. */
export function chachaRekey(key: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12).fill(0xff, 4)
  const cipher = createCipheriv('chacha20-poly1305', createSecretKey(key), nonce, {
    authTagLength: tagBytes
  })
  return concat(cipher.update(new Uint8Array(32)), cipher.final())
}
