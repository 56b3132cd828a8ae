import { performance } from 'node:perf_hooks'

import type { Clock } from '@hushlamp/shared'

/** The clock of this computer. */
export const systemClock: Clock = {
  unixSeconds: () => Math.floor(Date.now() / 1000),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  }
}
