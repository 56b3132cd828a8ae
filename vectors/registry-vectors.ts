import {
  derivePairKeys,
  encodePut,
  hex,
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

import { alice, bob, bobToAlice, changed, moment, mustExist } from './inputs.ts'

const putLabel = 'hushlamp/v1/put'
const ttlSeconds = 21_600

// ---- owned puts ---------------------------------------------------------------------------------------------------

export function ownershipFile(): object {
  const { owner, registryKey: key } = bobToAlice()
  const value = testSecret('value')
  const cases = [moment, moment + 1, moment + 600].map((now) => {
    const ownership = proveOwnership(owner, value, ttlSeconds, now)
    const expiry = Buffer.alloc(4)
    expiry.writeUInt32BE(ownership.expiry)
    const { method, path, body } = encodePut({ key, value, ttlSeconds, owner: ownership })
    return {
      now,
      ttlSeconds,
      transcript: hex(lengthPrefixed(putLabel, key, sha256(value), expiry)),
      ownership: ownershipVector(ownership),
      request: { method, path, body }
    }
  })
  return {
    label: putLabel,
    keyLabel: 'hushlamp/v1/key',
    registryKey: hex(key),
    value: hex(value),
    valueHash: hex(sha256(value)),
    cases,
    rejected: rejectedPuts(value)
  }
}

function ownershipVector({ publicKey, expiry, signature }: Ownership): object {
  return { publicKey: hex(publicKey), expiry, signature: hex(signature) }
}

/** Each is the first case with one thing changed. */
function rejectedPuts(value: Uint8Array): readonly object[] {
  const { owner, registryKey: key, epoch } = bobToAlice()
  const good = proveOwnership(owner, value, ttlSeconds, moment)
  const nextKey = mustExist(derivePairKeys(bob, alice, 'own-to-peer')).epochKeys(epoch + 1)
  const cases: readonly BadPut[] = [
    { reason: 'expired', now: good.expiry },
    { reason: 'expiry-range', expiry: 2 ** 32 },
    { reason: 'other-key', epoch: epoch + 1, key: nextKey.registryKey },
    {
      reason: 'owner-length',
      change: { keep: 31 },
      publicKey: changed(good.publicKey, { keep: 31 })
    },
    {
      reason: 'signature-length',
      change: { append: '00' },
      signature: changed(good.signature, { append: '00' })
    },
    { reason: 'signature', change: { at: 0, xor: 1 }, value: changed(value, { at: 0, xor: 1 }) },
    { reason: 'signature', extendedBy: 600, expiry: good.expiry + 600 },
    {
      reason: 'signature',
      change: { at: 63, xor: 1 },
      signature: changed(good.signature, { at: 63, xor: 1 })
    }
  ]
  return cases.map((bad) => {
    const claim = { ...good, ...bad }
    if (verifyOwnership(bad.key ?? key, bad.value ?? value, claim, bad.now ?? moment))
      throw new Error('a bad put was accepted')
    const entries = Object.entries<unknown>({ ...bad }).map(([name, entry]) => [
      name,
      entry instanceof Uint8Array ? hex(entry) : entry
    ])
    const vector: object = Object.fromEntries(entries)
    return vector
  })
}

interface BadPut extends Partial<Ownership> {
  readonly reason: string
  readonly now?: number
  readonly epoch?: number
  readonly extendedBy?: number
  readonly change?: object
  readonly key?: Uint8Array
  readonly value?: Uint8Array
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

export function signaturesFile(): object {
  const seed = testSecret('signature')
  const signer = signingKeyFromSeed(seed)
  const message = utf8('hushlamp test vector')
  const signature = signer.sign(message)
  const forged = `01${'00'.repeat(63)}`
  const rejected = [
    ...smallOrderSigningKeys.map((publicKey) => ({
      reason: 'small-order',
      publicKey,
      signature: forged
    })),
    { reason: 'scalar', publicKey: hex(signer.publicKey), signature: hex(plusOrder(signature)) },
    {
      reason: 'key-length',
      publicKey: hex(signer.publicKey.subarray(0, 31)),
      signature: hex(signature)
    },
    {
      reason: 'signature-length',
      publicKey: hex(signer.publicKey),
      signature: hex(signature.subarray(0, 63))
    }
  ]
  for (const bad of rejected)
    if (verifySignature(bytesOf(bad.publicKey), message, bytesOf(bad.signature)))
      throw new Error('a bad signature was accepted')
  return {
    message: hex(message),
    seed: hex(seed),
    publicKey: hex(signer.publicKey),
    signature: hex(signature),
    rejected
  }
}

function bytesOf(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The same signature with S + L in place of S: RFC 8032 §5.1.7 requires S < L. */
function plusOrder(signature: Uint8Array): Uint8Array {
  let scalar = groupOrder
  for (let i = 63; i >= 32; i--) scalar += BigInt(signature[i] ?? 0) << BigInt(8 * (i - 32))
  return signature.map((byte, i) =>
    i < 32 ? byte : Number((scalar >> BigInt(8 * (i - 32))) & 255n)
  )
}
