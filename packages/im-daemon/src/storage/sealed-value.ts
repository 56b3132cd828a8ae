import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

import { concat, utf8 } from '@hushlamp/shared'

const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts the rows of a data folder with AES-256-GCM under a key derived from the folder's own. The row's key is
 * authenticated with it, so that rows cannot change places. Form: nonce(12) ‖ ciphertext ‖ tag(16).
 */
export class ValueSealer {
  readonly #key: Uint8Array

  /** @param folderKey 32 bytes. */
  constructor(folderKey: Uint8Array) {
    const empty = new Uint8Array(0)
    this.#key = new Uint8Array(
      hkdfSync('sha256', folderKey, empty, utf8('hushlamp/v1/storage'), 32)
    )
  }

  /** Seals the value of the row with that key. */
  seal(rowKey: string, value: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(randomBytes(nonceBytes))
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes })
    cipher.setAAD(utf8(rowKey))
    return concat(nonce, cipher.update(value), cipher.final(), cipher.getAuthTag())
  }

  /** Opens a sealed value; undefined where it is damaged, of another row, or under another key. */
  open(rowKey: string, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < nonceBytes + tagBytes) return undefined
    const nonce = sealed.subarray(0, nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(utf8(rowKey))
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
    try {
      const ciphertext = sealed.subarray(nonceBytes, sealed.length - tagBytes)
      return concat(decipher.update(ciphertext), decipher.final())
    } catch {
      // A failing tag is reported by throwing; the caller names the row's damage.
      return undefined
    }
  }
}
