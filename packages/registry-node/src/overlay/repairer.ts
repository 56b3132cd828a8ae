import { compareBytes } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import { placeOfKey } from './distance.ts'
import { replicas } from './quorum.ts'
import type { Candidate } from './quorum.ts'
import type { HeldKey } from './reconciler.ts'
import { maxKeysPerComparison } from './wire.ts'

/** What repair works with. */
export interface RepairerComponents {
  readonly clock: Clock
  readonly logger: Logger
  /** All keys held here with their live rows. */
  entries(): AsyncIterable<HeldKey>
  /** The closest nodes to a place that are known, this one included, from the closest to the farthest. */
  ring(place: Uint8Array): readonly Candidate[]
  /** A peer as a candidate for a place. */
  candidate(id: string, place: Uint8Array): Candidate | undefined
  /** Makes a peer and this node hold the same of some keys. Rejects where the peer does not answer. */
  reconcile(id: string, keys: readonly HeldKey[]): Promise<void>
}

/** When repair runs. */
export interface RepairerInit {
  /** How long to wait after a peer came or went, for others to come or go as well. */
  readonly churnDelayMs: number
  /** How often everything held here is compared with those who should hold it. */
  readonly intervalMs: number
  /** How long a node that stops may take to hand over what it holds. */
  readonly handOverMs: number
}

/** How many peers are compared with at a time. */
const peersAtATime = 4
const maxRestMs = 500

/** One way through everything that is held here. */
interface Pass {
  /** Whether a key is to be compared. */
  concerns(place: Uint8Array): boolean
  /** Who should hold it. */
  holders(place: Uint8Array): readonly Candidate[]
  /** Whether to leave time to requests. */
  readonly paced: boolean
  /** Whether the pass is to end where it is. */
  over(): boolean
}

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

  /** Ends after what is being compared. */
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

  /** Compares everything with all who should hold it, now. */
  async repairAll(): Promise<void> {
    this.#all = true
    await this.#run()
  }

  /** Gives everything to those who should hold it when this node is gone, as far as the time allows. */
  async handOver(): Promise<void> {
    const late = Promise.withResolvers<void>()
    let over = false
    const cancel = this.#components.clock.after(this.#init.handOverMs, () => {
      over = true
      late.resolve()
    })
    const pass = this.#go({
      concerns: () => true,
      holders: (place) => this.#components.ring(place).filter(({ local }) => !local),
      paced: false,
      over: () => over
    })
    await Promise.race([pass.catch(() => {}), late.promise])
    cancel()
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
    const all = this.#all
    const changed = [...this.#changed]
    this.#all = false
    this.#changed.clear()
    if (!all && changed.length === 0) return
    await this.#go({
      concerns: (place) => all || this.#isNear(place, changed),
      holders: (place) => this.#components.ring(place).slice(0, replicas),
      paced: true,
      over: () => this.#stopped
    })
  }

  async #go(pass: Pass): Promise<void> {
    const batches = new Map<string, HeldKey[]>()
    const running = new Set<Promise<void>>()
    const send = async (id: string): Promise<void> => {
      const keys = batches.get(id) ?? []
      batches.delete(id)
      const task = this.#reconcile(id, keys, pass).finally(() => running.delete(task))
      running.add(task)
      if (running.size >= peersAtATime) await Promise.race(running)
    }
    for await (const held of this.#components.entries()) {
      if (pass.over()) break
      const place = placeOfKey(held.key)
      if (!pass.concerns(place)) continue
      for (const { id, local } of pass.holders(place).slice(0, replicas)) {
        if (local) continue
        const batch = batches.get(id) ?? []
        batches.set(id, batch)
        if (batch.push(held) >= maxKeysPerComparison) await send(id)
      }
    }
    for (const id of batches.keys()) {
      if (!pass.over()) await send(id)
    }
    await Promise.all(running)
  }

  /** Rests as long as it worked, so that at least half of what this node can do is left to requests. */
  async #reconcile(id: string, keys: readonly HeldKey[], pass: Pass): Promise<void> {
    const { clock } = this.#components
    const beganMs = clock.monotonicMs()
    await this.#components.reconcile(id, keys).catch(() => {
      // A peer that does not answer is found by membership, and compared with when it is back.
    })
    if (!pass.paced || pass.over()) return
    const restMs = Math.min(clock.monotonicMs() - beganMs, maxRestMs)
    await new Promise<void>((resolve) => {
      clock.after(restMs, resolve)
    })
  }

  #isNear(place: Uint8Array, changed: readonly string[]): boolean {
    const farthest = this.#components.ring(place)[replicas - 1]
    return changed.some((id) => {
      const peer = this.#components.candidate(id, place)
      if (peer === undefined) return false
      return farthest === undefined || compareBytes(peer.distance, farthest.distance) <= 0
    })
  }
}
