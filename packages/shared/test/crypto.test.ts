import { aessiv } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  agreementKeyFromSecret,
  base64,
  compareBytes,
  concat,
  fromBase64,
  fromHex,
  hex,
  hkdf,
  hmac,
  isSmallOrder,
  lengthPrefixed,
  sha1,
  sha256,
  signingKeyFromSeed,
  textOf,
  utf8,
  verifySignature,
  wipe
} from '@hushlamp/shared'

import { sivOpen, sivSeal } from '../src/crypto/aes-siv.ts'
import { chachaOpen, chachaSeal } from '../src/crypto/chacha-poly.ts'

/** Bytes of hexadecimal digits, as specifications print them. */
function bytes(digits: string): Uint8Array {
  const read = fromHex(digits.replaceAll(/\s/g, ''))
  if (!read) throw new Error('not hexadecimal')
  return read
}

const sequence = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => from + i)
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })

describe('AES-SIV', () => {
  const anything = fc.uint8Array({ maxLength: 150 })

  test('is that of an independent implementation, which fulfils RFC 5297 A.1', () => {
    const key = bytes('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')
    const sealed = aessiv(key, sequence(0x10, 24)).encrypt(bytes('112233445566778899aabbccddee'))
    expect(hex(sealed)).toBe('85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c')
    fc.assert(
      fc.property(bytesOf(64), anything, anything, (any, associated, plaintext) => {
        const ours = sivSeal(any, associated, plaintext)
        expect(ours).toEqual(aessiv(any, associated).encrypt(plaintext))
        expect(sivOpen(any, associated, ours)).toEqual(plaintext)
      })
    )
  })

  test('leaves what it is given as it was, also in a Buffer', () => {
    const plaintext = Buffer.alloc(112, 7)
    const sealed = Buffer.from(sivSeal(sequence(0, 64), new Uint8Array(20), plaintext))
    expect(plaintext).toEqual(Buffer.alloc(112, 7))
    const copy = Buffer.from(sealed)
    expect(sivOpen(sequence(0, 64), new Uint8Array(20), sealed)).toEqual(new Uint8Array(plaintext))
    expect(sealed).toEqual(copy)
  })

  test('opens nothing that differs in a bit, in the datum, in the key or in length', () => {
    const [key, associated] = [sequence(0, 64), sequence(1, 20)]
    const sealed = sivSeal(key, associated, sequence(2, 40))
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const damaged = new Uint8Array(sealed)
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(sivOpen(key, associated, damaged)).toBeUndefined()
      })
    )
    expect(sivOpen(key, sequence(2, 20), sealed)).toBeUndefined()
    expect(sivOpen(sequence(1, 64), associated, sealed)).toBeUndefined()
    for (let length = 0; length < sealed.length; length++)
      expect(sivOpen(key, associated, sealed.subarray(0, length))).toBeUndefined()
  })

  test('goes by what a key holds now, not by what it held when it was last used', () => {
    const [key, none] = [sequence(0, 64), new Uint8Array(0)]
    const first = sivSeal(key, none, none)
    key.fill(9)
    expect(sivSeal(key, none, none)).not.toEqual(first)
    expect(sivSeal(key, none, none)).toEqual(sivSeal(new Uint8Array(64).fill(9), none, none))
  })

  test('takes keys of 64 bytes alone', () => {
    const none = new Uint8Array(0)
    expect(() => sivSeal(new Uint8Array(32), none, none)).toThrow(RangeError)
    expect(() => sivOpen(new Uint8Array(63), none, new Uint8Array(16))).toThrow(RangeError)
  })
})

describe('ChaCha20-Poly1305', () => {
  test('is that of an independent implementation, which fulfils RFC 8439 §2.8.2', () => {
    const text = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    )
    const nonce = bytes('070000004041424344454647')
    const associated = bytes('50515253c0c1c2c3c4c5c6c7')
    const sealed = chacha20poly1305(sequence(0x80, 32), nonce, associated).encrypt(text)
    expect(hex(sealed.subarray(-16))).toBe('1ae10b594f09e26a7e902ecbd0600691')
    expect(hex(sealed.subarray(0, 16))).toBe('d31a8d34648e60db7b86afbc53ef7ec2')
    fc.assert(
      fc.property(
        bytesOf(32),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 200 }),
        (key, counter, datum, plaintext) => {
          const twelve = new Uint8Array(12)
          new DataView(twelve.buffer).setBigUint64(4, BigInt(counter), true)
          const ours = chachaSeal(key, counter, datum, plaintext)
          expect(ours).toEqual(chacha20poly1305(key, twelve, datum).encrypt(plaintext))
          expect(chachaOpen(key, counter, datum, ours)).toEqual(plaintext)
        }
      )
    )
  })

  test('opens nothing that is damaged or shorter than a tag', () => {
    const sealed = chachaSeal(sequence(0, 32), 1, utf8('datum'), utf8('text'))
    expect(chachaOpen(sequence(0, 32), 2, utf8('datum'), sealed)).toBeUndefined()
    expect(chachaOpen(sequence(0, 32), 1, utf8('other'), sealed)).toBeUndefined()
    expect(chachaOpen(sequence(0, 32), 1, utf8('datum'), sealed.subarray(0, 15))).toBeUndefined()
  })
})

describe('X25519', () => {
  const alice = agreementKeyFromSecret(
    bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
  )
  const bob = agreementKeyFromSecret(
    bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
  )

  test('agrees as RFC 7748 §6.1 has it', () => {
    expect(hex(alice.publicKey)).toBe(
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
    )
    expect(hex(bob.publicKey)).toBe(
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
    )
    const secret = bytes('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
    expect(alice.agree(bob.publicKey)).toEqual(secret)
    expect(bob.agree(alice.publicKey)).toEqual(secret)
  })

  test('goes by what a key holds now, not by what it held when it was last used', () => {
    const key = new Uint8Array(bob.publicKey)
    const first = alice.agree(key)
    key.set(alice.publicKey)
    expect(alice.agree(key)).not.toEqual(first)
    expect(alice.agree(key)).toEqual(alice.agree(alice.publicKey))
  })

  test('refuses secrets of another length, and public keys of another length or small order', () => {
    expect(() => agreementKeyFromSecret(new Uint8Array(31))).toThrow(RangeError)
    for (const unusable of [
      new Uint8Array(32),
      concat(new Uint8Array([1]), new Uint8Array(31)),
      sequence(0, 33)
    ])
      expect(alice.agree(unusable)).toBeUndefined()
  })
})

describe('Ed25519', () => {
  test.each([
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
    ]
  ])('signs as RFC 8032 §7.1 has it (%#)', (seed, publicKey, message, signature) => {
    const key = signingKeyFromSeed(bytes(seed))
    expect(hex(key.publicKey)).toBe(publicKey)
    expect(hex(key.sign(bytes(message)))).toBe(signature)
    expect(verifySignature(key.publicKey, bytes(message), bytes(signature))).toBe(true)
  })

  const key = signingKeyFromSeed(sequence(0, 32))
  const signature = key.sign(utf8('message'))

  test('finds nothing valid but the signature of that message by that key', () => {
    const other = signingKeyFromSeed(sequence(1, 32))
    expect(verifySignature(key.publicKey, utf8('message'), signature)).toBe(true)
    expect(verifySignature(key.publicKey, utf8('massage'), signature)).toBe(false)
    expect(verifySignature(other.publicKey, utf8('message'), signature)).toBe(false)
    expect(verifySignature(key.publicKey, utf8('message'), signature.subarray(1))).toBe(false)
    expect(verifySignature(key.publicKey.subarray(1), utf8('message'), signature)).toBe(false)
    expect(verifySignature(new Uint8Array(32).fill(2), utf8('message'), signature)).toBe(false)
  })

  test('does not take a signature with the order added to its scalar', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const littleEndian = (from: Uint8Array): bigint =>
      from.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    let scalar = littleEndian(signature.subarray(32)) + order
    const second = new Uint8Array(signature)
    for (let i = 32; i < 64; i++, scalar >>= 8n) second[i] = Number(scalar & 0xffn)
    expect(verifySignature(key.publicKey, utf8('message'), second)).toBe(false)
  })

  test('refuses keys of small order, canonical or not, of either sign', () => {
    const identity = concat(new Uint8Array([1]), new Uint8Array(31))
    const negative = new Uint8Array(identity)
    negative[31] = 0x80
    for (const small of [
      identity,
      negative,
      concat(new Uint8Array([0xee]), new Uint8Array(30).fill(0xff), new Uint8Array([0x7f]))
    ]) {
      expect(isSmallOrder(small)).toBe(true)
      expect(verifySignature(small, utf8('any'), new Uint8Array(64))).toBe(false)
    }
    expect(isSmallOrder(key.publicKey)).toBe(false)
  })

  test('takes seeds of 32 bytes alone', () => {
    expect(() => signingKeyFromSeed(new Uint8Array(33))).toThrow(RangeError)
  })
})

describe('Hashes', () => {
  test('are those of FIPS 180', () => {
    expect(hex(sha256(utf8('a'), utf8('bc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    )
    expect(hex(sha1(utf8('a'), utf8('bc')))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
  })

  test.each([
    [
      '0b'.repeat(20),
      'Hi There',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'
    ],
    [
      hex(utf8('Jefe')),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
    ]
  ])('authenticate as RFC 4231 has it (%#)', (key, message, expected) => {
    expect(hex(hmac(bytes(key), utf8(message)))).toBe(expected)
  })

  test('derive keys as RFC 5869 A.1 has it', () => {
    expect(hex(hkdf(new Uint8Array(22).fill(0x0b), sequence(0, 13), sequence(0xf0, 10), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'
    )
  })
})

describe('Bytes', () => {
  test('read back from hexadecimal digits and base64', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (any) => {
        expect(fromHex(hex(any))).toEqual(any)
        expect(fromHex(hex(any).toUpperCase())).toEqual(any)
        expect(fromBase64(base64(any))).toEqual(any)
      })
    )
  })

  test.each(['0', 'zz', '0x00', ' 00'])('are not read from %j as digits', (text) => {
    expect(fromHex(text)).toBeUndefined()
  })

  test.each(['AA', 'AA=', 'AB==', 'A-==', 'AA==\n'])('are not read from %j as base64', (text) => {
    expect(fromBase64(text)).toBeUndefined()
  })

  test('that are not UTF-8 are no text', () => {
    expect(textOf(utf8('☂ü'))).toBe('☂ü')
    expect(textOf(new Uint8Array([0xff]))).toBeUndefined()
    expect(textOf(new Uint8Array([0xed, 0xa0, 0x80]))).toBeUndefined()
  })

  test('are ordered as unsigned numbers, the shorter first', () => {
    const ordered = [[], [0], [0, 1], [1], [0x80], [0xff]].map((each) => new Uint8Array(each))
    const shuffled = ordered.toReversed().sort(compareBytes)
    expect(shuffled).toEqual(ordered)
    expect(compareBytes(sequence(0, 3), sequence(0, 3))).toBe(0)
  })

  test('are gone after a wipe', () => {
    const secret = sequence(1, 9)
    wipe(secret)
    expect(secret).toEqual(new Uint8Array(9))
  })

  test('have one encoding as a transcript', () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array())
    const parts = fc.array(part, { maxLength: 4 })
    const content = (all: readonly (string | Uint8Array)[]): readonly string[] =>
      all.map((each) => hex(typeof each === 'string' ? utf8(each) : each))
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const sameParts = JSON.stringify(content(a)) === JSON.stringify(content(b))
        expect(hex(lengthPrefixed(...a)) === hex(lengthPrefixed(...b))).toBe(sameParts)
      })
    )
    expect(hex(lengthPrefixed('ab', new Uint8Array([0xff])))).toBe('000261620001ff')
    expect(() => lengthPrefixed(new Uint8Array(65_536))).toThrow(RangeError)
  })
})
