import fc from 'fast-check'
import * as openpgp from 'openpgp'
import { beforeAll, describe, expect, test } from 'vitest'

import {
  armorCertificate,
  createCertificate,
  displayableText,
  isHushlampError,
  maxCertificateBytes,
  readCertificate,
  readSecretCertificate,
  utf8,
  verifySignature
} from '@hushlamp/shared'
import type { CreatedCertificate } from '@hushlamp/shared'
import { seededRandom } from '@hushlamp/shared/test-inputs'

const now = 1_800_000_000
const later = now + 60
const random = seededRandom('certificates')

describe.each(['v4-legacy', 'v6'] as const)('A %s certificate', (format) => {
  let created: CreatedCertificate
  beforeAll(async () => {
    created = await createCertificate({ name: 'Alice', format }, random, now)
  })

  test('reads back with the same identity and name', async () => {
    const read = await readCertificate(created.certificate.bytes, later)
    expect(read.identity).toEqual(created.certificate.identity)
    expect(read.name).toBe('Alice')
    expect(read.identity.fingerprint).toHaveLength(format === 'v6' ? 32 : 20)
  })

  test('reads back from its armored form', async () => {
    const armored = utf8(armorCertificate(created.certificate))
    expect((await readCertificate(armored, later)).bytes).toEqual(created.certificate.bytes)
  })

  test('keeps the secret keys that belong to the public ones', async () => {
    const { identity } = await readSecretCertificate(created.secretBytes, later)
    expect(identity.signing.publicKey).toEqual(created.certificate.identity.signingKey)
    expect(identity.agreement.publicKey).toEqual(created.certificate.identity.presenceKey)
    const message = utf8('proof')
    const signature = identity.signing.sign(message)
    expect(verifySignature(identity.signingKey, message, signature)).toBe(true)
  })

  test('holds no secret in its public bytes', async () => {
    await expect(readSecretCertificate(created.certificate.bytes, later)).rejects.toMatchObject({
      code: 'secret-key-missing'
    })
  })

  test('never offers the presence subkey for encryption', async () => {
    const key = await openpgp.readKey({ binaryKey: created.certificate.bytes })
    const encryption = await key.getEncryptionKey(undefined, new Date(later * 1000))
    expect(encryption.getFingerprint()).toBe(key.subkeys[0]?.getFingerprint())
  })

  test('with one flipped bit is refused or is another certificate, never a crash', async () => {
    const { bytes } = created.certificate
    for (let position = 3; position < bytes.length; position += 29) {
      const damaged = bytes.slice()
      damaged[position] = (damaged[position] ?? 0) ^ 1
      const outcome = await readCertificate(damaged, later).catch((error: unknown) => error)
      const code = isHushlampError(outcome) ? outcome.code : 'read'
      expect(code).toMatch(/^(certificate-|read$)/)
    }
  })
})

describe('Reading certificates', () => {
  test('refuses a certificate that has expired', async () => {
    const { privateKey } = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'brief' }],
      keyExpirationTime: 3600,
      date: new Date(now * 1000),
      format: 'object'
    })
    await expect(readCertificate(privateKey.toPublic().write(), now + 7200)).rejects.toMatchObject({
      code: 'certificate-expired'
    })
  })

  test('refuses a certificate that has been revoked', async () => {
    const { secretBytes } = await createCertificate({ name: 'gone' }, random, now)
    const key = await openpgp.readPrivateKey({ binaryKey: secretBytes })
    const revoked = await key.revoke(undefined, new Date(later * 1000))
    await expect(readCertificate(revoked.write(), later + 1)).rejects.toMatchObject({
      code: 'certificate-revoked'
    })
  })

  test('refuses a certificate without a presence subkey', async () => {
    const { publicKey } = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'mail only' }],
      date: new Date(now * 1000),
      format: 'object'
    })
    await expect(readCertificate(publicKey.write(), later)).rejects.toMatchObject({
      code: 'certificate-unsuitable'
    })
  })

  test('refuses what exceeds 64 KiB before it parses anything', async () => {
    await expect(
      readCertificate(new Uint8Array(maxCertificateBytes + 1), now)
    ).rejects.toMatchObject({ code: 'certificate-too-large' })
  })

  test('answers arbitrary bytes with an error of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const outcome = await readCertificate(bytes, now).catch((error: unknown) => error)
        expect(isHushlampError(outcome)).toBe(true)
      }),
      { numRuns: 200 }
    )
  })
})

describe('Text of other people', () => {
  test('loses control and bidirectional characters', () => {
    expect(displayableText('a\u202Eb\u0007c\u2066  d\n')).toBe('abc d')
  })

  test('is cut at whole characters', () => {
    expect(displayableText('☂'.repeat(100), 3)).toBe('☂☂☂')
  })
})
