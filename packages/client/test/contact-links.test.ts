import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { choosesNewLink } from '../src/link/link-choice.ts'

const age = fc.record({
  outgoing: fc.boolean(),
  begunAtMs: fc.integer({ min: 0, max: 1_000 }),
  establishedAtMs: fc.integer({ min: 1_001, max: 2_000 })
})

describe('Of two links with one contact', () => {
  test('the one begun by the deciding side stays when the handshakes overlapped', () => {
    fc.assert(
      fc.property(age, age, (current, added) => {
        const chosen = choosesNewLink(current, added) ? added : current
        const begunByUs = current.outgoing || added.outgoing
        expect(chosen.outgoing).toBe(begunByUs)
      })
    )
  })

  test('the newer one stays when they did not: the peer has come back', () => {
    const current = { outgoing: true, begunAtMs: 0, establishedAtMs: 10 }
    const added = { outgoing: false, begunAtMs: 11, establishedAtMs: 20 }
    expect(choosesNewLink(current, added)).toBe(true)
  })
})
