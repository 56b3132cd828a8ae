import type { Clock, UnixSeconds } from '@hushlamp/shared'

/** How long a wall clock that was put forward must stay there before anything is deleted by it. */
export const settleMs = 600_000

interface Reading {
  readonly atMs: number
  /** Wall clock minus monotonic clock, seconds. */
  readonly offset: number
}

/**
 * The time by which rows are deleted: the least that the wall clock would show by any of its settings of the last ten
 * minutes. What a clock that was put forward by mistake calls expired is hidden, and there again when the clock is put
 * right. A computer that was off counts as one whose clock was put forward.
 */
export class SettledClock {
  readonly #clock: Clock
  #readings: Reading[] = []

  /** @param last What this clock showed when it was last asked before the start; undefined if it never was. */
  constructor(clock: Clock, last: UnixSeconds | undefined) {
    this.#clock = clock
    if (last !== undefined) this.#add(last)
  }

  /** The time, which never exceeds the wall clock's. Ask at least every few minutes. */
  unixSeconds(): UnixSeconds {
    this.#add(this.#clock.unixSeconds())
    const oldest = this.#clock.monotonicMs() - settleMs
    this.#readings = this.#readings.filter(({ atMs }) => atMs > oldest)
    const offset = Math.min(...this.#readings.map((reading) => reading.offset))
    return Math.min(
      this.#clock.unixSeconds(),
      Math.floor(offset + this.#clock.monotonicMs() / 1000)
    )
  }

  #add(wall: UnixSeconds): void {
    const atMs = this.#clock.monotonicMs()
    const offset = wall - atMs / 1000
    // Whatever was read before and shows more can never again be the least.
    this.#readings = this.#readings.filter((reading) => reading.offset < offset)
    this.#readings.push({ atMs, offset })
  }
}
