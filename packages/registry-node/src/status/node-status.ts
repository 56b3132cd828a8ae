import { HushlampError } from '@hushlamp/shared'
import type { Clock, UnixSeconds } from '@hushlamp/shared'

import { ttlClasses } from '../store/usage.ts'
import type { RowCount, TtlClass } from '../store/usage.ts'
import { coarseCount, coarseUptime } from './coarse.ts'
import { estimateNetworkSize } from './network-size.ts'
import type { ByClass, StatusSources } from './status-sources.ts'

/** How much a node holds of what it can hold. Numbers are rounded up. */
export interface StoredShare extends RowCount {
  readonly capacityBytes: number
}

/** What a node tells everybody of itself. It holds for some seconds and is rounded, so that it shows no single request. */
export interface Status {
  readonly version: string
  readonly peerId: string
  /** Rounded down to 10 minutes, later to hours. */
  readonly uptimeSeconds: number
  /** Connected peers. */
  readonly peers: number
  /** How many nodes the network seems to have, this one included. */
  readonly networkNodes: number
  readonly stored: StoredShare & { readonly byClass: ByClass<StoredShare> }
  /** Bits of effort that a put must show, by the class of its TTL: up to an hour, a day, a week. */
  readonly price: ByClass<number>
  readonly limits: { readonly maxValueBytes: number; readonly maxTtlSeconds: number }
  /** `http://….onion`, or null. */
  readonly onionAddress: string | null
}

/** How often what a node tells of itself is renewed. */
export interface NodeStatusInit {
  readonly renewMs: number
}

const rowStep = 10
const byteStep = 4096

/** A status, and when it was taken. */
export interface TakenStatus {
  readonly status: Status
  readonly takenAt: UnixSeconds
}

/** What a node tells of itself, taken at fixed times and the same for everybody. */
export class NodeStatus {
  readonly #clock: Clock
  readonly #sources: StatusSources
  readonly #renewMs: number
  #startMs = 0
  #taken: TakenStatus | undefined
  #cancel: () => void = () => {}

  constructor(components: { clock: Clock; sources: StatusSources }, init: NodeStatusInit) {
    this.#clock = components.clock
    this.#sources = components.sources
    this.#renewMs = init.renewMs
  }

  /** Takes the first status, and from then on one after the other. */
  start(): void {
    this.#startMs = this.#clock.monotonicMs()
    this.#renew()
  }

  /** Takes no more. */
  stop(): void {
    this.#cancel()
  }

  /**
   * The status that was taken last.
   *
   * @throws HushlampError `registry-unreachable` before the start
   */
  get taken(): TakenStatus {
    if (this.#taken === undefined) throw new HushlampError('registry-unreachable')
    return this.#taken
  }

  #renew(): void {
    this.#taken = { status: this.#take(), takenAt: this.#clock.unixSeconds() }
    this.#cancel = this.#clock.after(this.#renewMs, () => this.#renew())
  }

  #take(): Status {
    const sources = this.#sources
    const capacity = sources.capacity()
    const byClass = storedByClass(sources.usage().byClass, capacity.byClass)
    const all = ttlClasses.map((name) => byClass[name])
    return {
      version: sources.version,
      peerId: sources.peerId(),
      uptimeSeconds: coarseUptime((this.#clock.monotonicMs() - this.#startMs) / 1000),
      peers: sources.peers(),
      networkNodes: coarseCount(
        estimateNetworkSize([sources.neighbourDistances()], sources.peers() + 1),
        1
      ),
      stored: {
        rows: all.reduce((sum, { rows }) => sum + rows, 0),
        bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
        capacityBytes: capacity.bytes,
        byClass
      },
      price: sources.price(),
      limits: sources.limits,
      onionAddress: sources.onionAddress() ?? null
    }
  }
}

function storedByClass(usage: ByClass<RowCount>, capacity: ByClass<number>): ByClass<StoredShare> {
  const share = (name: TtlClass): StoredShare => ({
    rows: coarseCount(usage[name].rows, rowStep),
    bytes: coarseCount(usage[name].bytes, byteStep),
    capacityBytes: capacity[name]
  })
  return { hour: share('hour'), day: share('day'), week: share('week') }
}
