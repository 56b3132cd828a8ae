import { fromHex } from '@hushlamp/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { expandedSecretKey, onionHost, onionPublicKey, onionPublicKeyOfSeed } from '../src/index.ts'
import { base32, fromBase32 } from '../src/tor/onion-address.ts'

/** Checked against a Tor: it answered ADD_ONION of this key with this address. */
const vector = {
  seed:
    fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f') ?? new Uint8Array(),
  publicKey: '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8',
  blob: 'OJTupJxYCu+BaTV2K+BJVZ1tFEDe3hLmoSXxhB//jm+p1xhio+V0a1cb49GHsAQQRvUuvYUMfL1f3o7jhHO2SQ==',
  host: 'aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead.onion'
}
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('the address of an onion service', () => {
  test('follows from the seed as Tor derives it', () => {
    const publicKey = onionPublicKeyOfSeed(vector.seed)
    expect(Buffer.from(publicKey).toString('hex')).toBe(vector.publicKey)
    expect(onionHost(publicKey)).toBe(vector.host)
    expect(Buffer.from(expandedSecretKey(vector.seed)).toString('base64')).toBe(vector.blob)
  })

  test('gives back its key, in either case of letters', () => {
    fc.assert(
      fc.property(key, (publicKey) => {
        expect(onionPublicKey(onionHost(publicKey))).toEqual(publicKey)
        expect(onionPublicKey(onionHost(publicKey).toUpperCase())).toEqual(publicKey)
      })
    )
  })

  test('is invalid with any one character changed', () => {
    const position = fc.integer({ min: 0, max: 55 })
    const letter = fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz234567'))
    fc.assert(
      fc.property(key, position, letter, (publicKey, at, character) => {
        const host = onionHost(publicKey)
        fc.pre(host[at] !== character)
        const changed = host.slice(0, at) + character + host.slice(at + 1)
        expect(onionPublicKey(changed)).toBeUndefined()
      })
    )
  })

  test.each(['', 'a.onion', vector.host.slice(0, -6), `x.${vector.host}`, `${vector.host}.`])(
    'is not %j',
    (text) => {
      expect(onionPublicKey(text)).toBeUndefined()
    }
  )

  test('needs keys of 32 bytes', () => {
    expect(() => onionHost(new Uint8Array(33))).toThrow(RangeError)
    expect(() => expandedSecretKey(new Uint8Array(31))).toThrow(RangeError)
  })

  test('has a clamped secret key, whatever the seed', () => {
    fc.assert(
      fc.property(key, (seed) => {
        const secret = expandedSecretKey(seed)
        expect((secret[0] ?? 0) & 7).toBe(0)
        expect((secret[31] ?? 0) & 0xc0).toBe(0x40)
      })
    )
  })
})

describe('base32', () => {
  test.each([
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi']
  ])('of %j is that of RFC 4648', (text, encoded) => {
    expect(base32(Buffer.from(text))).toBe(encoded)
    expect(Buffer.from(fromBase32(encoded) ?? []).toString()).toBe(text)
  })

  test('decodes nothing but what it would encode', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const bytes = fromBase32(text)
        expect(bytes === undefined || base32(bytes) === text.toLowerCase()).toBe(true)
      })
    )
    expect(fromBase32('mz')).toBeUndefined()
    expect(fromBase32('m')).toBeUndefined()
  })
})
