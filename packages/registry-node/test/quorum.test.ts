import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { writeCode, writePolicy } from '../src/overlay/policies.ts'
import type { StoreAnswer } from '../src/overlay/policies.ts'
import { QuorumMachine } from '../src/overlay/quorum.ts'
import type { Candidate, QuorumEffect, QuorumOutcome, QuorumPolicy } from '../src/overlay/quorum.ts'

const candidate = (n: number, proven = true): Candidate => ({
  id: `node ${n}`,
  distance: Uint8Array.of(n),
  proven
})
const nodes = (count: number): Candidate[] => Array.from({ length: count }, (_, n) => candidate(n))
const ok: StoreAnswer = [0]
const full: StoreAnswer = [1]

/** Is content with nothing but an answer of everybody. */
const askingAll: QuorumPolicy<StoreAnswer> = {
  persist: true,
  width: () => 8,
  enough: () => false
}

function machine(policy: QuorumPolicy<StoreAnswer> = writePolicy) {
  const quorum = new QuorumMachine(policy)
  const asked: string[] = []
  let outcome: QuorumOutcome<StoreAnswer> | undefined
  let done = 0
  const take = (effects: readonly QuorumEffect<StoreAnswer>[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'ask') asked.push(effect.id)
      else {
        outcome = effect.outcome
        done++
      }
    }
  }
  return {
    asked,
    start: (candidates: Candidate[], lost: Candidate[] = []) =>
      take(quorum.step({ kind: 'start', candidates, lost })),
    answer: (id: string, answer = ok, closer: Candidate[] = []) =>
      take(quorum.step({ kind: 'answered', id, answer, closer })),
    fail: (id: string) => take(quorum.step({ kind: 'failed', id })),
    slow: (id: string) => take(quorum.step({ kind: 'slow', id })),
    deadline: () => take(quorum.step({ kind: 'deadline' })),
    get outcome() {
      return outcome
    },
    get code() {
      return outcome && writeCode(outcome)
    },
    get done() {
      return done
    },
    get over() {
      return quorum.over
    }
  }
}

describe('the quorum machine', () => {
  it('asks the eight closest nodes, the closest first', () => {
    const put = machine()
    put.start(nodes(12).toReversed())
    expect(put.asked).toEqual(nodes(8).map(({ id }) => id))
  })

  it('has enough with five acknowledgements, and waits for the rest all the same', () => {
    const put = machine()
    put.start(nodes(12))
    for (const n of [0, 1, 2, 3]) put.answer(`node ${n}`)
    expect(put.done).toBe(0)
    put.answer('node 4')
    expect(put.code).toBe(0)
    expect(put.over).toBe(false)
    for (const n of [5, 6, 7]) put.answer(`node ${n}`)
    expect(put.over).toBe(true)
    expect(put.done).toBe(1)
  })

  it('asks a closer node that an answer names', () => {
    const put = machine()
    put.start(nodes(12).slice(4))
    put.answer('node 4', ok, [candidate(0)])
    expect(put.asked).toContain('node 0')
  })

  it('goes on to the next node when one fails', () => {
    const put = machine()
    put.start(nodes(12))
    put.fail('node 3')
    expect(put.asked.at(-1)).toBe('node 8')
  })

  it('asks one more node when one is slow, and still counts the answer of the slow one', () => {
    const put = machine()
    put.start(nodes(12))
    put.slow('node 0')
    expect(put.asked.at(-1)).toBe('node 8')
    for (const n of [0, 1, 2, 3, 4]) put.answer(`node ${n}`)
    expect(put.code).toBe(0)
  })

  it('does not end while every node is slow', () => {
    const put = machine()
    put.start(nodes(3))
    put.answer('node 0')
    put.slow('node 1')
    put.slow('node 2')
    expect(put.done).toBe(0)
    put.answer('node 2')
    put.answer('node 1')
    expect(put.code).toBe(0)
  })

  it('does not wait for a slow node that is only hearsay', () => {
    const put = machine()
    put.start(nodes(2))
    put.answer('node 0', ok, [candidate(9, false)])
    put.answer('node 1')
    put.slow('node 9')
    expect(put.code).toBe(0)
    expect(put.over).toBe(true)
  })

  it('is content with all there are in a small network', () => {
    const put = machine()
    put.start(nodes(1))
    put.answer('node 0')
    expect(put.code).toBe(0)
  })

  it('says try again if it alone is left of a network', () => {
    const put = machine()
    put.start(nodes(8))
    for (const n of [1, 2, 3, 4, 5, 6, 7]) put.fail(`node ${n}`)
    put.answer('node 0')
    expect(put.code).toBe(2)
    const next = machine()
    next.start(nodes(1), nodes(8).slice(1))
    next.answer('node 0')
    expect(next.code).toBe(2)
  })

  it('does not let invented nodes make a put fail', () => {
    const put = machine()
    const invented = Array.from({ length: 8 }, (_, n) => ({
      ...candidate(n, false),
      id: `invented ${n}`
    }))
    put.start(
      nodes(9).map((node) => ({ ...node, distance: Uint8Array.of(100, node.distance[0] ?? 0) }))
    )
    put.answer('node 0', ok, invented)
    for (const { id } of invented) put.fail(id)
    for (const n of [1, 2, 3, 4]) put.answer(`node ${n}`)
    expect(put.code).toBe(0)
  })

  it('says over capacity if too few have room', () => {
    const put = machine()
    put.start(nodes(8))
    nodes(8).forEach(({ id }, n) => put.answer(id, n < 4 ? ok : full))
    expect(put.code).toBe(1)
  })

  it('ends at the deadline with what it has', () => {
    const put = machine()
    put.start(nodes(8))
    put.answer('node 0')
    put.deadline()
    expect(put.outcome?.answers).toEqual([ok])
    expect(put.code).toBe(2)
    expect(put.over).toBe(true)
  })

  it('asks a bounded number of nodes however many are named', () => {
    const repair = machine(askingAll)
    let n = 255
    repair.start([candidate(n)])
    for (const id of repair.asked) {
      const closer = Array.from({ length: 8 }, () => candidate(--n, false))
      repair.answer(id, ok, n > 8 ? closer : [])
    }
    expect(repair.asked.length).toBeLessThanOrEqual(24)
    expect(repair.over).toBe(true)
  })

  describe('of a get', () => {
    const [red, blue] = [['red'], ['blue']] as const
    /** Rows are texts here. */
    const reading: QuorumPolicy<readonly string[]> = {
      persist: false,
      width: (answers) => (new Set(answers.map((each) => each.join())).size > 1 ? 8 : 4),
      enough: (answers, alive) =>
        answers.length >= Math.min(4, alive) &&
        new Set(answers.map((each) => each.join())).size === 1
    }
    const get = (candidates: Candidate[]) => {
      const quorum = new QuorumMachine(reading)
      const asked: string[] = []
      let outcome: QuorumOutcome<readonly string[]> | undefined
      const take = (effects: readonly QuorumEffect<readonly string[]>[]): void => {
        for (const effect of effects) {
          if (effect.kind === 'ask') asked.push(effect.id)
          else outcome = effect.outcome
        }
      }
      take(quorum.step({ kind: 'start', candidates, lost: [] }))
      return {
        asked,
        step: (kind: 'failed' | 'slow', id: string) => take(quorum.step({ kind, id })),
        answer: (id: string, answer: readonly string[]) =>
          take(quorum.step({ kind: 'answered', id, answer, closer: [] })),
        outcome: () => outcome
      }
    }

    it('asks four, and itself before others that are as good', () => {
      const self = { ...candidate(6), local: true as const }
      const { asked } = get([...nodes(6), self, candidate(7), candidate(8)])
      expect(asked).toEqual(['node 6', 'node 0', 'node 1', 'node 2'])
    })

    it('is content with four that agree', () => {
      const { asked, answer, outcome } = get(nodes(12))
      for (const { id } of nodes(4)) answer(id, red)
      expect(asked).toHaveLength(4)
      expect(outcome()?.answers).toHaveLength(4)
    })

    it('asks all and waits for all where two differ', () => {
      const { asked, answer, outcome } = get(nodes(12))
      answer('node 0', red)
      answer('node 1', blue)
      expect(asked).toHaveLength(8)
      for (const id of asked.slice(2, 7)) answer(id, red)
      expect(outcome()).toBeUndefined()
      answer('node 7', red)
      expect(outcome()?.answers).toHaveLength(8)
    })

    it('asks one more for each that fails or is slow', () => {
      const { asked, step } = get(nodes(12))
      step('failed', 'node 1')
      step('slow', 'node 2')
      expect(asked).toEqual(['node 0', 'node 1', 'node 2', 'node 3', 'node 4', 'node 5'])
    })
  })

  it('ends exactly once, and asks nobody twice, whatever happens in whatever order', () => {
    const anyStep = fc.record({
      kind: fc.constantFrom('answer', 'fail', 'slow'),
      which: fc.nat(30),
      answer: fc.constantFrom(ok, full),
      closer: fc.array(fc.nat(40), { maxLength: 8 })
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 12 }),
        fc.array(anyStep),
        (start, steps) => {
          const put = machine()
          put.start(start.map((n) => candidate(n)))
          for (const { kind, which, answer, closer } of steps) {
            const id = put.asked[which % put.asked.length] ?? ''
            if (kind === 'answer')
              put.answer(
                id,
                answer,
                closer.map((n) => candidate(n, false))
              )
            else if (kind === 'fail') put.fail(id)
            else put.slow(id)
          }
          // Whoever was asked and is silent fails in the end, those asked meanwhile included.
          for (const id of put.asked) put.fail(id)
          expect(put.done).toBe(1)
          expect(put.over).toBe(true)
          expect(new Set(put.asked).size).toBe(put.asked.length)
        }
      )
    )
  })
})
