import { monitorEventLoopDelay } from 'node:perf_hooks'

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { StatusSources } from '../status/status-sources.ts'
import { ttlClasses } from '../store/usage.ts'
import type {
  NodeMeter,
  Operation,
  OperationResult,
  PeerOperation,
  PeerOutcome,
  RefusalReason
} from './node-meter.ts'

const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15]
const lagResolutionMs = 20

/**
 * What a node counts, for Prometheus. Labels come from closed sets: there is none for a key, a peer or a client. Every
 * node has a registry of its own, so that several can live in one process.
 */
export class NodeMetrics implements NodeMeter {
  readonly #registry = new Registry()
  readonly #eventLoopDelay = monitorEventLoopDelay({
    resolution: lagResolutionMs
  })
  readonly #operations = this.#counter(
    'hushlamp_requests_total',
    'Operations of clients by how they ended',
    ['operation', 'result']
  )
  readonly #seconds = new Histogram({
    name: 'hushlamp_request_seconds',
    help: 'How long operations of clients took',
    labelNames: ['operation'],
    buckets: latencyBuckets,
    registers: [this.#registry]
  })
  readonly #refusals = this.#counter(
    'hushlamp_refused_total',
    'Requests of clients that were turned down, by reason',
    ['reason']
  )
  readonly #asked = this.#counter(
    'hushlamp_overlay_asked_total',
    'Requests of this node to others',
    ['operation', 'outcome']
  )
  readonly #served = this.#counter(
    'hushlamp_overlay_served_total',
    'Requests of other nodes to this one',
    ['operation', 'outcome']
  )
  readonly #repairedRows = this.#counter(
    'hushlamp_repaired_rows_total',
    'Rows handed to those who should hold them now'
  )
  readonly #sweeps = this.#counter('hushlamp_sweeps_total', 'Sweeps of the store')
  readonly #sweptRows = this.#counter('hushlamp_swept_rows_total', 'Expired rows deleted')

  /** `sources` is read whenever the metrics are. */
  constructor(components: { readonly sources: StatusSources }) {
    this.#watchNode(components.sources)
    this.#watchProcess()
    this.#eventLoopDelay.enable()
  }

  operation(operation: Operation, result: OperationResult, seconds: number): void {
    this.#operations.inc({ operation, result })
    this.#seconds.observe({ operation }, seconds)
  }

  refused(reason: RefusalReason): void {
    this.#refusals.inc({ reason })
  }

  asked(operation: PeerOperation, outcome: PeerOutcome): void {
    this.#asked.inc({ operation, outcome })
  }

  served(operation: PeerOperation | undefined, outcome: PeerOutcome): void {
    this.#served.inc({ operation: operation ?? 'unreadable', outcome })
  }

  repaired(rows: number): void {
    this.#repairedRows.inc(rows)
  }

  swept(rows: number): void {
    this.#sweeps.inc()
    this.#sweptRows.inc(rows)
  }

  /** Everything in Prometheus' text format, version 0.0.4. */
  async text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** Content type of {@link NodeMetrics.text}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Ends the measuring of this process. */
  stop(): void {
    this.#eventLoopDelay.disable()
  }

  #watchNode(sources: StatusSources): void {
    this.#gauge('hushlamp_info', 'Version of this node', ['version'], (gauge) => {
      gauge.set({ version: sources.version }, 1)
    })
    this.#gauge('hushlamp_peers', 'Connected peers', [], (gauge) => {
      gauge.set(sources.peers())
    })
    this.#gauge('hushlamp_capacity_bytes', 'Most bytes that rows may take', [], (gauge) => {
      gauge.set(sources.capacity().bytes)
    })
    const classes = ['ttl_class']
    this.#gauge('hushlamp_class_capacity_bytes', 'The same by TTL class', classes, (gauge) => {
      const { byClass } = sources.capacity()
      for (const name of ttlClasses) gauge.set({ ttl_class: name }, byClass[name])
    })
    this.#gauge('hushlamp_stored_rows', 'Rows held, by TTL class', classes, (gauge) => {
      const { byClass } = sources.usage()
      for (const name of ttlClasses) gauge.set({ ttl_class: name }, byClass[name].rows)
    })
    this.#gauge('hushlamp_stored_bytes', 'Bytes that rows take, by TTL class', classes, (gauge) => {
      const { byClass } = sources.usage()
      for (const name of ttlClasses) gauge.set({ ttl_class: name }, byClass[name].bytes)
    })
    this.#gauge('hushlamp_put_price_bits', 'Effort that a put costs now', classes, (gauge) => {
      const price = sources.price()
      for (const name of ttlClasses) gauge.set({ ttl_class: name }, price[name])
    })
  }

  /** Those of prom-client's default metrics that are of use, without state that all nodes of a process would share. */
  #watchProcess(): void {
    this.#gauge('process_resident_memory_bytes', 'Resident memory', [], (gauge) => {
      gauge.set(process.memoryUsage.rss())
    })
    let counted = 0
    const cpu = new Counter({
      name: 'process_cpu_seconds_total',
      help: 'CPU time of this process',
      registers: [this.#registry],
      collect: () => {
        const { user, system } = process.cpuUsage()
        const seconds = (user + system) / 1e6
        cpu.inc(Math.max(seconds - counted, 0))
        counted = seconds
      }
    })
    const lagHelp = 'Delay of the event loop since the metrics were read last'
    this.#gauge('nodejs_eventloop_lag_seconds', lagHelp, ['quantile'], (gauge) => {
      const delay = this.#eventLoopDelay
      gauge.set({ quantile: '0.5' }, lag(delay.percentile(50)))
      gauge.set({ quantile: '0.99' }, lag(delay.percentile(99)))
      gauge.set({ quantile: '1' }, lag(delay.max))
      delay.reset()
    })
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (gauge: Gauge) => void
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => collect(gauge)
    })
  }
}

/** The histogram holds times between two ticks, the wanted one included. */
function lag(nanoseconds: number): number {
  return Math.max(nanoseconds / 1e9 - lagResolutionMs / 1000, 0)
}
