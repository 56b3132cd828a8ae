import {
  encodePut,
  lengthPrefixed,
  proveOwnership,
  sha256,
  signingKeyFromSeed,
  utf8,
  verifyOwnership,
  verifySignature
} from '@hushlamp/shared'
import type { Ownership } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { changed, digits, expects, mustExist, refuses, uint } from './cases.ts'
import type { Case, Values, VectorFile } from './cases.ts'
import { bobToAlice, moment } from './inputs.ts'

const ttlSeconds = 21_600

// ---- owned puts ---------------------------------------------------------------------------------------------------

/** `ownership.json`: proofs of puts, as a node checks them, with the requests. */
export function ownershipFile(): VectorFile {
  return { ownedPut: [...[moment, moment + 1, moment + 600].map(goodPut), ...rejectedPuts()] }
}

interface Put extends Ownership {
  readonly registryKey: Uint8Array
  readonly value: Uint8Array
  readonly now: number
}

function putAt(now: number): Put {
  const { owner, registryKey } = bobToAlice()
  const value = testSecret('value')
  return { registryKey, value, now, ...proveOwnership(owner, value, ttlSeconds, now) }
}

function inputs({ registryKey, value, publicKey, expiry, signature, now }: Put): Values {
  return { registryKey, value, ttlSeconds, publicKey, expiry, signature, now }
}

function goodPut(now: number): Case {
  const put = putAt(now)
  const { registryKey: key, value, publicKey, expiry, signature } = put
  const owner = { publicKey, expiry, signature }
  if (!verifyOwnership(key, value, owner, now)) throw new Error('a good put was refused')
  const { method, path, body } = encodePut({ key, value, ttlSeconds, owner })
  const valueHash = sha256(value)
  return expects(inputs(put), {
    expiryOfNow: expiry,
    valueHash,
    transcript: lengthPrefixed('hushlamp/v1/put', key, valueHash, uint(4, expiry)),
    method,
    path,
    body: mustExist(body)
  })
}

/** Each is a good put with one thing changed. */
function rejectedPuts(): readonly Case[] {
  const good = putAt(moment)
  const cases: readonly (readonly [string, Partial<Put>])[] = [
    ['expired', { now: good.expiry }],
    ['expiry-range', { expiry: 2 ** 32 }],
    ['other-key', { registryKey: bobToAlice(1).registryKey }],
    ['other-key', { publicKey: changed(good.publicKey, { keep: 31 }) }],
    ['signature', { signature: changed(good.signature, { append: '00' }) }],
    ['signature', { value: changed(good.value, { at: 0, xor: 1 }) }],
    ['signature', { expiry: good.expiry + 600 }],
    ['signature', { signature: changed(good.signature, { at: 63, xor: 1 }) }]
  ]
  return cases.map(([reason, change]) => {
    const put: Put = { ...good, ...change }
    if (verifyOwnership(put.registryKey, put.value, put, put.now))
      throw new Error('a bad put was accepted')
    return refuses(reason, inputs(put))
  })
}

// ---- signatures ---------------------------------------------------------------------------------------------------

/** y-coordinates of the points of small order, canonical and not, without the sign bit. */
const smallOrderSigningKeys = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n

/** `signatures.json`: Ed25519, with what a verifier must refuse. */
export function signaturesFile(): VectorFile {
  const seed = testSecret('signature')
  const signer = signingKeyFromSeed(seed)
  const { publicKey } = signer
  const message = utf8('hushlamp test vector')
  const signature = signer.sign(message)
  const neutral = digits(`01${'00'.repeat(63)}`)
  const rejected: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ...smallOrderSigningKeys.map((key) => ['small-order', digits(key), neutral] as const),
    ['signature', publicKey, plusOrder(signature)],
    ['key', publicKey.subarray(0, 31), signature],
    ['signature', publicKey, signature.subarray(0, 63)]
  ]
  return {
    sign: [expects({ seed, message }, { publicKey, signature })],
    verify: rejected.map(([reason, key, bad]) => {
      if (verifySignature(key, message, bad)) throw new Error('a bad signature was accepted')
      return refuses(reason, { publicKey: key, message, signature: bad })
    })
  }
}

/** The same signature with S + L in place of S: RFC 8032 §5.1.7 requires S < L. */
function plusOrder(signature: Uint8Array): Uint8Array {
  let scalar = groupOrder
  for (let i = 63; i >= 32; i--) scalar += BigInt(signature[i] ?? 0) << BigInt(8 * (i - 32))
  return signature.map((byte, i) =>
    i < 32 ? byte : Number((scalar >> BigInt(8 * (i - 32))) & 255n)
  )
}
