import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  compareRecords,
  derivePairKeys,
  earlyPublication,
  epochAt,
  epochEnd,
  epochIsAcceptable,
  epochOverlapSeconds,
  epochSeconds,
  epochStart,
  epochsToLookUp,
  epochsToPublish,
  hex,
  maxIssuedAheadSeconds,
  nextIssued,
  openRecord,
  recordBytes,
  sealRecord
} from '@hushlamp/shared'
import type { Direction, EpochKeys, Identity, PresenceRecord } from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

const alice = testIdentity('alice')
const bob = testIdentity('bob')
const carol = testIdentity('carol')
const now = 1_800_000_000

function keysOf(own: Identity, peer: Identity, direction: Direction, at = now): EpochKeys {
  const pair = derivePairKeys(own, peer, direction)
  if (!pair) throw new Error('unusable test key')
  return pair.epochKeys(epochAt(at, pair.offsetSeconds))
}

const content: PresenceRecord = {
  onionKey: testSecret('onion'),
  issued: now,
  sequence: 3,
  ttlMinutes: 360,
  flags: 0,
  device: 0,
  capabilities: 0
}

describe('Pair keys', () => {
  test('are the same on both sides of a direction', () => {
    expect(keysOf(bob, alice, 'own-to-peer').registryKey).toEqual(
      keysOf(alice, bob, 'peer-to-own').registryKey
    )
  })

  test('differ between the two directions, the pairs and the epochs', () => {
    const keys = [
      keysOf(bob, alice, 'own-to-peer'),
      keysOf(bob, alice, 'peer-to-own'),
      keysOf(bob, carol, 'own-to-peer'),
      keysOf(bob, alice, 'own-to-peer', now + epochSeconds)
    ].map((each) => hex(each.registryKey))
    expect(new Set(keys).size).toBe(4)
  })

  test('change completely with an invite secret', () => {
    const plain = derivePairKeys(bob, alice, 'own-to-peer')
    const invited = derivePairKeys(bob, alice, 'own-to-peer', testSecret('invite'))
    expect(invited?.epochKeys(1).registryKey).not.toEqual(plain?.epochKeys(1).registryKey)
  })

  test.each([new Uint8Array(32), new Uint8Array([1, ...new Uint8Array(31)]), new Uint8Array(31)])(
    'cannot be derived with an unusable presence key (%#)',
    (presenceKey) => {
      expect(derivePairKeys(bob, { ...alice, presenceKey }, 'own-to-peer')).toBeUndefined()
    }
  )
})

describe('Epochs', () => {
  const anyOffset = fc.integer({ min: 0, max: epochSeconds - 1 })
  const anyTime = fc.integer({ min: 1_700_000_000, max: 2_000_000_000 })

  test('contain the moment that they were computed for', () => {
    fc.assert(
      fc.property(anyTime, anyOffset, (time, offset) => {
        const epoch = epochAt(time, offset)
        expect(epochStart(epoch, offset)).toBeLessThanOrEqual(time)
        expect(epochEnd(epoch, offset)).toBeGreaterThan(time)
        expect(epochIsAcceptable(epoch, offset, time)).toBe(true)
      })
    )
  })

  test('let two clocks that are ten minutes off in any direction always meet', () => {
    const skew = fc.integer({ min: -600, max: 600 })
    const lead = fc.integer({
      min: earlyPublication.untilSeconds,
      max: earlyPublication.fromSeconds
    })
    fc.assert(
      fc.property(anyTime, anyOffset, skew, skew, lead, (time, offset, a, b, leadSeconds) => {
        const published = epochsToPublish(time + a, offset, leadSeconds)
        const lookedUp = epochsToLookUp(time + b, offset)
        expect(lookedUp.some((epoch) => published.includes(epoch))).toBe(true)
      })
    )
  })

  test('end their validity half an hour after their last second', () => {
    const end = epochEnd(7, 100)
    expect(epochIsAcceptable(7, 100, end + epochOverlapSeconds - 1)).toBe(true)
    expect(epochIsAcceptable(7, 100, end + epochOverlapSeconds)).toBe(false)
  })
})

describe('A presence record', () => {
  const keys = keysOf(bob, alice, 'own-to-peer')
  const context = { publisher: bob, reader: alice, keys }
  const record = sealRecord(content, context)

  test('has exactly 1024 bits and opens to what was sealed', () => {
    expect(record).toHaveLength(recordBytes)
    expect(openRecord(record, context, now)).toEqual(content)
  })

  test('does not open with any single bit flipped', () => {
    for (let bit = 0; bit < record.length * 8; bit++) {
      const damaged = record.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(openRecord(damaged, context, now)).toBeUndefined()
    }
  })

  test('does not open for another reader, publisher, direction or epoch', () => {
    const others = [
      { ...context, reader: carol },
      { ...context, publisher: carol },
      { ...context, keys: keysOf(bob, alice, 'peer-to-own') },
      { ...context, keys: keysOf(bob, alice, 'own-to-peer', now + epochSeconds) }
    ]
    for (const other of others) expect(openRecord(record, other, now)).toBeUndefined()
  })

  test('signed by somebody else who knows the pair keys is refused', () => {
    const forged = sealRecord(content, {
      ...context,
      publisher: { ...bob, signing: carol.signing }
    })
    expect(openRecord(forged, context, now)).toBeUndefined()
  })

  test('is ignored when it is issued too far ahead, and after it has expired', () => {
    expect(openRecord(record, context, now - maxIssuedAheadSeconds)).toEqual(content)
    expect(openRecord(record, context, now - maxIssuedAheadSeconds - 1)).toBeUndefined()
    const expiry = now + content.ttlMinutes * 60
    expect(openRecord(record, context, expiry - 1)).toEqual(content)
    expect(openRecord(record, context, expiry)).toBeUndefined()
  })

  test('of any other length or content is simply not one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(openRecord(bytes, context, now)).toBeUndefined()
      })
    )
  })

  test('has bits that are set about as often as not', () => {
    const samples = 1_000
    const random = seededRandom('records')
    const ones = new Uint32Array(recordBytes * 8)
    for (let i = 0; i < samples; i++) {
      const sealed = sealRecord({ ...content, onionKey: random.bytes(32), sequence: i }, context)
      for (let bit = 0; bit < ones.length; bit++)
        ones[bit] = (ones[bit] ?? 0) + (((sealed[bit >> 3] ?? 0) >> (bit & 7)) & 1)
    }
    const deviation = Math.sqrt(samples) / 2
    const worst = Math.max(...Array.from(ones, (n) => Math.abs(n - samples / 2) / deviation))
    expect(worst).toBeLessThan(5)
  })
})

describe('The order of records', () => {
  test('follows issued, then sequence', () => {
    const a = { issued: 5, sequence: 1 }
    expect(compareRecords({ issued: 6, sequence: 0 }, a)).toBeGreaterThan(0)
    expect(compareRecords({ issued: 5, sequence: 2 }, a)).toBeGreaterThan(0)
    expect(compareRecords(a, a)).toBe(0)
  })

  test('goes on when the clock goes back', () => {
    expect(nextIssued(100, undefined)).toBe(100)
    expect(nextIssued(100, 50)).toBe(100)
    expect(nextIssued(100, 100)).toBe(101)
    expect(nextIssued(40, 100)).toBe(101)
  })
})
