import { argon2Sync, createCipheriv } from 'node:crypto'

import { concat, utf8 } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { expects } from './cases.ts'
import type { VectorFile } from './cases.ts'

const passes = 3
const memoryKibibytes = 65_536

/** `secret-key.json`: a published secret under published passphrases, sealed by other code than the core's. */
export function secretKeyFile(): VectorFile {
  const secret = testSecret('sealed')
  const salt = testSecret('salt').subarray(0, 16)
  const inputs = [
    { passphrase: 'correct horse battery staple', lanes: 4 },
    { passphrase: 'Cafe\u0301 \u2602', lanes: 1 }
  ]
  return {
    sealSecret: inputs.map(({ passphrase, lanes }) => {
      const normalised = utf8(passphrase.normalize('NFC'))
      const cost = { memory: memoryKibibytes, passes, parallelism: lanes }
      const made = argon2Sync('argon2id', {
        message: normalised,
        nonce: salt,
        tagLength: 32,
        ...cost
      })
      const key = new Uint8Array(made)
      const header = concat(utf8('hushlock'), Uint8Array.of(1, lanes, 0, passes, 0, 1, 0, 0), salt)
      const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), {
        authTagLength: 16
      })
      cipher.setAAD(header, { plaintextLength: secret.length })
      const sealed = concat(header, cipher.update(secret), cipher.final(), cipher.getAuthTag())
      return expects(
        { passphrase: utf8(passphrase), lanes, passes, memoryKibibytes, salt, key, secret },
        { normalised, header, sealed }
      )
    })
  }
}
