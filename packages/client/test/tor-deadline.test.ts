import { getEventListeners } from 'node:events'

import { HushlampError } from '@hushlamp/shared'
import { describe, expect, test } from 'vitest'

import { Deadline, orAborted, wait } from '../src/tor/deadline.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const init = { deadlineMs: 1000, code: 'tor-timeout' } as const

describe('a deadline', () => {
  test('aborts with its own code when time is up, not before', () => {
    const clock = new ManualClock()
    using deadline = new Deadline(clock, init)
    clock.advance(999)
    expect(deadline.signal.aborted).toBe(false)
    clock.advance(1)
    expect(deadline.signal.reason).toMatchObject({ code: 'tor-timeout' })
  })

  test('aborts as cancelled when the caller cancels, now or before', () => {
    const controller = new AbortController()
    using before = new Deadline(new ManualClock(), { ...init, signal: controller.signal })
    controller.abort('why')
    using after = new Deadline(new ManualClock(), { ...init, signal: controller.signal })
    for (const { signal } of [before, after]) {
      expect(signal.reason).toMatchObject({ code: 'aborted', cause: 'why' })
    }
  })

  test('keeps the reason of another deadline around it', () => {
    const signal = AbortSignal.abort(new HushlampError('tor-lost'))
    using deadline = new Deadline(new ManualClock(), { ...init, signal })
    expect(deadline.signal.reason).toMatchObject({ code: 'tor-lost' })
  })

  test('leaves neither timer nor listener behind', () => {
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const deadline = new Deadline(clock, { ...init, signal })
    deadline[Symbol.dispose]()
    clock.advance(2000)
    expect(deadline.signal.aborted).toBe(false)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

test('waiting ends at its time or when it is cancelled, and leaves no listener', async () => {
  const clock = new ManualClock()
  const controller = new AbortController()
  const { signal } = controller
  const first = wait(clock, 10, signal)
  clock.advance(10)
  await first
  expect(getEventListeners(signal, 'abort')).toEqual([])
  const second = wait(clock, 10, signal)
  controller.abort(new HushlampError('aborted'))
  await expect(second).rejects.toMatchObject({ code: 'aborted' })
  await expect(orAborted(Promise.resolve(), signal)).rejects.toMatchObject({ code: 'aborted' })
})
