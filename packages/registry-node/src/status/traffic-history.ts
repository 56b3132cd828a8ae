import type { Clock } from '@hushlamp/shared'

import type { NodeMeter, Operation } from '../metrics/node-meter.ts'
import { coarseRate, coarseSeconds } from './coarse.ts'

/** What the status page shows of an operation in one aggregate, rounded. */
export interface Traffic {
  /** Undefined for the time before the node ran. */
  readonly perSecond: number | undefined
  /** Half of the operations took at most so long; undefined where there were too few to tell. */
  readonly medianSeconds: number | undefined
}

/** The totals of one stretch of time. */
export interface Aggregate {
  readonly put: Traffic
  readonly get: Traffic
}

/** How traffic is added up. */
export interface TrafficHistoryInit {
  /** How long one aggregate is. Its figures show only when it is over. */
  readonly aggregateMs: number
}

/** How many aggregates are kept: an hour of minutes. */
export const keptAggregates = 60

const bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
const untold: Traffic = { perSecond: undefined, medianSeconds: undefined }

/**
 * Rates and latencies of the last hour, in memory only, for a page that everybody may look at. So it keeps nothing finer
 * than the totals of a whole minute, and tells nothing about one with a handful of operations.
 */
export class TrafficHistory implements Pick<NodeMeter, 'operation' | 'refused'> {
  readonly #clock: Clock
  readonly #aggregateMs: number
  readonly #kept: Aggregate[] = []
  #put = new Latencies()
  #get = new Latencies()
  #cancel: () => void = () => {}

  constructor(components: { clock: Clock }, init: TrafficHistoryInit) {
    this.#clock = components.clock
    this.#aggregateMs = init.aggregateMs
  }

  /** Begins the first stretch. */
  start(): void {
    this.#schedule()
  }

  operation(operation: Operation, _result: unknown, seconds: number): void {
    if (operation === 'put') this.#put.add(seconds)
    else if (operation === 'get') this.#get.add(seconds)
  }

  refused(): void {
    // What is turned down is an operation that ended, and counted as one.
  }

  /** The aggregates that are over, the oldest first, and always as many: those before the start tell nothing. */
  get aggregates(): readonly Aggregate[] {
    const missing = keptAggregates - this.#kept.length
    return [...Array.from({ length: missing }, () => ({ put: untold, get: untold })), ...this.#kept]
  }

  /** Ends the adding up. */
  stop(): void {
    this.#cancel()
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#aggregateMs, () => {
      const seconds = this.#aggregateMs / 1000
      this.#kept.push({ put: this.#put.traffic(seconds), get: this.#get.traffic(seconds) })
      this.#kept.splice(0, this.#kept.length - keptAggregates)
      this.#put = new Latencies()
      this.#get = new Latencies()
      this.#schedule()
    })
  }
}

/** How long operations took, in classes. */
class Latencies {
  readonly #counts = new Uint32Array(bounds.length + 1)
  #count = 0

  add(seconds: number): void {
    const found = bounds.findIndex((bound) => seconds <= bound)
    const index = found === -1 ? bounds.length : found
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#count++
  }

  traffic(overSeconds: number): Traffic {
    const perSecond = coarseRate(this.#count / overSeconds)
    return { perSecond, medianSeconds: perSecond === 0 ? undefined : coarseSeconds(this.#median()) }
  }

  /** The middle of the operations, as if those of a class were spread evenly over it. */
  #median(): number {
    let below = 0
    for (const [i, count] of this.#counts.entries()) {
      if (count > 0 && below + count >= this.#count / 2) {
        const [from, to] = [bounds[i - 1] ?? 0, bounds[i] ?? bounds.at(-1) ?? 0]
        return from + (to - from) * ((this.#count / 2 - below) / count)
      }
      below += count
    }
    return 0
  }
}
