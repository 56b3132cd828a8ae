import { readFileSync } from 'node:fs'
import type * as nodeCrypto from 'node:crypto'

import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'

import {
  defaultPassphraseCost,
  hex,
  isHushlampError,
  maxSecretKeyBytes,
  openSecret,
  sealSecret,
  utf8
} from '@hushlamp/shared'
import { seededRandom } from '@hushlamp/shared/test-inputs'

const support = vi.hoisted(() => ({ argon2: true }))

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof nodeCrypto>()
  return {
    ...real,
    get argon2() {
      return support.argon2 ? real.argon2 : undefined
    }
  }
})

interface SealedVector {
  readonly given: { readonly passphrase: string; readonly secret: string }
  readonly expected: { readonly sealed: string }
}

const vectors: { readonly sealSecret: readonly SealedVector[] } = JSON.parse(
  readFileSync(new URL('../../../vectors/secret-key.json', import.meta.url), 'utf8')
)

const secret = utf8('the secret keys')
const passphrase = 'correct horse battery staple'
const random = seededRandom('secrets')
/** The least that is allowed, and on one lane. */
const cost = { ...defaultPassphraseCost, lanes: 1 }

describe('A secret under a passphrase', () => {
  let sealed: Uint8Array
  beforeAll(async () => {
    sealed = await sealSecret(secret, passphrase, random, cost)
  })

  test('opens with the passphrase', async () => {
    expect(await openSecret(sealed, passphrase)).toEqual(secret)
  })

  test('has a header of 32 bytes, the secret and a tag', () => {
    expect(sealed).toHaveLength(32 + secret.length + 16)
    expect(sealed.subarray(0, 16)).toEqual(
      new Uint8Array([...utf8('hushlock'), 1, 1, 0, 3, 0, 1, 0, 0])
    )
  })

  test('opens however the letters of the passphrase are composed', async () => {
    const composed = await sealSecret(secret, 'caf\u00E9', random, cost)
    expect(await openSecret(composed, 'cafe\u0301')).toEqual(secret)
  })

  test('does not open with another passphrase, or with anything changed', async () => {
    await expect(openSecret(sealed, 'wrong')).rejects.toMatchObject({ code: 'passphrase-wrong' })
    for (const position of [20, sealed.length - 1]) {
      const changed = sealed.slice()
      changed[position] = (changed[position] ?? 0) ^ 4
      await expect(openSecret(changed, passphrase)).rejects.toMatchObject({
        code: 'passphrase-wrong'
      })
    }
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['another magic', (bytes) => bytes.with(0, 0)],
    ['another version', (bytes) => bytes.with(8, 2)],
    ['no lane', (bytes) => bytes.with(9, 0)],
    ['too many lanes', (bytes) => bytes.with(9, 9)],
    ['too few passes', (bytes) => bytes.with(11, 2)],
    ['too many passes', (bytes) => bytes.with(10, 1)],
    ['too little memory', (bytes) => bytes.with(13, 0)],
    ['more memory than a computer has', (bytes) => bytes.with(12, 255)],
    ['no room for a tag', (bytes) => bytes.slice(0, 47)],
    ['more than a secret may have', () => new Uint8Array(49 + maxSecretKeyBytes)]
  ])('of a file with %s is refused before any work is done', async (_what, change) => {
    await expect(openSecret(change(sealed), passphrase)).rejects.toMatchObject({
      code: 'secret-malformed'
    })
  })

  test('of the vectors, made by other code, opens', async () => {
    for (const { given, expected } of vectors.sealSecret) {
      const typed = Buffer.from(given.passphrase, 'hex').toString()
      const opened = await openSecret(new Uint8Array(Buffer.from(expected.sealed, 'hex')), typed)
      expect(hex(opened)).toBe(given.secret)
    }
  })

  test('of arbitrary bytes is refused with an error of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const outcome = await openSecret(bytes, passphrase).catch((error: unknown) => error)
        expect(isHushlampError(outcome, 'secret-malformed')).toBe(true)
      })
    )
  })

  test('is not sealed at a cost that could not be read again', async () => {
    const cheap = sealSecret(secret, passphrase, random, { ...cost, passes: 1 })
    await expect(cheap).rejects.toMatchObject({ code: 'config-invalid' })
    const long = sealSecret(new Uint8Array(maxSecretKeyBytes + 1), passphrase, random)
    await expect(long).rejects.toMatchObject({ code: 'config-invalid' })
  })

  test('is told apart from a Node.js that lacks Argon2id', async () => {
    support.argon2 = false
    try {
      await expect(openSecret(sealed, passphrase)).rejects.toMatchObject({
        code: 'passphrase-unsupported'
      })
    } finally {
      support.argon2 = true
    }
  })
})
