import { compareBytes } from '@hushlamp/shared'
import type { Clock, RegistryRow } from '@hushlamp/shared'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import { placeOfKey } from './distance.ts'
import { replicas } from './quorum.ts'
import type { Candidate } from './quorum.ts'

/** What repair works with. */
export interface RepairerComponents {
  readonly clock: Clock
  readonly logger: Logger
  /** All keys held here with their live rows. */
  entries(): AsyncIterable<{ key: Uint8Array; rows: readonly RegistryRow[] }>
  /** The closest nodes to a place that are known, this one included, from the closest to the farthest. */
  ring(place: Uint8Array): readonly Candidate[]
  /** A peer as a candidate for a place. */
  candidate(id: string, place: Uint8Array): Candidate | undefined
  /** Hands rows to all who should hold them. */
  repair(key: Uint8Array, rows: readonly RegistryRow[]): Promise<void>
}

/** When repair runs. */
export interface RepairerInit {
  /** How long to wait after a peer came or went, for others to come or go as well. */
  readonly churnDelayMs: number
  /** How often everything held here is handed to those who should hold it. */
  readonly intervalMs: number
  /**
   * Taken off every time to live that is handed on, and more than a request can take: or else two holders that repair
   * each other would extend a row's life for ever.
   */
  readonly marginSeconds: number
}

const atATime = 8

/** Keeps every row with the nodes that are now closest to its key. */
export class Repairer {
  readonly #components: RepairerComponents
  readonly #init: RepairerInit
  readonly #changed = new Set<string>()
  #all = false
  #passes: Promise<void> = Promise.resolve()
  #stopped = true
  #cancelChurn: (() => void) | undefined
  #cancelInterval: () => void = () => {}

  constructor(components: RepairerComponents, init: RepairerInit) {
    this.#components = components
    this.#init = init
  }

  start(): void {
    this.#stopped = false
    this.#scheduleInterval()
  }

  /** Ends after the keys that are being handed on. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelInterval()
    this.#cancelChurn?.()
    await this.#passes
  }

  /** A peer came or went. */
  changed(id: string): void {
    if (this.#stopped) return
    this.#changed.add(id)
    this.#scheduleChurn()
  }

  /** Hands on everything, now. */
  async repairAll(): Promise<void> {
    this.#all = true
    await this.#run()
  }

  #scheduleChurn(): void {
    if (this.#stopped) return
    this.#cancelChurn ??= this.#components.clock.after(this.#init.churnDelayMs, () => {
      this.#cancelChurn = undefined
      void this.#run()
    })
  }

  #scheduleInterval(): void {
    this.#cancelInterval = this.#components.clock.after(this.#init.intervalMs, () => {
      void this.repairAll().finally(() => {
        if (!this.#stopped) this.#scheduleInterval()
      })
    })
  }

  async #run(): Promise<void> {
    this.#passes = this.#passes
      .then(async () => this.#pass())
      .catch((error: unknown) => {
        this.#components.logger.warn(`repair failed: ${errorCode(error)}`)
      })
    await this.#passes
  }

  async #pass(): Promise<void> {
    const components = this.#components
    const all = this.#all
    const changed = [...this.#changed]
    this.#all = false
    this.#changed.clear()
    if (this.#stopped || (!all && changed.length === 0)) return
    const running = new Set<Promise<void>>()
    for await (const { key, rows } of components.entries()) {
      if (this.#stopped) break
      if (!all && !this.#concerns(key, changed)) continue
      const margin = this.#init.marginSeconds
      const handedOn = rows
        .map((row) => ({ ...row, expiry: row.expiry - margin }))
        .filter((row) => row.expiry > components.clock.unixSeconds())
      if (handedOn.length === 0) continue
      const task = components.repair(key, handedOn).finally(() => running.delete(task))
      running.add(task)
      if (running.size >= atATime) await Promise.race(running)
    }
    await Promise.all(running)
  }

  #concerns(key: Uint8Array, changed: readonly string[]): boolean {
    const place = placeOfKey(key)
    const holders = this.#components.ring(place)
    const farthest = holders[replicas - 1]
    return changed.some((id) => {
      const peer = this.#components.candidate(id, place)
      if (peer === undefined) return false
      return farthest === undefined || compareBytes(peer.distance, farthest.distance) <= 0
    })
  }
}
