import type { Clock, Registry } from '@hushlamp/shared'
import type { FastifyInstance } from 'fastify'

import type { ListenAddress } from './config/config.ts'
import { addressOf, listen, urlOf } from './http/listen.ts'
import { createAdminServer } from './metrics/admin-server.ts'
import { countRefusal, meteredRegistry } from './metrics/metered-registry.ts'
import { NodeMetrics } from './metrics/node-metrics.ts'
import type { NodeMeter } from './metrics/node-meter.ts'
import { NodeStatus } from './status/node-status.ts'
import type { StatusSources } from './status/status-sources.ts'
import { TrafficHistory } from './status/traffic-history.ts'

/** What the operator's view is made from. */
export interface OperatorInterfaceComponents {
  readonly clock: Clock
  readonly sources: StatusSources
}

/** Times of what an operator sees. */
export interface OperatorTimings {
  /** How often the public status is taken anew. */
  readonly renewMs: number
  /** How long the stretches are that traffic is added up over. */
  readonly aggregateMs: number
}

/** Ten seconds, and minutes: an hour of them is kept. */
export const defaultOperatorTimings: OperatorTimings = { renewMs: 10_000, aggregateMs: 60_000 }

/**
 * What an operator sees of a node: the public status, in rounded figures, and the metrics for this computer alone. The
 * parts of the node count into {@link OperatorInterface.meter} and know nothing of who looks.
 */
export class OperatorInterface implements AsyncDisposable {
  readonly status: NodeStatus
  readonly traffic: TrafficHistory
  readonly #clock: Clock
  readonly #metrics: NodeMetrics
  readonly #admin: FastifyInstance | undefined

  private constructor(
    components: OperatorInterfaceComponents,
    timings: OperatorTimings,
    admin: boolean
  ) {
    this.#clock = components.clock
    this.status = new NodeStatus(components, timings)
    this.traffic = new TrafficHistory(components, timings)
    this.#metrics = new NodeMetrics(components)
    this.#admin = admin ? createAdminServer({ metrics: this.#metrics }) : undefined
  }

  /**
   * Listens on the address for the metrics, if there is one. Until {@link OperatorInterface.start} it answers that the
   * node is not there yet.
   *
   * @throws HushlampError `address-in-use` or `config-invalid`
   */
  static async open(
    components: OperatorInterfaceComponents,
    init: { readonly admin: ListenAddress | undefined; readonly timings: OperatorTimings }
  ): Promise<OperatorInterface> {
    const opened = new OperatorInterface(components, init.timings, init.admin !== undefined)
    if (opened.#admin === undefined || init.admin === undefined) return opened
    try {
      await listen(opened.#admin, init.admin, 'admin')
      return opened
    } catch (error) {
      await opened.stop()
      throw error
    }
  }

  /** The node runs: its status is taken from now on. */
  start(): void {
    this.status.start()
    this.traffic.start()
  }

  async stop(): Promise<void> {
    this.status.stop()
    this.traffic.stop()
    this.#metrics.stop()
    await this.#admin?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Where the parts of the node count. */
  get meter(): NodeMeter {
    return this.#metrics
  }

  /** `http://host:port` of the metrics, undefined where there are none. */
  get adminAddress(): string | undefined {
    return this.#admin === undefined ? undefined : urlOf(addressOf(this.#admin))
  }

  /** A registry whose operations are counted. */
  metered(registry: Registry): Registry {
    return meteredRegistry(registry, this.#clock, [this.#metrics, this.traffic])
  }

  /** Counts a request that was turned down before it reached the registry. */
  refused(error: unknown): void {
    countRefusal(error, [this.#metrics])
  }
}
