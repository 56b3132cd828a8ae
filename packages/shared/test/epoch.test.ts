import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  admits,
  earlyPublication,
  epochSeconds,
  maxIssuedAheadSeconds,
  recordTtlSeconds
} from '@hushlamp/shared'

import { EpochWorld, tickSeconds } from './epoch-world.ts'

const hour = 3_600
const day = 24 * hour
const lookUpEvery = 11 * 60
const fraction = fc.double({ min: 0, max: 1, noNaN: true })
const smallSkew = fc.integer({ min: -600, max: 600 })
const anySkew = fc.integer({ min: -36 * hour, max: 36 * hour })

/** Something that happens after a while. */
const incident = fc.record({
  afterSeconds: fc.integer({ min: 0, max: 8 * hour }),
  what: fc.oneof(
    fc.record({
      type: fc.constant('jump' as const),
      side: fc.constantFrom('publisher' as const, 'reader' as const),
      seconds: anySkew
    }),
    fc.record({ type: fc.constantFrom('suspend' as const, 'resume' as const) })
  )
})

type Incident = typeof incident extends fc.Arbitrary<infer I> ? I : never

function play(world: EpochWorld, incidents: readonly Incident[]): void {
  for (const { afterSeconds, what } of incidents) {
    world.pass(afterSeconds, lookUpEvery)
    if (what.type === 'jump') world.jump(what.side, what.seconds)
    else if (what.type === 'suspend') world.suspend()
    else world.resume()
  }
  world.pass(4 * hour, lookUpEvery)
}

describe('A publisher and a reader', () => {
  test('whose clocks are within ten minutes of the truth always meet while the publisher is awake', () => {
    const sleep = fc.record({
      afterSeconds: fc.integer({ min: 0, max: 9 * hour }),
      what: fc.record({ type: fc.constantFrom('suspend' as const, 'resume' as const) })
    })
    fc.assert(
      fc.property(
        smallSkew,
        smallSkew,
        fraction,
        fc.array(sleep, { maxLength: 6 }),
        (publisherSkewSeconds, readerSkewSeconds, where, sleeps) => {
          const world = new EpochWorld({ publisherSkewSeconds, readerSkewSeconds, fraction: where })
          play(world, sleeps)
          const missed = world.lookUps.filter(
            ({ found, publisherAwakeSeconds = 0 }) => !found && publisherAwakeSeconds > tickSeconds
          )
          expect(missed).toEqual([])
        }
      ),
      { numRuns: 40 }
    )
  })

  test('believe nothing of each other when their clocks are further apart than a record lives', () => {
    const apart = fc.integer({
      min: recordTtlSeconds + maxIssuedAheadSeconds + 1,
      max: 72 * hour
    })
    fc.assert(
      fc.property(apart, fc.boolean(), fraction, (seconds, ahead, where) => {
        const world = new EpochWorld({
          publisherSkewSeconds: ahead ? seconds : 0,
          readerSkewSeconds: ahead ? 0 : seconds,
          fraction: where
        })
        world.pass(day, lookUpEvery)
        expect(world.lookUps.filter(({ found }) => found)).toEqual([])
      }),
      { numRuns: 15 }
    )
  })

  test('meet again when a clock that was wrong has been set right, after an epoch at most', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('publisher' as const, 'reader' as const),
        anySkew,
        fc.integer({ min: 60, max: 6 * hour }),
        fraction,
        (side, seconds, wrongFor, where) => {
          const world = new EpochWorld({
            publisherSkewSeconds: 0,
            readerSkewSeconds: 0,
            fraction: where
          })
          world.jump(side, seconds)
          world.pass(wrongFor, lookUpEvery)
          world.jump(side, -seconds)
          world.pass(Math.abs(seconds) + wrongFor + 2 * epochSeconds, lookUpEvery)
          expect(world.lookUps.at(-1)?.found).toBeDefined()
        }
      ),
      { numRuns: 20 }
    )
  })
})

describe('Whatever clocks, sleep and a lying registry do', () => {
  const anything = fc.record({
    publisherSkewSeconds: anySkew,
    readerSkewSeconds: anySkew,
    fraction,
    incidents: fc.array(incident, { maxLength: 6 }),
    seed: fc.nat()
  })
  const histories = fc.sample(anything, { numRuns: 40, seed: 1 }).map(({ incidents, ...init }) => {
    // Leaves out values in a way that differs from look-up to look-up: old records come back.
    const returns = (lookUp: number, value: number): boolean =>
      ((lookUp * 2_654_435_761 + value * 40_503 + init.seed) >>> 7) % 3 !== 0
    const world = new EpochWorld({ ...init, returns })
    play(world, incidents)
    return world
  })

  test('a record is believed only in its time, and only if it was put for that epoch', () => {
    for (const { lookUps, puts } of histories) {
      for (const { found, readerNow } of lookUps) {
        if (!found) continue
        const { epoch, record } = found
        expect(record.issued).toBeLessThanOrEqual(readerNow + maxIssuedAheadSeconds)
        expect(record.issued + record.ttlMinutes * 60).toBeGreaterThan(readerNow)
        expect(puts).toContainEqual(expect.objectContaining({ epoch, issued: record.issued }))
      }
    }
    expect(histories.some(({ lookUps }) => lookUps.some(({ found }) => found))).toBe(true)
  })

  test('what is believed in an epoch never gets older', () => {
    for (const { lookUps } of histories) {
      const newest = new Map<number, number>()
      for (const { found } of lookUps) {
        if (!found) continue
        const { epoch, record } = found
        expect(record.issued).toBeGreaterThanOrEqual(newest.get(epoch) ?? 0)
        newest.set(epoch, record.issued)
      }
    }
  })

  test('the time of issue grows with every record of an epoch', () => {
    for (const { puts } of histories) {
      const last = new Map<number, number>()
      for (const { epoch, issued } of puts) {
        expect(issued).toBeGreaterThan(last.get(epoch) ?? 0)
        last.set(epoch, issued)
      }
    }
  })

  test('every epoch has one registry key, and every key one epoch', () => {
    const byEpoch = new Map<number, string>()
    const byKey = new Map<string, number>()
    for (const { epoch, registryKey } of histories.flatMap(({ puts }) => puts)) {
      expect(byEpoch.get(epoch) ?? registryKey).toBe(registryKey)
      expect(byKey.get(registryKey) ?? epoch).toBe(epoch)
      byEpoch.set(epoch, registryKey)
      byKey.set(registryKey, epoch)
    }
    expect(byEpoch.size).toBeGreaterThan(20)
  })

  test('no record is put earlier than the window before its epoch', () => {
    for (const { secondsBeforeEpoch } of histories.flatMap(({ puts }) => puts))
      expect(secondsBeforeEpoch).toBeLessThanOrEqual(earlyPublication.fromSeconds)
  })
})

describe('A publisher that is awake', () => {
  test('puts the record of the next epoch within the window before it', () => {
    fc.assert(
      fc.property(anySkew, fraction, (publisherSkewSeconds, where) => {
        const world = new EpochWorld({
          publisherSkewSeconds,
          readerSkewSeconds: 0,
          fraction: where
        })
        world.pass(2 * day, day)
        const firstPuts = new Map(world.puts.toReversed().map((put) => [put.epoch, put]))
        const [first = 0] = [...firstPuts.keys()].sort((a, b) => a - b)
        for (const [epoch, { secondsBeforeEpoch }] of firstPuts) {
          if (epoch <= first + 1) continue
          expect(secondsBeforeEpoch).toBeLessThanOrEqual(earlyPublication.fromSeconds)
          expect(secondsBeforeEpoch).toBeGreaterThan(
            earlyPublication.untilSeconds - tickSeconds - 1
          )
        }
      }),
      { numRuns: 10 }
    )
  })
})

describe('A reader', () => {
  test('believes the first record, newer ones and the same again, but none that is older', () => {
    const seen = { issued: 5, sequence: 2 }
    expect(admits(undefined, seen)).toBe(true)
    expect(admits(seen, seen)).toBe(true)
    expect(admits(seen, { issued: 5, sequence: 3 })).toBe(true)
    expect(admits(seen, { issued: 5, sequence: 1 })).toBe(false)
    expect(admits(seen, { issued: 4, sequence: 9 })).toBe(false)
  })
})
