import fc from 'fast-check'
import * as openpgp from 'openpgp'
import { beforeAll, describe, expect, test } from 'vitest'

import {
  armorCertificate,
  checkCertificateAt,
  clockToleranceSeconds,
  createCertificate,
  displayableText,
  isHushlampError,
  maxCertificateBytes,
  mergeCertificate,
  readCertificate,
  readSecretCertificate,
  revokeCertificate,
  shortKeyId,
  shortKeyIdsClash,
  utf8,
  verifySignature
} from '@hushlamp/shared'
import type { CreatedCertificate } from '@hushlamp/shared'
import { seededRandom, testIdentity } from '@hushlamp/shared/test-inputs'

import { bindLastSubkey, withSecondPresenceSubkey } from './presence-binding.ts'

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

/** Revokes the last subkey of a key with secrets. */
async function revokeLastSubkey(key: openpgp.PrivateKey, moment: number): Promise<void> {
  const subkey = key.subkeys.at(-1)
  const primary = key.keyPacket
  if (!subkey || !(primary instanceof openpgp.SecretKeyPacket)) throw new Error('no subkey')
  const revoked = await subkey.revoke(primary, undefined, new Date(moment * 1000))
  subkey.revocationSignatures = revoked.revocationSignatures
}

async function refusal(data: Uint8Array, moment: number): Promise<string> {
  const outcome: unknown = await readCertificate(data, moment).catch((error: unknown) => error)
  return isHushlampError(outcome) ? outcome.code : 'read'
}

describe('The presence subkey', () => {
  let created: CreatedCertificate
  beforeAll(async () => {
    created = await createCertificate({ name: 'Alice' }, random, now)
  })
  const copy = async (): Promise<openpgp.PrivateKey> =>
    openpgp.readPrivateKey({ binaryKey: created.secretBytes })

  test('must be the only one that is valid', async () => {
    const key = await withSecondPresenceSubkey(created.secretBytes, later)
    expect(await refusal(key.write(), later)).toBe('certificate-unsuitable')
  })

  test('may follow one that was revoked', async () => {
    const second = await withSecondPresenceSubkey(created.secretBytes, later)
    const former = second.subkeys[1]
    if (former) second.subkeys = [...second.subkeys.filter((each) => each !== former), former]
    await revokeLastSubkey(second, later)
    const { identity } = await readSecretCertificate(second.write(), later)
    expect(identity.presenceKey).not.toEqual(created.identity.presenceKey)
    expect(identity.agreement.publicKey).toEqual(identity.presenceKey)
  })

  test('that was revoked leaves a revoked certificate', async () => {
    const key = await copy()
    await revokeLastSubkey(key, later)
    expect(await refusal(key.write(), later)).toBe('certificate-revoked')
  })

  test('that has expired leaves an expired certificate', async () => {
    const key = await copy()
    await bindLastSubkey(key, { created: later, expiresAfterSeconds: 7_200 })
    const read = await readCertificate(key.write(), later)
    expect(read.expires).toBe(now + 7_200)
    expect(await refusal(key.write(), now + 7_200)).toBe('certificate-expired')
    expect(() => checkCertificateAt(read, now + 7_199)).not.toThrow()
    expect(() => checkCertificateAt(read, now + 7_200)).toThrow(
      expect.objectContaining({ code: 'certificate-expired' })
    )
  })

  test('is known by its newest binding alone', async () => {
    const key = await copy()
    await bindLastSubkey(key, { created: later, notation: 'x25519-v2' })
    expect(await refusal(key.write(), later + 1)).toBe('certificate-unsuitable')
    await bindLastSubkey(key, { created: later + 10 })
    expect(await refusal(key.write(), later + 10)).toBe('read')
  })

  test('of another kind of key is none', async () => {
    const { privateKey } = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      subkeys: [{ curve: 'nistP256' }],
      userIDs: [{ name: 'other curve' }],
      date: new Date(now * 1000),
      format: 'object'
    })
    await bindLastSubkey(privateKey, { created: later })
    expect(await refusal(privateKey.write(), later)).toBe('certificate-unsuitable')
  })
})

describe('Reading certificates of other programs', () => {
  let created: CreatedCertificate
  let armored: string
  beforeAll(async () => {
    created = await createCertificate({ name: 'Alice' }, random, now)
    armored = armorCertificate(created.certificate)
  })

  test.each<[string, (text: string) => string]>([
    ['with the line ends of Windows', (text) => text.replace(/\r?\n/g, '\r\n')],
    [
      'with comments',
      (text) => text.replace('BLOCK-----', 'BLOCK-----\nComment: mine\nVersion: 1')
    ],
    ['with a byte order mark', (text) => `\uFEFF${text}`],
    ['with text around it', (text) => `Here is my key:\n\n${text}\nBye`]
  ])('takes armor %s', async (_what, change) => {
    const read = await readCertificate(utf8(change(armored)), later)
    expect(read.identity).toEqual(created.certificate.identity)
  })

  test('takes v4 with the algorithms of RFC 9580', async () => {
    const { privateKey } = await openpgp.generateKey({
      type: 'curve25519',
      userIDs: [{ name: 'modern' }],
      subkeys: [{}],
      date: new Date(now * 1000),
      format: 'object'
    })
    await bindLastSubkey(privateKey, { created: later })
    const { identity, certificate } = await readSecretCertificate(privateKey.write(), later)
    expect(certificate.identity.fingerprint).toHaveLength(20)
    expect(identity.agreement.publicKey).toEqual(certificate.identity.presenceKey)
  })

  test('takes a certificate of somebody whose clock is ahead within bounds', async () => {
    const { bytes } = created.certificate
    expect(await refusal(bytes, now - clockToleranceSeconds)).toBe('read')
    expect(await refusal(bytes, now - clockToleranceSeconds - 1)).toBe('certificate-unsuitable')
  })

  test('shows no name that the key itself does not certify', async () => {
    const key = await openpgp.readKey({ binaryKey: created.certificate.bytes })
    const other = await createCertificate({ name: 'Mallory' }, random, now)
    const forged = await openpgp.readKey({ binaryKey: other.certificate.bytes })
    key.users = [...forged.users, ...key.users]
    expect((await readCertificate(key.write(), later)).name).toBe('Alice')
  })

  test('refuses more subkeys, names or signatures than a person has, before it verifies one', async () => {
    const key = await openpgp.readKey({ binaryKey: created.certificate.bytes })
    const many = <T>(items: T[]): T[] => Array.from({ length: 17 }, () => items).flat()
    const { users, subkeys } = key
    key.users = many(users)
    expect(await refusal(key.write(), later)).toBe('certificate-too-large')
    key.users = users
    key.subkeys = many(subkeys)
    expect(await refusal(key.write(), later)).toBe('certificate-too-large')
    key.subkeys = subkeys
    for (const user of users) user.selfCertifications = many(many(user.selfCertifications))
    expect(await refusal(key.write(), later)).toBe('certificate-too-large')
  })

  test('refuses a primary key of another kind', async () => {
    const { privateKey } = await openpgp.generateKey({
      type: 'ecc',
      curve: 'nistP256',
      userIDs: [{ name: 'other' }],
      date: new Date(now * 1000),
      format: 'object'
    })
    expect(await refusal(privateKey.toPublic().write(), later)).toBe('certificate-unsuitable')
  })

  test('asks for secret keys that are not locked', async () => {
    const key = await openpgp.readPrivateKey({ binaryKey: created.secretBytes })
    const locked = await openpgp.encryptKey({
      privateKey: key,
      passphrase: 'locked',
      config: { s2kIterationCountByte: 0 }
    })
    await expect(readSecretCertificate(locked.write(), later)).rejects.toMatchObject({
      code: 'secret-key-missing'
    })
  })
})

describe('Merging copies of a certificate', () => {
  let created: CreatedCertificate
  let known: Uint8Array
  beforeAll(async () => {
    created = await createCertificate({ name: 'Alice' }, random, now)
    known = created.certificate.bytes
  })

  test.each(['v4-legacy', 'v6'] as const)(
    'of one %s that says the same changes nothing',
    async (format) => {
      const { certificate } = await createCertificate({ name: 'Alice', format }, random, now)
      const merged = await mergeCertificate(certificate.bytes, certificate.bytes, later)
      expect(merged.bytes).toEqual(certificate.bytes)
      expect(merged.state).toMatchObject({ usable: true, certificate: { name: 'Alice' } })
    }
  )

  test('takes a revocation, and an older copy does not bring the certificate back', async () => {
    const revoked = await revokeCertificate(known, created.revocationCertificate, later)
    const merged = await mergeCertificate(known, revoked, later)
    expect(merged.state).toEqual({ usable: false, code: 'certificate-revoked' })
    const again = await mergeCertificate(merged.bytes, known, later)
    expect(again.state).toEqual({ usable: false, code: 'certificate-revoked' })
    expect(again.bytes).toEqual(merged.bytes)
  })

  test('takes a new presence subkey in place of a revoked one', async () => {
    const key = await withSecondPresenceSubkey(created.secretBytes, later)
    const both = await mergeCertificate(known, key.toPublic().write(), later)
    expect(both.state).toEqual({ usable: false, code: 'certificate-unsuitable' })
    const former = key.subkeys[1]
    if (former) key.subkeys = [...key.subkeys.filter((each) => each !== former), former]
    await revokeLastSubkey(key, later)
    const merged = await mergeCertificate(known, key.toPublic().write(), later)
    expect(merged.state.usable).toBe(true)
    const alone = await readCertificate(key.write(), later)
    expect(merged.state).toMatchObject({ certificate: { identity: alone.identity } })
  })

  test('is not moved by a copy with forged signatures', async () => {
    const mallory = await createCertificate({ name: 'Mallory' }, random, later)
    const forger = await openpgp.readPrivateKey({ binaryKey: mallory.secretBytes })
    const copy = await openpgp.readKey({ binaryKey: known })
    const revoked = await forger.revoke(undefined, new Date(later * 1000))
    copy.revocationSignatures = revoked.revocationSignatures
    copy.users = [...copy.users, ...forger.users]
    for (const [index, subkey] of copy.subkeys.entries())
      subkey.bindingSignatures = forger.subkeys[index]?.bindingSignatures ?? []
    const merged = await mergeCertificate(known, copy.write(), later)
    expect(merged.bytes).toEqual(known)
    expect(merged.state.usable).toBe(true)
  })

  test('refuses the certificate of somebody else', async () => {
    const other = await createCertificate({ name: 'Bob' }, random, now)
    await expect(mergeCertificate(known, other.certificate.bytes, later)).rejects.toMatchObject({
      code: 'certificate-mismatch'
    })
  })

  test('refuses a revocation certificate of somebody else', async () => {
    const other = await createCertificate({ name: 'Bob' }, random, now)
    for (const text of [other.revocationCertificate, 'nothing'])
      await expect(revokeCertificate(known, text, later)).rejects.toMatchObject({
        code: 'certificate-malformed'
      })
  })

  test('of arbitrary bytes is refused with an error of its own', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(known.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const damaged = known.with(at, (known[at] ?? 0) ^ change)
          const outcome: unknown = await mergeCertificate(known, damaged, later).catch(
            (error: unknown) => error
          )
          // What is damaged can take nothing away from what is known.
          expect(isHushlampError(outcome) || outcome).toSatisfy(
            (merged: unknown) => merged === true || JSON.stringify(merged).includes('"usable":true')
          )
        }
      ),
      { numRuns: 60, endOnFailure: true }
    )
  })
})

describe('Short ids', () => {
  test('are the ones that OpenPGP programs show', () => {
    const v4 = { fingerprint: Uint8Array.from({ length: 20 }, (_, index) => index) }
    const v6 = { fingerprint: Uint8Array.from({ length: 32 }, (_, index) => index) }
    expect(shortKeyId(v4)).toBe('10111213')
    expect(shortKeyId(v6)).toBe('04050607')
  })

  test('clash where the fingerprints differ', () => {
    const alice = testIdentity('alice')
    const forged = {
      ...alice,
      fingerprint: alice.fingerprint.with(0, (alice.fingerprint[0] ?? 0) ^ 1)
    }
    expect(shortKeyIdsClash(alice, forged)).toBe(true)
    expect(shortKeyIdsClash(alice, alice)).toBe(false)
    expect(shortKeyIdsClash(alice, testIdentity('bob'))).toBe(false)
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
