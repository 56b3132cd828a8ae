import { HushlampError, mergeRows, resultCode } from '@hushlamp/shared'
import type { AbortOptions, Clock, RegistryRow, ResultCode } from '@hushlamp/shared'

import { placeOfKey } from './distance.ts'
import { readPolicy, repairPolicy, writeCode, writePolicy } from './policies.ts'
import type { FetchAnswer, StoreAnswer } from './policies.ts'
import { QuorumMachine } from './quorum.ts'
import type { Candidate, QuorumEffect, QuorumEvent, QuorumOutcome, QuorumPolicy } from './quorum.ts'

/** What a holder says, and the closest nodes that it knows. */
export interface Reply<Answer> {
  readonly answer: Answer
  readonly closer: readonly Candidate[]
}

/** The nodes that a replicator works with, itself included. */
export interface Holders {
  /** Whether there should be other nodes and none is connected. */
  readonly isolated: boolean
  /** The closest nodes to a place that are known, this one included, and those lost a short time ago. */
  candidates(place: Uint8Array): { candidates: readonly Candidate[]; lost: readonly Candidate[] }
  /** Offers rows to one node. */
  store(id: string, key: Uint8Array, rows: readonly RegistryRow[]): Promise<Reply<StoreAnswer>>
  /** Asks one node for all its rows of a key. */
  fetch(id: string, key: Uint8Array): Promise<Reply<FetchAnswer>>
}

/** Times of an operation. */
export interface ReplicatorInit {
  /** After this, a node counts as slow and further ones are asked. */
  readonly slowAfterMs: number
  /** After this, an operation ends with what it has. */
  readonly operationTimeoutMs: number
}

/** Puts, gets and repairs over the holders of a key: timers and requests around a {@link QuorumMachine}. */
export class Replicator {
  readonly #clock: Clock
  readonly #holders: Holders
  readonly #init: ReplicatorInit

  constructor(components: { clock: Clock; holders: Holders }, init: ReplicatorInit) {
    this.#clock = components.clock
    this.#holders = components.holders
    this.#init = init
  }

  /** Stores a row with the holders of its key. */
  async store(key: Uint8Array, row: RegistryRow, options?: AbortOptions): Promise<ResultCode> {
    if (this.#holders.isolated) return resultCode.tryAgain
    const ask = async (id: string): Promise<Reply<StoreAnswer>> =>
      this.#holders.store(id, key, [row])
    return writeCode(await this.#run(key, writePolicy, ask, options))
  }

  /**
   * All live rows of a key, merged from its holders.
   *
   * @throws HushlampError `registry-unreachable` if there should be other nodes and none answers
   */
  async fetch(key: Uint8Array, options?: AbortOptions): Promise<readonly RegistryRow[]> {
    if (this.#holders.isolated) throw new HushlampError('registry-unreachable')
    const ask = async (id: string): Promise<Reply<FetchAnswer>> => this.#holders.fetch(id, key)
    const { answers, holders } = await this.#run(key, readPolicy, ask, options)
    if (answers.length === 0 || (answers.length === 1 && holders > 1)) {
      throw new HushlampError('registry-unreachable')
    }
    return mergeRows(answers, this.#clock.unixSeconds())
  }

  /** Hands rows to all who should hold their key now. Ends when all have answered or failed. */
  async repair(key: Uint8Array, rows: readonly RegistryRow[]): Promise<void> {
    await this.#run(key, repairPolicy, async (id) => this.#holders.store(id, key, rows))
  }

  async #run<Answer>(
    key: Uint8Array,
    policy: QuorumPolicy<Answer>,
    ask: (id: string) => Promise<Reply<Answer>>,
    options?: AbortOptions
  ): Promise<QuorumOutcome<Answer>> {
    throwIfAborted(options)
    const machine = new QuorumMachine<Answer>(policy)
    const { promise, resolve, reject } = Promise.withResolvers<QuorumOutcome<Answer>>()
    const timers = new Set<() => void>()

    const step = (event: QuorumEvent<Answer>): void => {
      for (const effect of machine.step(event)) carryOut(effect)
      if (machine.over) {
        for (const cancel of timers) cancel()
        timers.clear()
      }
    }
    const carryOut = (effect: QuorumEffect<Answer>): void => {
      if (effect.kind === 'done') {
        resolve(effect.outcome)
        return
      }
      const { id } = effect
      const cancel = this.#clock.after(this.#init.slowAfterMs, () => step({ kind: 'slow', id }))
      timers.add(cancel)
      const settled = (event: QuorumEvent<Answer>): void => {
        cancel()
        timers.delete(cancel)
        step(event)
      }
      ask(id).then(
        ({ answer, closer }) => settled({ kind: 'answered', id, answer, closer }),
        () => settled({ kind: 'failed', id })
      )
    }

    const onAbort = (): void => {
      reject(new HushlampError('aborted'))
      step({ kind: 'deadline' })
    }
    const signal = options?.signal
    signal?.addEventListener('abort', onAbort, { once: true })
    timers.add(this.#clock.after(this.#init.operationTimeoutMs, () => step({ kind: 'deadline' })))
    step({ kind: 'start', ...this.#holders.candidates(placeOfKey(key)) })
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

function throwIfAborted(options?: AbortOptions): void {
  if (options?.signal?.aborted === true) {
    throw new HushlampError('aborted', undefined, { cause: options.signal.reason })
  }
}
