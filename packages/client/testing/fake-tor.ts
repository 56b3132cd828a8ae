import type { Duplex } from 'node:stream'

import { HushlampError } from '@hushlamp/shared'
import type { AbortOptions, Clock } from '@hushlamp/shared'

import { systemClock } from '../src/system-ports.ts'
import { Deadline, orAborted, wait } from '../src/tor/deadline.ts'
import { onionPublicKeyOfSeed } from '../src/tor/onion-address.ts'
import { socksDestination } from '../src/tor/socks5-address.ts'
import { Socks5Handshake, SocksReplyError } from '../src/tor/socks5-handshake.ts'
import type {
  CircuitToken,
  ConnectOptions,
  OnionListener,
  OnionService,
  TorProvider,
  TorStatus,
  TorTarget
} from '../src/tor/tor-provider.ts'
import type { FakeTorNetwork } from './fake-tor-network.ts'

/** What a {@link FakeTor} needs from others. */
export interface FakeTorComponents {
  readonly network: FakeTorNetwork
  /** Default: the clock of the system. */
  readonly clock?: Pick<Clock, 'after'>
}

/** How slow a {@link FakeTor} is. */
export interface FakeTorInit {
  /** From `listen` until the service can be reached. Default 0. */
  readonly publicationMs?: number
  /** From `connect` until its result. Default 0. */
  readonly connectMs?: number
}

/** A Tor in memory, ready from the start, for tests. */
export class FakeTor implements TorProvider {
  readonly #network: FakeTorNetwork
  readonly #clock: Pick<Clock, 'after'>
  readonly #publicationMs: number
  readonly #connectMs: number
  readonly #listeners = new Set<(status: TorStatus) => void>()
  readonly #services = new Map<string, FakeService>()
  readonly #streams = new Map<Duplex, CircuitToken | undefined>()
  readonly #life = new AbortController()
  #status: TorStatus = { phase: 'ready' }

  constructor(components: FakeTorComponents, init: FakeTorInit = {}) {
    this.#network = components.network
    this.#clock = components.clock ?? systemClock
    this.#publicationMs = init.publicationMs ?? 0
    this.#connectMs = init.connectMs ?? 0
  }

  get status(): TorStatus {
    return this.#status
  }

  /** The tokens of the streams that this provider opened and that are open still. */
  get openCircuits(): readonly CircuitToken[] {
    return [...this.#streams.values()].filter((circuit) => circuit !== undefined)
  }

  onStatus(listener: (status: TorStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Shows another state, such as `starting`. To break the provider use {@link lose}. */
  show(status: TorStatus): void {
    if (this.#life.signal.aborted) return
    this.#setStatus(status)
  }

  /** Breaks the provider as when Tor crashes: services and streams end, nothing works any more. */
  lose(reason = 'Tor crashed.'): void {
    this.#end({ phase: 'lost', reason })
  }

  async connect(
    target: TorTarget,
    circuit: CircuitToken,
    options: ConnectOptions = {}
  ): Promise<Duplex> {
    this.#life.signal.throwIfAborted()
    // Not used but for its checks of the token.
    void new Socks5Handshake({ destination: socksDestination(target), circuit })
    this.#network.record({ target, circuit })
    using deadline = new Deadline(this.#clock, {
      deadlineMs: options.deadlineMs ?? 15_000,
      code: 'tor-timeout',
      signal: this.#whileAlive(options.signal)
    })
    const { signal } = deadline
    if (this.#connectMs > 0) await wait(this.#clock, this.#connectMs, signal)
    else await orAborted(Promise.resolve(), signal)
    const stream = this.#network.dial(target)
    if (stream === 'frozen') return await orAborted(new Promise<never>(() => {}), signal)
    if (stream === 'unreachable') throw failure('tor-unreachable', 0xf0)
    if (stream === 'unauthorised') throw failure('tor-unauthorised', 0xf5)
    this.#keep(stream, circuit)
    if (options.initialData !== undefined && options.initialData.length > 0) {
      stream.write(options.initialData)
    }
    return stream
  }

  async listen(
    service: OnionService,
    onStream: (stream: Duplex) => void,
    options: AbortOptions = {}
  ): Promise<OnionListener> {
    using deadline = new Deadline(this.#clock, {
      deadlineMs: 30_000,
      code: 'tor-control',
      signal: this.#whileAlive(options.signal)
    })
    if (deadline.signal.aborted) throw deadline.signal.reason
    const publicKey = onionPublicKeyOfSeed(service.seed)
    const target: TorTarget = { kind: 'onion', publicKey, port: service.port }
    const id = socksDestination(target).host
    this.#services.get(id)?.end()
    const running = new FakeService()
    this.#services.set(id, running)
    running.publish(this.#clock, this.#publicationMs, () =>
      this.#network.accept(target, (stream) => {
        this.#keep(stream, undefined)
        onStream(stream)
      })
    )
    const dispose = async (): Promise<void> => {
      running.end()
      if (this.#services.get(id) === running) this.#services.delete(id)
    }
    return { publicKey, published: running.published, [Symbol.asyncDispose]: dispose }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end({ phase: 'stopped' })
  }

  #whileAlive(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#life.signal : AbortSignal.any([this.#life.signal, signal])
  }

  #keep(stream: Duplex, circuit: CircuitToken | undefined): void {
    this.#streams.set(stream, circuit)
    stream.once('close', () => this.#streams.delete(stream))
  }

  #setStatus(status: TorStatus): void {
    this.#status = status
    for (const listener of this.#listeners) listener(status)
  }

  #end(status: TorStatus): void {
    if (this.#life.signal.aborted) return
    this.#life.abort(new HushlampError('tor-lost'))
    for (const service of this.#services.values()) service.end()
    this.#services.clear()
    for (const stream of this.#streams.keys()) stream.destroy()
    this.#setStatus(status)
  }
}

class FakeService {
  readonly published: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: HushlampError) => void = () => {}
  #cancel: () => void = () => {}

  constructor() {
    this.published = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.published.catch(() => {})
  }

  publish(clock: Pick<Clock, 'after'>, delayMs: number, open: () => () => void): void {
    const publish = (): void => {
      this.#cancel = open()
      this.#resolve()
    }
    if (delayMs > 0) this.#cancel = clock.after(delayMs, publish)
    else publish()
  }

  end(): void {
    this.#cancel()
    this.#reject(new HushlampError('tor-lost'))
  }
}

function failure(code: 'tor-unreachable' | 'tor-unauthorised', reply: number): HushlampError {
  return new HushlampError(code, undefined, { cause: new SocksReplyError(reply) })
}
