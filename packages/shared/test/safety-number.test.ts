import { describe, expect, test } from 'vitest'

import { safetyNumber } from '@hushlamp/shared'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

const alice = testIdentity('alice')
const bob = testIdentity('bob')

describe('A safety number', () => {
  test('is the same on both sides', () => {
    expect(safetyNumber(alice, bob)).toEqual(safetyNumber(bob, alice))
  })

  test('has twelve groups of five digits and a code of 32 bytes', () => {
    const { groups, code } = safetyNumber(alice, bob)
    expect(groups).toHaveLength(12)
    for (const group of groups) expect(group).toMatch(/^\d{5}$/)
    expect(code).toHaveLength(32)
  })

  test.each(['fingerprint', 'signingKey', 'presenceKey'] as const)(
    'is another one where the %s of one side is',
    (part) => {
      const changed = safetyNumber({ ...alice, [part]: testSecret('changed') }, bob)
      expect(changed.groups).not.toEqual(safetyNumber(alice, bob).groups)
      expect(changed.code).not.toEqual(safetyNumber(alice, bob).code)
    }
  )

  test('keeps the digits of one side together, whoever the other is', () => {
    const halves = (numbers: readonly string[]): string[] => [
      numbers.slice(0, 6).join(),
      numbers.slice(6).join()
    ]
    const withBob = halves(safetyNumber(alice, bob).groups)
    const withCarol = halves(safetyNumber(alice, testIdentity('carol')).groups)
    expect(withBob.filter((half) => withCarol.includes(half))).toHaveLength(1)
  })
})
