import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { LinkSelection, maxLinksPerContact } from '@hushlamp/shared'
import type { LinkSelectionEffect } from '@hushlamp/shared'

import { TwoSides } from './link-selection-sides.ts'
import type { Move, Side } from './link-selection-sides.ts'

const side = fc.constantFrom<Side>('decider', 'follower')
const pick = fc.nat(40)
const dial = fc.record({ type: fc.constant('dial' as const), side })
const deliver = fc.record({ type: fc.constant('deliver' as const), pick })
const mishap = fc.oneof(
  fc.record({ type: fc.constantFrom('lose' as const, 'break' as const), pick }),
  fc.record({ type: fc.constantFrom('crash' as const, 'log-out' as const), side })
)

function played(moves: readonly Move[]): TwoSides {
  const world = new TwoSides()
  for (const move of moves) world.move(move)
  return world
}

/** What both sides must agree on when nothing is under way any more. */
function expectAgreement(world: TwoSides): void {
  const { decider, follower, open } = world.state
  expect(decider).toBe(follower)
  expect(open).toEqual(decider === undefined ? [] : [decider])
}

describe('Two sides with several links', () => {
  test('agree on one live link or none, whatever is delayed, lost, broken or crashed', () => {
    const anything = fc.oneof(
      { arbitrary: dial, weight: 4 },
      { arbitrary: deliver, weight: 9 },
      { arbitrary: mishap, weight: 2 }
    )
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60 }), (moves) => {
        const world = played(moves)
        world.settle()
        expectAgreement(world)
      }),
      { numRuns: 2_000 }
    )
  })

  test('find each other again at the next dial, whatever has happened before', () => {
    const anything = fc.oneof(dial, deliver, deliver, mishap)
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), side, (moves, dialling) => {
        const world = played(moves)
        world.settle()
        world.move({ type: 'dial', side: dialling })
        world.settle()
        expectAgreement(world)
        expect(world.state.decider).toBeDefined()
      }),
      { numRuns: 1_000 }
    )
  })

  test('end up linked when both dial at once and nothing is lost, in every order of arrival', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(dial, deliver), { maxLength: 50 }), (moves) => {
        const world = played([{ type: 'dial', side: 'decider' }, ...moves])
        world.settle()
        expectAgreement(world)
        expect(world.state.decider).toBeDefined()
      }),
      { numRuns: 2_000 }
    )
  })

  test('never keep more links than the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(dial, deliver, mishap), { maxLength: 60 }), (moves) => {
        const world = new TwoSides()
        for (const move of moves) {
          world.move(move)
          expect(world.openAt('decider')).toBeLessThanOrEqual(1)
          expect(world.openAt('follower')).toBeLessThanOrEqual(maxLinksPerContact)
        }
      })
    )
  })
})

type Effects = readonly LinkSelectionEffect<string>[]

/** A selection whose links are begun and established at given moments. */
class Selection {
  readonly #machine: LinkSelection<string>

  constructor(decides: boolean) {
    this.#machine = new LinkSelection({ decides })
  }

  get inUse(): string | undefined {
    return this.#machine.inUse
  }

  established(link: string, begunAtMs: number, nowMs: number): Effects {
    const outgoing = link.startsWith('own')
    return this.#machine.step({ type: 'established', link, outgoing, begunAtMs }, nowMs)
  }

  ended(link: string, reason: 'disconnected' | 'peer-bye'): Effects {
    return this.#machine.step({ type: 'ended', link, reason }, 100)
  }
}

describe('The side that decides', () => {
  test('keeps the link that it has begun when the handshakes overlapped', () => {
    const first = new Selection(true)
    first.established('own', 0, 10)
    expect(first.established('theirs', 10, 20)).toEqual([{ type: 'drop', link: 'theirs' }])
    expect(first.inUse).toBe('own')
    const second = new Selection(true)
    second.established('theirs', 0, 10)
    expect(second.established('own', 5, 20)).toEqual([
      { type: 'drop', link: 'theirs' },
      { type: 'use', link: 'own' }
    ])
  })

  test('takes the newer of two links that the same side has begun', () => {
    const selection = new Selection(true)
    selection.established('theirs 1', 0, 10)
    selection.established('theirs 2', 5, 20)
    expect(selection.inUse).toBe('theirs 2')
  })

  test('takes the newer link when the handshakes did not overlap: the peer has come back', () => {
    const selection = new Selection(true)
    selection.established('own', 0, 10)
    selection.established('theirs', 11, 20)
    expect(selection.inUse).toBe('theirs')
  })
})

describe('The side that does not decide', () => {
  test('uses the newest link and drops none below the limit', () => {
    const selection = new Selection(false)
    expect(selection.established('own', 0, 10)).toEqual([{ type: 'use', link: 'own' }])
    expect(selection.established('theirs', 0, 20)).toEqual([{ type: 'use', link: 'theirs' }])
  })

  test('goes back to the older link when the newer one was not chosen', () => {
    const selection = new Selection(false)
    selection.established('own', 0, 10)
    selection.established('theirs', 0, 20)
    expect(selection.ended('theirs', 'disconnected')).toEqual([{ type: 'use', link: 'own' }])
  })

  test('changes nothing when a link ends that it does not use', () => {
    const selection = new Selection(false)
    selection.established('own', 0, 10)
    selection.established('theirs', 0, 20)
    expect(selection.ended('own', 'disconnected')).toEqual([])
    expect(selection.inUse).toBe('theirs')
  })

  test('lets the oldest link give way at the limit', () => {
    const selection = new Selection(false)
    for (let i = 0; i < maxLinksPerContact; i++) selection.established(`own ${i}`, 0, 10 + i)
    expect(selection.established('own more', 0, 50)).toEqual([
      { type: 'drop', link: 'own 0' },
      { type: 'use', link: 'own more' }
    ])
  })
})

describe('A logout', () => {
  test('ends all links that overlap with the one it came on', () => {
    const selection = new Selection(false)
    selection.established('own', 0, 10)
    selection.established('theirs', 5, 20)
    expect(selection.ended('own', 'peer-bye')).toEqual([
      { type: 'gone', reason: 'peer-bye' },
      { type: 'drop', link: 'theirs' }
    ])
    expect(selection.inUse).toBeUndefined()
  })

  test('ends older links together with the newest', () => {
    const selection = new Selection(false)
    selection.established('own', 0, 10)
    selection.established('theirs', 11, 20)
    expect(selection.ended('theirs', 'peer-bye')).toEqual([
      { type: 'gone', reason: 'peer-bye' },
      { type: 'drop', link: 'own' }
    ])
  })

  test('that arrives late on a link of a former life leaves the present one alone', () => {
    const selection = new Selection(false)
    selection.established('own', 0, 10)
    selection.established('theirs', 11, 20)
    expect(selection.ended('own', 'peer-bye')).toEqual([])
    expect(selection.inUse).toBe('theirs')
  })

  test('drops what overlapped and goes on with what followed', () => {
    const selection = new Selection(false)
    selection.established('own', 0, 10)
    selection.established('theirs 1', 11, 20)
    selection.established('theirs 2', 5, 30)
    expect(selection.ended('own', 'peer-bye')).toEqual([
      { type: 'use', link: 'theirs 1' },
      { type: 'drop', link: 'theirs 2' }
    ])
  })

  test('is told as the reason', () => {
    const selection = new Selection(true)
    selection.established('own', 0, 10)
    expect(selection.ended('own', 'peer-bye')).toEqual([{ type: 'gone', reason: 'peer-bye' }])
    expect(selection.ended('own', 'disconnected')).toEqual([])
  })
})
