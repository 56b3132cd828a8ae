import { randomBytes } from 'node:crypto'

import type { Clock, Random } from '@hushlamp/shared'

/** The longest delay that a timer of Node keeps; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1

/** The clocks of this computer: the wall clock as the system tells it, monotonic time as Node measures it. */
export const systemClock: Clock = {
  unixSeconds: () => Math.floor(Date.now() / 1000),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, maxTimerMs)
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs)
    }
    arm(Math.max(0, delayMs))
    return () => clearTimeout(timer)
  }
}

/** The random generator of the operating system, by way of OpenSSL. */
export const systemRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length))
}
