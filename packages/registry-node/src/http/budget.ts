import { HushlampError, resultCode } from '@hushlamp/shared'
import type { Registry } from '@hushlamp/shared'

/** How much work of one kind is taken at a time. */
export interface BudgetInit {
  /** Most tasks that run at a time. */
  readonly maxRunning: number
  /** Most tasks that wait for their turn. */
  readonly maxWaiting: number
}

/** Runs at most some tasks at a time, lets a few more wait in order, and takes no others. */
export class Budget {
  readonly #init: BudgetInit
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(init: BudgetInit) {
    this.#init = init
  }

  /** Whether another task would be taken. */
  get open(): boolean {
    return this.#running < this.#init.maxRunning || this.#waiting.length < this.#init.maxWaiting
  }

  /**
   * The outcome of a task, after those before it.
   *
   * @throws HushlampError `registry-unreachable` at once if too many wait already
   */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (!this.open) throw new HushlampError('registry-unreachable', busy)
    if (this.#running < this.#init.maxRunning) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      // The place goes over to the next in line, so that nobody who comes meanwhile takes it.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

const busy = 'The node has too much to do now. Repeat the request later, or ask another node.'

/** Budgets of one node. */
export interface Budgets {
  readonly gets: BudgetInit
  /** For puts and removes. */
  readonly puts: BudgetInit
}

/**
 * A registry that does not take more than its budgets. Gets and puts have one each, so that a flood of the one leaves the
 * other alone. A put or remove beyond it ends with code 2, a get with `registry-unreachable`.
 */
export function budgeted(registry: Registry, init: Budgets): Registry {
  const gets = new Budget(init.gets)
  const puts = new Budget(init.puts)
  return {
    get: async (request, options) => gets.run(async () => registry.get(request, options)),
    put: async (request, options) =>
      puts.open ? puts.run(async () => registry.put(request, options)) : resultCode.tryAgain,
    remove: async (request, options) =>
      puts.open ? puts.run(async () => registry.remove(request, options)) : resultCode.tryAgain
  }
}
