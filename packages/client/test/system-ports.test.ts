import { afterEach, describe, expect, test, vi } from 'vitest'

import { systemClock, systemRandom } from '../src/index.ts'

describe('the clock of the system', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('keeps delays that are longer than a timer of Node can be', () => {
    vi.useFakeTimers()
    let calls = 0
    systemClock.after(2 ** 31 + 1000, () => calls++)
    vi.advanceTimersByTime(2 ** 31 + 999)
    expect(calls).toBe(0)
    vi.advanceTimersByTime(1)
    expect(calls).toBe(1)
  })

  test('does not call what was cancelled, even late', () => {
    vi.useFakeTimers()
    let calls = 0
    const cancel = systemClock.after(2 ** 31 + 1000, () => calls++)
    vi.advanceTimersByTime(2 ** 31)
    cancel()
    vi.advanceTimersByTime(2 ** 31)
    expect(calls).toBe(0)
  })

  test('tells whole seconds', () => {
    expect(Number.isInteger(systemClock.unixSeconds())).toBe(true)
  })
})

test('the randomness of the system has the length asked for', () => {
  expect(systemRandom.bytes(24)).toHaveLength(24)
  expect(systemRandom.bytes(24)).not.toEqual(systemRandom.bytes(24))
})
