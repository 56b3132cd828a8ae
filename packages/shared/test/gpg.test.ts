import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  armorCertificate,
  createCertificate,
  hex,
  mergeCertificate,
  readCertificate,
  readSecretCertificate,
  revokeCertificate,
  sameIdentity
} from '@hushlamp/shared'
import type { CreatedCertificate } from '@hushlamp/shared'
import { seededRandom } from '@hushlamp/shared/test-inputs'

const hasGpg = spawnSync('gpg', ['--version']).status === 0

/** gpg has the clock of this computer, so the certificates are made by that too, a moment ago. */
const now = Math.floor(Date.now() / 1000)
const random = seededRandom('gpg')

/** A GnuPG home of its own, with a path short enough for the agent's socket. */
class GpgHome {
  readonly #path: string = mkdtempSync(join(tmpdir(), 'hl-'))

  run(args: readonly string[], input: Uint8Array | string = ''): Uint8Array {
    const { status, stdout, stderr } = spawnSync(
      'gpg',
      ['--homedir', this.#path, '--batch', '--yes', '--no-tty', '--quiet', ...args],
      { input, env: { PATH: process.env['PATH'], LC_ALL: 'C' } }
    )
    if (status !== 0) throw new Error(`gpg ${args.join(' ')} failed: ${stderr.toString()}`)
    return new Uint8Array(stdout)
  }

  text(args: readonly string[], input?: Uint8Array | string): string {
    return Buffer.from(this.run(args, input)).toString()
  }

  [Symbol.dispose](): void {
    spawnSync('gpgconf', ['--homedir', this.#path, '--kill', 'all'])
    rmSync(this.#path, { recursive: true, force: true })
  }
}

// gpg is part of every Debian, yet not of every computer that this may be tested on.
describe.skipIf(!hasGpg)('With gpg', () => {
  let created: CreatedCertificate
  let fingerprint: string
  let home: GpgHome
  beforeAll(async () => {
    created = await createCertificate({ name: 'Alice' }, random, now - 100)
    fingerprint = hex(created.certificate.identity.fingerprint)
    home = new GpgHome()
    home.run(['--import'], created.certificate.bytes)
  })
  afterAll(() => home?.[Symbol.dispose]())

  test('a certificate shows its presence subkey without capabilities beside the encryption subkey', () => {
    const listed = home
      .text(['--list-keys', '--with-colons', fingerprint])
      .split('\n')
      .map((line) => line.split(':'))
    const subkeys = listed.filter(([kind]) => kind === 'sub')
    // Columns of doc/DETAILS of GnuPG: 12 capabilities, 17 curve.
    expect(subkeys.map((fields) => [fields[11], fields[16]])).toEqual([
      ['e', 'cv25519'],
      ['', 'cv25519']
    ])
  })

  test('messages go to the encryption subkey, never to the presence subkey', () => {
    const encrypt = ['--trust-model', 'always', '--encrypt', '--recipient', fingerprint]
    const packets = home.text(['--list-packets', '--list-only'], home.run(encrypt, 'hello'))
    const listed = home.text(['--list-keys', '--with-colons', fingerprint]).split('\n')
    const [encryptionId, presenceId] = listed
      .filter((line) => line.startsWith('sub:'))
      .map((line) => line.split(':')[4] ?? '')
    expect(packets).toContain(`keyid ${encryptionId}`)
    expect(packets).not.toContain(presenceId)
  })

  test.each([
    [[]],
    [['--armor']],
    [['--export-options', 'export-minimal']],
    [['--export-options', 'export-clean']]
  ])('an exported copy reads back as the same identity (%s)', async (options) => {
    const copy = home.run([...options, '--export', fingerprint])
    const read = await readCertificate(copy, now)
    expect(read.identity).toEqual(created.certificate.identity)
    expect(read.name).toBe('Alice')
  })

  test('our own armor is imported', () => {
    using other = new GpgHome()
    other.run(['--import'], armorCertificate(created.certificate))
    expect(other.text(['--list-keys', '--with-colons'])).toContain(fingerprint.toUpperCase())
  })

  test('the secret keys go through import and export unharmed', async () => {
    using own = new GpgHome()
    const passphrase = ['--pinentry-mode', 'loopback', '--passphrase', '']
    own.run([...passphrase, '--import'], created.secretBytes)
    const exported = own.run([...passphrase, '--export-secret-keys', fingerprint])
    const { identity } = await readSecretCertificate(exported, now)
    expect(sameIdentity(identity, created.identity)).toBe(true)
    const peer = (await createCertificate({ name: 'Bob' }, random, now - 100)).identity
    expect(identity.agreement.agree(peer.presenceKey)).toEqual(
      peer.agreement.agree(identity.presenceKey)
    )
    expect(identity.signing.publicKey).toEqual(identity.signingKey)
  })

  test('an expiry that the owner sets is read, also when merged with the older copy', async () => {
    using own = new GpgHome()
    const passphrase = ['--pinentry-mode', 'loopback', '--passphrase', '']
    own.run([...passphrase, '--import'], created.secretBytes)
    own.run([...passphrase, '--quick-set-expire', fingerprint, '2d'])
    own.run([...passphrase, '--quick-set-expire', fingerprint, '1d', '*'])
    const copy = own.run(['--export', fingerprint])
    const read = await readCertificate(copy, now)
    expect(read.identity).toEqual(created.certificate.identity)
    expect(Math.abs((read.expires ?? 0) - now - 86_400)).toBeLessThan(600)
    const merged = await mergeCertificate(created.certificate.bytes, copy, now)
    expect(merged.state).toMatchObject({ usable: true, certificate: { expires: read.expires } })
    await expect(readCertificate(merged.bytes, now + 200_000)).rejects.toMatchObject({
      code: 'certificate-expired'
    })
  })

  test('a certificate that others have signed reads as if they had not', async () => {
    using other = new GpgHome()
    const passphrase = ['--pinentry-mode', 'loopback', '--passphrase', '']
    other.run([...passphrase, '--quick-generate-key', 'Carol', 'ed25519', 'cert', 'never'])
    other.run(['--import'], created.certificate.bytes)
    other.run([...passphrase, '--quick-sign-key', fingerprint.toUpperCase()])
    const signed = other.run(['--export', fingerprint])
    expect(signed.length).toBeGreaterThan(created.certificate.bytes.length)
    const read = await readCertificate(signed, now)
    expect(read.identity).toEqual(created.certificate.identity)
    expect(read.bytes.length).toBe(created.certificate.bytes.length)
  })

  test('the revocation certificate revokes, by gpg and by us', async () => {
    using other = new GpgHome()
    other.run(['--import'], created.certificate.bytes)
    other.run(['--import'], created.revocationCertificate)
    const byGpg = other.run(['--export', fingerprint])
    const revocation = created.revocationCertificate
    const byUs = await revokeCertificate(created.certificate.bytes, revocation, now)
    for (const revoked of [byGpg, byUs])
      await expect(readCertificate(revoked, now)).rejects.toMatchObject({
        code: 'certificate-revoked'
      })
    other.run(['--import'], byUs)
    expect(other.text(['--list-keys', '--with-colons'])).toMatch(/^pub:r:/m)
  })
})
