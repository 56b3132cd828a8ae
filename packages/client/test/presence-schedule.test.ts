import { epochAt, epochEnd, epochSeconds } from '@hushlamp/shared'
import { seededRandom } from '@hushlamp/shared/test-inputs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { PresenceSchedule, maxInFlight } from '../src/presence/presence-schedule.ts'
import type { ScheduleEffect, ScheduleEvent } from '../src/presence/presence-schedule.ts'

const start = 1_800_000_000
const offsets = { putOffsetSeconds: 1_000, getOffsetSeconds: 5_000 }

/** A schedule on a clock that goes only when told, with a registry that answers at once. */
class Simulation {
  now = start
  readonly schedule: PresenceSchedule<string>
  readonly log: (ScheduleEffect<string> & { at: number })[] = []
  answer: (effect: ScheduleEffect<string>) => ScheduleEvent<string> | undefined = acknowledge

  constructor(seed = 'schedule') {
    this.schedule = new PresenceSchedule({ random: seededRandom(seed) })
  }

  tell(event: ScheduleEvent<string>): void {
    const todo = [...this.schedule.step(event, this.now)]
    for (let effect = todo.shift(); effect; effect = todo.shift()) {
      this.log.push({ ...effect, at: this.now })
      const answer = this.answer(effect)
      if (answer) todo.push(...this.schedule.step(answer, this.now))
    }
  }

  run(seconds: number): void {
    const end = this.now + seconds
    while (this.now < end) {
      this.now = Math.min(end, this.schedule.wakeAt(this.now))
      this.tell({ type: 'tick' })
    }
  }

  of(type: 'put' | 'get'): (ScheduleEffect<string> & { at: number })[] {
    return this.log.filter((effect) => effect.type === type)
  }
}

function acknowledge({ type, contact, epoch }: ScheduleEffect<string>): ScheduleEvent<string> {
  return type === 'put'
    ? { type: 'put-done', contact, epoch, acknowledged: true }
    : { type: 'get-done', contact, epoch, outcome: 'missing' }
}

function withContact(seed?: string): Simulation {
  const simulation = new Simulation(seed)
  simulation.tell({ type: 'contact-added', contact: 'bob', ...offsets })
  return simulation
}

describe('The schedule', () => {
  test('does nothing before our own onion service can be reached', () => {
    const simulation = withContact()
    simulation.run(3_600)
    expect(simulation.log).toEqual([])
  })

  test('puts before it looks', () => {
    const simulation = withContact()
    simulation.tell({ type: 'reachable' })
    expect(simulation.log.map(({ type }) => type)).toEqual(['put', 'get'])
    expect(simulation.log[0]?.epoch).toBe(epochAt(start, offsets.putOffsetSeconds))
    expect(simulation.log[1]?.epoch).toBe(epochAt(start, offsets.getOffsetSeconds))
  })

  test('looks also after a refused put, and once more after the put is acknowledged', () => {
    const simulation = withContact()
    let refusals = 1
    simulation.answer = (effect) =>
      effect.type === 'put' && refusals-- > 0
        ? { ...effect, type: 'put-done', acknowledged: false }
        : acknowledge(effect)
    simulation.tell({ type: 'reachable' })
    expect(simulation.log.map(({ type }) => type)).toEqual(['put', 'get'])
    simulation.run(60)
    expect(simulation.log.map(({ type }) => type)).toEqual(['put', 'get', 'put', 'get'])
  })

  test('publishes the next epoch 75 to 30 minutes early, at another moment for each pair', () => {
    const leads = new Set<number>()
    for (let pair = 0; pair < 20; pair++) {
      const simulation = withContact(`pair ${pair}`)
      simulation.tell({ type: 'reachable' })
      const next = epochAt(start, offsets.putOffsetSeconds) + 1
      simulation.run(epochEnd(next - 1, offsets.putOffsetSeconds) - start)
      const early = simulation.of('put').find(({ epoch }) => epoch === next)
      const lead = epochEnd(next - 1, offsets.putOffsetSeconds) - (early?.at ?? 0)
      expect(lead).toBeGreaterThanOrEqual(1_800 - 60)
      expect(lead).toBeLessThanOrEqual(4_500)
      leads.add(lead)
    }
    expect(leads.size).toBeGreaterThan(10)
  })

  test('renews a record once in an epoch, and looks an absent contact up once more', () => {
    const simulation = withContact()
    simulation.tell({ type: 'reachable' })
    simulation.run(10 * epochSeconds)
    const days = 10
    const puts = simulation.of('put').length
    expect(puts).toBeGreaterThanOrEqual(days + 1)
    expect(puts).toBeLessThanOrEqual(2 * days + 4)
    const gets = simulation.of('get').length
    expect(gets).toBeGreaterThanOrEqual(days)
    expect(gets).toBeLessThanOrEqual(5 * days)
  })

  test('does not look for a contact that is linked, and does again when the link is lost', () => {
    const simulation = withContact()
    simulation.tell({ type: 'reachable' })
    simulation.tell({ type: 'linked', contact: 'bob' })
    const before = simulation.of('get').length
    simulation.run(2 * epochSeconds)
    expect(simulation.of('get')).toHaveLength(before)
    simulation.tell({ type: 'unlinked', contact: 'bob', lost: true })
    simulation.run(30)
    expect(simulation.of('get')).toHaveLength(before + 1)
  })

  test('waits to be called after the contact has logged out', () => {
    const simulation = withContact()
    simulation.tell({ type: 'reachable' })
    simulation.tell({ type: 'linked', contact: 'bob' })
    const before = simulation.of('get').length
    simulation.tell({ type: 'unlinked', contact: 'bob', lost: false })
    simulation.run(300)
    expect(simulation.of('get').length - before).toBeLessThanOrEqual(1)
  })

  test('tries a failing registry again after growing pauses, for ever', () => {
    const simulation = withContact()
    simulation.answer = (effect) =>
      effect.type === 'put'
        ? { ...effect, type: 'put-done', acknowledged: false }
        : { ...effect, type: 'get-done', outcome: 'failed' }
    simulation.tell({ type: 'reachable' })
    simulation.run(3_600)
    const puts = simulation.of('put')
    expect(puts.length).toBeGreaterThan(8)
    expect(puts.length).toBeLessThan(30)
    simulation.answer = acknowledge
    simulation.run(900)
    expect(simulation.of('get').at(-1)?.at).toBeGreaterThan(start + 3_600)
  })

  test('never has more operations in flight than it may', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.string(), (contacts, seed) => {
        const simulation = new Simulation(seed)
        const open: ScheduleEffect<string>[] = []
        simulation.answer = (effect) => {
          open.push(effect)
          expect(open.length).toBeLessThanOrEqual(maxInFlight)
          return undefined
        }
        for (let n = 0; n < contacts; n++)
          simulation.tell({ type: 'contact-added', contact: `c${n}`, ...offsets })
        simulation.tell({ type: 'reachable' })
        const asked = new Set<string>()
        for (let effect = open.shift(); effect; effect = open.shift()) {
          asked.add(`${effect.type} ${effect.contact}`)
          simulation.tell(acknowledge(effect))
        }
        expect(asked.size).toBe(2 * contacts)
      }),
      { numRuns: 40 }
    )
  })

  test('survives a clock that jumps, and catches up without a burst for one contact', () => {
    const simulation = withContact()
    simulation.tell({ type: 'reachable' })
    for (const jump of [36 * 3_600, -36 * 3_600, 3 * epochSeconds]) {
      const before = simulation.log.length
      simulation.now += jump
      simulation.tell({ type: 'tick' })
      expect(simulation.log.length - before).toBeLessThanOrEqual(6)
      simulation.run(600)
      const epoch = epochAt(simulation.now, offsets.putOffsetSeconds)
      expect(simulation.of('put').some((put) => put.epoch === epoch)).toBe(true)
    }
  })
})
