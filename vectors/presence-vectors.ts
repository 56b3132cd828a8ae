import {
  concat,
  derivePairKeys,
  epochAt,
  epochEnd,
  epochIsAcceptable,
  epochOverlapSeconds,
  epochSeconds,
  epochStart,
  epochsToLookUp,
  epochsToPublish,
  hex,
  hkdf,
  hmac,
  identityBytes,
  lengthPrefixed,
  maxIssuedAheadSeconds,
  openRecord,
  pairKeysOf,
  sealRecord,
  utf8
} from '@hushlamp/shared'
import type { EpochKeys, Identity, PresenceRecord } from '@hushlamp/shared'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import { sivSeal } from './aes-siv.ts'
import {
  alice,
  bob,
  bobToAlice,
  carol,
  changed,
  epochVector,
  identityVector,
  moment,
  mustExist,
  mustNotExist,
  onionKey
} from './inputs.ts'
import type { Change } from './inputs.ts'

const pairLabel = 'hushlamp/v1/pair'
const recordLabel = 'hushlamp/v1/record'

function uint(bytes: number, value: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex'))
}

// ---- pair keys ----------------------------------------------------------------------------------------------------

/** Keys of one epoch with everything between the root and them. */
function derivedEpoch(pairRoot: Uint8Array, epoch: number, offsetSeconds: number): object {
  const input = lengthPrefixed('epoch', uint(8, epoch))
  const epochKey = hmac(pairRoot, input)
  return {
    startsAt: epochStart(epoch, offsetSeconds),
    epochInput: hex(input),
    epochKey: hex(epochKey),
    ownerSeed: hex(hmac(epochKey, utf8('owner'))),
    ...epochVector(pairKeysOf(pairRoot).epochKeys(epoch))
  }
}

function derivedRoot(pairRoot: Uint8Array, epochs: readonly number[]): object {
  const { offsetSeconds } = pairKeysOf(pairRoot)
  return {
    pairRoot: hex(pairRoot),
    offsetMac: hex(hmac(pairRoot, utf8('offset'))),
    offsetSeconds,
    epochs: epochs.map((epoch) => derivedEpoch(pairRoot, epoch, offsetSeconds))
  }
}

function pairCase(publisher: string, reader: string, inviteSecret: Uint8Array): object {
  const own = testIdentity(publisher)
  const peer = testIdentity(reader)
  const shared = mustExist(own.agreement.agree(peer.presenceKey))
  const info = lengthPrefixed(identityBytes(own), identityBytes(peer))
  const pairRoot = hkdf(concat(shared, inviteSecret), utf8(pairLabel), info)
  const pair = mustExist(derivePairKeys(own, peer, 'own-to-peer', inviteSecret))
  const epoch = epochAt(moment, pair.offsetSeconds)
  return {
    publisher,
    reader,
    inviteSecret: hex(inviteSecret),
    sharedSecret: hex(shared),
    info: hex(info),
    ...derivedRoot(pairRoot, [epoch - 1, epoch, epoch + 1])
  }
}

/** u-coordinates under which every X25519 secret gives zero: RFC 7748 §6.1 and the encodings of p, p ± 1. */
const smallOrderPresenceKeys = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]

export function pairKeysFile(): object {
  const refused = [
    ...smallOrderPresenceKeys.map((presenceKey) => ({ reason: 'small-order', presenceKey })),
    { reason: 'length', presenceKey: hex(bob.presenceKey.subarray(0, 31)) }
  ]
  for (const { presenceKey } of refused) {
    const peer = { ...bob, presenceKey: new Uint8Array(Buffer.from(presenceKey, 'hex')) }
    mustNotExist(derivePairKeys(alice, peer, 'own-to-peer'))
  }
  return {
    label: pairLabel,
    identities: ['alice', 'bob', 'carol'].map(identityVector),
    cases: [
      pairCase('bob', 'alice', new Uint8Array(0)),
      pairCase('alice', 'bob', new Uint8Array(0)),
      pairCase('bob', 'alice', testSecret('invite'))
    ],
    fromRoot: derivedRoot(testSecret('root'), [0, 1, 2 ** 38]),
    rejected: refused
  }
}

// ---- epochs -------------------------------------------------------------------------------------------------------

/** Every second of an epoch in which something changes, with what holds from then on. */
function epochCase(offsetSeconds: number, epoch: number, leadSeconds: number): object {
  const rowAt = (now: number): { from: number; publish: number[]; lookUp: number[] } => ({
    from: now,
    publish: [...epochsToPublish(now, offsetSeconds, leadSeconds)],
    lookUp: [...epochsToLookUp(now, offsetSeconds)]
  })
  const start = epochStart(epoch, offsetSeconds)
  const end = epochEnd(epoch, offsetSeconds)
  const state = (now: number): string => JSON.stringify({ ...rowAt(now), from: 0 })
  const seconds = Array.from({ length: end - start }, (_, second) => start + second)
  return {
    offsetSeconds,
    epoch,
    leadSeconds,
    startsAt: start,
    endsAt: end,
    acceptableFrom: mustExist(
      Array.from(
        { length: 2 * epochOverlapSeconds },
        (_, i) => start - 2 * epochOverlapSeconds + i
      ).find((now) => epochIsAcceptable(epoch, offsetSeconds, now))
    ),
    acceptableUntil: mustExist(
      Array.from({ length: 2 * epochOverlapSeconds }, (_, i) => end + i).find(
        (now) => !epochIsAcceptable(epoch, offsetSeconds, now)
      )
    ),
    changes: seconds.filter((now) => now === start || state(now) !== state(now - 1)).map(rowAt)
  }
}

export function epochsFile(): object {
  return {
    epochSeconds,
    cases: [
      epochCase(0, 125_000, 1_800),
      epochCase(1_445, 125_000, 4_500),
      epochCase(14_399, 125_001, 3_000)
    ]
  }
}

// ---- records ------------------------------------------------------------------------------------------------------

type Content = Omit<PresenceRecord, 'onionKey'>

function metadataOf(version: number, content: Content, reserved = 0): Uint8Array {
  return concat(
    Uint8Array.of(version, content.flags, content.device, content.capabilities),
    uint(4, content.issued),
    uint(2, content.sequence),
    uint(2, content.ttlMinutes),
    uint(4, reserved)
  )
}

/** Every step of sealing, so that bad contents can be sealed as well as good ones. */
function sealing(
  metadata: Uint8Array,
  { signer = bob, reader = alice, keys = bobToAlice() }: Partial<SealingInit> = {}
): { readonly steps: object; readonly record: Uint8Array } {
  const signatureInput = lengthPrefixed(
    recordLabel,
    identityBytes(bob),
    identityBytes(reader),
    uint(8, keys.epoch),
    keys.registryKey,
    metadata,
    onionKey
  )
  const signature = signer.signing.sign(signatureInput)
  const plaintext = concat(metadata, onionKey, signature)
  const record = sivSeal(keys.sivKey, keys.registryKey, plaintext)
  const steps = {
    metadata: hex(metadata),
    signatureInput: hex(signatureInput),
    signature: hex(signature),
    plaintext: hex(plaintext),
    record: hex(record)
  }
  return { steps, record }
}

interface SealingInit {
  readonly signer: Identity
  readonly reader: Identity
  readonly keys: EpochKeys
}

export function recordFile(): object {
  const keys = bobToAlice()
  const context = { publisher: bob, reader: alice, keys }
  const plain = {
    issued: moment,
    sequence: 0,
    ttlMinutes: 360,
    flags: 0,
    device: 0,
    capabilities: 0
  }
  const full = {
    issued: moment + 7,
    sequence: 65_535,
    ttlMinutes: 1,
    flags: 1,
    device: 2,
    capabilities: 255
  }
  const base = sealRecord({ ...plain, onionKey }, context)
  const good = [plain, full].map((content) => {
    const { steps, record } = sealing(metadataOf(1, content))
    if (hex(record) !== hex(sealRecord({ ...content, onionKey }, context)))
      throw new Error('the steps do not lead to the record')
    const acceptedFrom = content.issued - maxIssuedAheadSeconds
    const refusedFrom = content.issued + content.ttlMinutes * 60
    mustExist(openRecord(record, context, acceptedFrom))
    mustExist(openRecord(record, context, refusedFrom - 1))
    return { ...content, ...steps, acceptedFrom, refusedFrom }
  })
  return {
    label: recordLabel,
    publisher: 'bob',
    reader: 'alice',
    epochKeys: epochVector(keys),
    associatedData: hex(keys.registryKey),
    onionKey: hex(onionKey),
    cases: good,
    rejected: [...damaged(base), ...untimely(base, plain), ...wrongInside(plain)].map(
      ({ record, now = moment, ...rest }) => {
        mustNotExist(openRecord(record, context, now))
        return { ...rest, ...(now === moment ? {} : { now }), record: hex(record) }
      }
    )
  }
}

interface BadRecord {
  readonly reason: string
  readonly record: Uint8Array
  readonly now?: number
}

function damaged(base: Uint8Array): BadRecord[] {
  const changes: readonly [string, Change][] = [
    ['length', { keep: 127 }],
    ['length', { append: '00' }],
    ['check', { at: 0, xor: 1 }],
    ['check', { at: 16, xor: 128 }],
    ['check', { at: 127, xor: 1 }]
  ]
  const { epoch } = bobToAlice()
  const neighbour = mustExist(derivePairKeys(bob, alice, 'own-to-peer')).epochKeys(epoch + 1)
  const plain = {
    issued: moment,
    sequence: 0,
    ttlMinutes: 360,
    flags: 0,
    device: 0,
    capabilities: 0
  }
  return [
    ...changes.map(([reason, change]) => ({ reason, change, record: changed(base, change) })),
    {
      reason: 'check',
      sealedForEpoch: epoch + 1,
      record: sealing(metadataOf(1, plain), { keys: neighbour }).record
    } as BadRecord
  ]
}

function untimely(base: Uint8Array, { issued, ttlMinutes }: Content): BadRecord[] {
  return [
    { reason: 'issued-ahead', now: issued - maxIssuedAheadSeconds - 1, record: base },
    { reason: 'expired', now: issued + ttlMinutes * 60, record: base }
  ]
}

function wrongInside(plain: Content): BadRecord[] {
  const cases = [
    { reason: 'version', metadata: metadataOf(2, plain), signer: 'bob', reader: 'alice' },
    { reason: 'version', metadata: metadataOf(0, plain), signer: 'bob', reader: 'alice' },
    { reason: 'reserved', metadata: metadataOf(1, plain, 1), signer: 'bob', reader: 'alice' },
    { reason: 'signature', metadata: metadataOf(1, plain), signer: 'alice', reader: 'alice' },
    { reason: 'signature', metadata: metadataOf(1, plain), signer: 'bob', reader: 'carol' }
  ]
  const people: Readonly<Record<string, Identity>> = { alice, bob, carol }
  return cases.map(({ reason, metadata, signer, reader }) => {
    const { steps, record } = sealing(metadata, {
      signer: mustExist(people[signer]),
      reader: mustExist(people[reader])
    })
    return { reason, signer, signedFor: reader, ...steps, record }
  })
}
