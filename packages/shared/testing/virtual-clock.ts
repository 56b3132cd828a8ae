import type { Clock, UnixSeconds } from '../src/index.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/** A clock that stands still until it is advanced: time in tests without waiting. */
export class VirtualClock implements Clock {
  readonly #startSeconds: UnixSeconds
  readonly #timers = new Set<Timer>()
  #nowMs = 0

  /** Starts at `startSeconds`, by default in the year 2030. */
  constructor(startSeconds: UnixSeconds = 1_893_456_000) {
    this.#startSeconds = startSeconds
  }

  unixSeconds(): UnixSeconds {
    return this.#startSeconds + Math.floor(this.#nowMs / 1000)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** Lets `ms` milliseconds pass: calls what is due, in the order of time, those set meanwhile included. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#timers.delete(timer)
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.callback()
    }
    this.#nowMs = endMs
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer
    }
    return next
  }
}
