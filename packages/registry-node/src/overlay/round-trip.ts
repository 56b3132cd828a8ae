/** Bounds of what an estimate may say, in milliseconds. */
export interface RoundTripBounds {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * How long a peer takes to answer, smoothed as TCP does it (RFC 6298): the mean and the mean deviation of the round trips,
 * newer ones counting more.
 */
export class RoundTrip {
  #meanMs: number | undefined
  #deviationMs = 0

  /** A request was answered after `ms`. */
  sample(ms: number): void {
    if (this.#meanMs === undefined) {
      this.#meanMs = ms
      this.#deviationMs = ms / 2
      return
    }
    this.#deviationMs += (Math.abs(ms - this.#meanMs) - this.#deviationMs) / 4
    this.#meanMs += (ms - this.#meanMs) / 8
  }

  /** When a request is to be given up: mean and four deviations. The upper bound while nothing is known. */
  timeoutMs(bounds: RoundTripBounds): number {
    return this.#estimate(4, bounds)
  }

  /**
   * When a further node is to be asked beside this one: mean and two deviations, before which about 95 of 100 answers
   * come. The upper bound while nothing is known.
   */
  hedgeMs(bounds: RoundTripBounds): number {
    return this.#estimate(2, bounds)
  }

  #estimate(deviations: number, { minMs, maxMs }: RoundTripBounds): number {
    if (this.#meanMs === undefined) return maxMs
    const ms = this.#meanMs + deviations * this.#deviationMs
    return Math.min(Math.max(ms, minMs), maxMs)
  }
}
