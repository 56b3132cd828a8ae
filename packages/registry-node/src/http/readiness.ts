import { compareBytes } from '@hushlamp/shared'
import type { Clock, Random, Registry } from '@hushlamp/shared'

/** What readiness is found out with. */
export interface ReadinessComponents {
  readonly registry: Registry
  readonly clock: Clock
  readonly random: Random
}

/** How readiness is found out. */
export interface ReadinessInit {
  /** How long the outcome of a probe holds. */
  readonly freshMs: number
  /** How long a probe may take. */
  readonly timeoutMs: number
}

const probeTtlSeconds = 30

/**
 * Whether the registry works from here: puts a random value under a random key and reads it back. Probes are shared:
 * many questions in a short time cost one.
 */
export class Readiness {
  readonly #components: ReadinessComponents
  readonly #init: ReadinessInit
  #last: { ready: boolean; atMs: number } | undefined
  #running: Promise<boolean> | undefined

  constructor(components: ReadinessComponents, init: ReadinessInit) {
    this.#components = components
    this.#init = init
  }

  /** The outcome of a probe that is running or has just ended, or else of a new one. Never rejects. */
  async ready(): Promise<boolean> {
    const { clock } = this.#components
    if (this.#last && clock.monotonicMs() - this.#last.atMs < this.#init.freshMs) {
      return this.#last.ready
    }
    this.#running ??= this.#probe().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #probe(): Promise<boolean> {
    const { clock } = this.#components
    const late = Promise.withResolvers<boolean>()
    const cancel = clock.after(this.#init.timeoutMs, () => late.resolve(false))
    const ready = await Promise.race([this.#putAndGet().catch(() => false), late.promise])
    cancel()
    this.#last = { ready, atMs: clock.monotonicMs() }
    return ready
  }

  async #putAndGet(): Promise<boolean> {
    const { registry, random } = this.#components
    const key = random.bytes(20)
    const value = random.bytes(32)
    if ((await registry.put({ key, value, ttlSeconds: probeTtlSeconds })) !== 0) return false
    const { values } = await registry.get({ key })
    return values.some((stored) => compareBytes(stored.value, value) === 0)
  }
}
