import { HushlampError, mergeRows, resultCode } from '@hushlamp/shared'
import type { AbortOptions, Clock, RegistryRow, ResultCode } from '@hushlamp/shared'

import { placeOfKey } from './distance.ts'
import { readPolicy, writeCode, writePolicy } from './policies.ts'
import type { FetchAnswer, StoreAnswer } from './policies.ts'
import { QuorumMachine, replicas } from './quorum.ts'
import type { Candidate, QuorumEffect, QuorumEvent, QuorumOutcome, QuorumPolicy } from './quorum.ts'
import { ringDigest } from './wire.ts'

/** What a holder says, and the closest nodes that it knows. */
export interface Reply<Answer> {
  readonly answer: Answer
  readonly closer: readonly Candidate[]
}

/** What all requests of one operation have in common. */
export interface Operation {
  readonly key: Uint8Array
  /** The key's place in the space of nodes. */
  readonly place: Uint8Array
  /** Digest of the closest nodes that are known, see `wire.ts`. */
  readonly ring: Uint8Array
}

/** The nodes that a replicator works with, itself included. */
export interface Holders {
  /** Whether there should be other nodes and none is connected. */
  readonly isolated: boolean
  /** The closest nodes to a place that are known, this one included, and those lost a short time ago. */
  candidates(place: Uint8Array): { candidates: readonly Candidate[]; lost: readonly Candidate[] }
  /** Offers a row to one node. */
  store(id: string, operation: Operation, row: RegistryRow): Promise<Reply<StoreAnswer>>
  /** Asks one node for all its rows of a key. */
  fetch(id: string, operation: Operation): Promise<Reply<FetchAnswer>>
  /** After how many milliseconds without an answer a node counts as slow and a further one is asked. */
  slowAfterMs(id: string, request: 'store' | 'fetch'): number
}

/** Times of an operation. */
export interface ReplicatorInit {
  /** After this, an operation ends with what it has. */
  readonly operationTimeoutMs: number
}

/** Puts and gets over the holders of a key: timers and requests around a {@link QuorumMachine}. */
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
    const asking: Asking<StoreAnswer> = {
      request: 'store',
      policy: writePolicy,
      ask: async (id, operation) => this.#holders.store(id, operation, row)
    }
    return writeCode(await this.#run(key, asking, options))
  }

  /**
   * All live rows of a key, merged from its holders.
   *
   * @throws HushlampError `registry-unreachable` if there should be other nodes and none answers
   */
  async fetch(key: Uint8Array, options?: AbortOptions): Promise<readonly RegistryRow[]> {
    if (this.#holders.isolated) throw new HushlampError('registry-unreachable')
    const asking: Asking<FetchAnswer> = {
      request: 'fetch',
      policy: readPolicy,
      ask: async (id, operation) => this.#holders.fetch(id, operation)
    }
    const { answers, holders } = await this.#run(key, asking, options)
    if (answers.length === 0 || (answers.length === 1 && holders > 1)) {
      throw new HushlampError('registry-unreachable')
    }
    return mergeRows(answers, this.#clock.unixSeconds())
  }

  async #run<Answer>(
    key: Uint8Array,
    { request, policy, ask }: Asking<Answer>,
    options?: AbortOptions
  ): Promise<QuorumOutcome<Answer>> {
    throwIfAborted(options)
    const place = placeOfKey(key)
    const known = this.#holders.candidates(place)
    const closest = known.candidates.slice(0, replicas).map(({ id }) => id)
    const operation = { key, place, ring: ringDigest(closest) }
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
      const slowAfterMs = this.#holders.slowAfterMs(id, request)
      const cancel = this.#clock.after(slowAfterMs, () => step({ kind: 'slow', id }))
      timers.add(cancel)
      const settled = (event: QuorumEvent<Answer>): void => {
        cancel()
        timers.delete(cancel)
        step(event)
      }
      ask(id, operation).then(
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
    step({ kind: 'start', ...known })
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

interface Asking<Answer> {
  readonly request: 'store' | 'fetch'
  readonly policy: QuorumPolicy<Answer>
  readonly ask: (id: string, operation: Operation) => Promise<Reply<Answer>>
}

function throwIfAborted(options?: AbortOptions): void {
  if (options?.signal?.aborted === true) {
    throw new HushlampError('aborted', undefined, { cause: options.signal.reason })
  }
}
