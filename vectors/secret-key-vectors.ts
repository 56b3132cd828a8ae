import { argon2Sync, createCipheriv } from 'node:crypto'

import { concat, hex, utf8 } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

/** `secret-key.json`: a published secret under published passphrases, sealed by other code than the core's. */
export function secretKeyFile(): object {
  const secret = testSecret('sealed')
  const inputs = [
    { passphrase: 'correct horse battery staple', lanes: 4 },
    { passphrase: 'Cafe\u0301 \u2602', lanes: 1 }
  ]
  return {
    note: 'Published test secrets. Never use them.',
    magic: 'hushlock',
    cases: inputs.map(({ passphrase, lanes }) => {
      const salt = testSecret('salt').subarray(0, 16)
      const message = utf8(passphrase.normalize('NFC'))
      const cost = { memory: 65_536, passes: 3, parallelism: lanes }
      const key = argon2Sync('argon2id', { message, nonce: salt, tagLength: 32, ...cost })
      const costs = Uint8Array.of(1, lanes, 0, cost.passes, 0, 1, 0, 0)
      const header = concat(utf8('hushlock'), costs, salt)
      const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), {
        authTagLength: 16
      })
      cipher.setAAD(header, { plaintextLength: secret.length })
      const sealed = concat(header, cipher.update(secret), cipher.final(), cipher.getAuthTag())
      return {
        passphraseUtf8: hex(utf8(passphrase)),
        normalisedUtf8: hex(message),
        memoryKibibytes: cost.memory,
        passes: cost.passes,
        lanes,
        salt: hex(salt),
        key: hex(new Uint8Array(key)),
        secret: hex(secret),
        sealed: hex(sealed)
      }
    })
  }
}
