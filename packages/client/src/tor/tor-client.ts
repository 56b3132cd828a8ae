import type { Duplex } from 'node:stream'

import { HushlampError, base64, wipe } from '@hushlamp/shared'
import type { AbortOptions, Clock, Random } from '@hushlamp/shared'

import { systemClock, systemRandom } from '../system-ports.ts'
import type { ControlConnection } from './control-connection.ts'
import type { ControlEvent } from './control-reply-parser.ts'
import { Deadline } from './deadline.ts'
import type { LocalAddress } from './local-socket.ts'
import { expandedSecretKey, onionHost, onionPublicKeyOfSeed } from './onion-address.ts'
import { RunningService } from './running-service.ts'
import { ServiceSockets } from './service-sockets.ts'
import type { ServiceSocket, ServiceSocketsInit } from './service-sockets.ts'
import { connectBySocks } from './socks5.ts'
import { afterClientStatus, bootstrapStatus, initialBootstrap } from './tor-bootstrap.ts'
import type { BootstrapState } from './tor-bootstrap.ts'
import type {
  CircuitToken,
  ConnectOptions,
  OnionListener,
  OnionService,
  TorProvider,
  TorStatus,
  TorTarget
} from './tor-provider.ts'

/** What a {@link TorClient} needs from others. */
export interface TorClientComponents {
  /** Long-lived: our onion services live and die with it. Belongs to the client from now on. */
  readonly control: ControlConnection
  /** Ends the Tor process, if it is ours. */
  readonly stopTor?: () => Promise<void>
  /** Default: the clock of the system. */
  readonly clock?: Pick<Clock, 'after'>
  /** Default: the generator of the system. */
  readonly random?: Random
}

/** How a {@link TorClient} reaches Tor and is reached by it. */
export interface TorClientInit {
  readonly socks: LocalAddress
  readonly services?: ServiceSocketsInit
}

/** How long {@link TorClient.ready} waits. */
export interface ReadyOptions extends AbortOptions {
  /** How long Tor may stand still before that is an error. It is never restarted for it. Default 300,000. */
  readonly stallMs?: number
}

/**
 * The {@link TorProvider} over a real Tor: streams by its SOCKS port, onion services by its control port. It never dials
 * anything but these two.
 */
export class TorClient implements TorProvider {
  readonly #control: ControlConnection
  readonly #stopTor: (() => Promise<void>) | undefined
  readonly #clock: Pick<Clock, 'after'>
  readonly #socks: LocalAddress
  readonly #sockets: ServiceSockets
  readonly #listeners = new Set<(status: TorStatus) => void>()
  readonly #services = new Map<string, RunningService>()
  readonly #streams = new Set<Duplex>()
  /** Aborted with `tor-lost` when this client is of no more use. */
  readonly #life = new AbortController()
  #bootstrap: BootstrapState = initialBootstrap
  #status: TorStatus = bootstrapStatus(initialBootstrap)
  #disposed: Promise<void> | undefined

  private constructor(components: TorClientComponents, init: TorClientInit) {
    this.#control = components.control
    this.#stopTor = components.stopTor
    this.#clock = components.clock ?? systemClock
    this.#socks = init.socks
    this.#sockets = new ServiceSockets({ random: components.random ?? systemRandom }, init.services)
    this.#control.onEvent((event) => this.#onEvent(event))
    const lost = { phase: 'lost', reason: 'Tor ended or closed its control connection.' } as const
    void this.#control.closed.then(() => this.#end(lost))
  }

  /**
   * Takes over an authenticated control connection. The client may still be `starting` afterwards, see {@link ready}.
   *
   * Errors: those of {@link ControlConnection.ok}; the connection is closed then.
   */
  static async attach(
    components: TorClientComponents,
    init: TorClientInit,
    options: AbortOptions = {}
  ): Promise<TorClient> {
    const { control } = components
    const client = new TorClient(components, init)
    try {
      await control.ok('SETEVENTS STATUS_CLIENT HS_DESC', options)
      const questions = 'status/bootstrap-phase status/circuit-established'
      const { lines } = await control.ok(`GETINFO ${questions}`, options)
      client.#takeInfo(lines)
      return client
    } catch (error) {
      await control.close()
      throw error
    }
  }

  get status(): TorStatus {
    return this.#status
  }

  onStatus(listener: (status: TorStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Fulfilled once Tor has circuits. Nothing has to wait for it: services may be added and streams asked for before.
   *
   * Errors: `tor-bootstrap-stalled` where nothing has changed for `stallMs` (one may simply wait again), `tor-lost`,
   * `aborted`.
   */
  async ready(options: ReadyOptions = {}): Promise<void> {
    const { stallMs = 300_000 } = options
    for (;;) {
      const before = this.#status
      if (before.phase === 'ready') return
      if (before.phase !== 'starting') throw new HushlampError('tor-lost')
      using deadline = new Deadline(this.#clock, {
        deadlineMs: stallMs,
        code: 'tor-bootstrap-stalled',
        message: `Tor makes no progress: ${before.summary} (${before.progress} %).`,
        signal: options.signal
      })
      await this.#change(deadline.signal)
    }
  }

  async connect(
    target: TorTarget,
    circuit: CircuitToken,
    options: ConnectOptions = {}
  ): Promise<Duplex> {
    this.#life.signal.throwIfAborted()
    const stream = await connectBySocks(
      { clock: this.#clock },
      { socks: this.#socks, target, circuit },
      { ...options, signal: this.#whileAlive(options.signal) }
    )
    this.#keep(stream)
    return stream
  }

  /**
   * As {@link TorProvider.listen}. A service that runs already under the same key is replaced, its descriptor uploaded
   * anew: that is how to recover from a long sleep of the computer.
   */
  async listen(
    service: OnionService,
    onStream: (stream: Duplex) => void,
    options: AbortOptions = {}
  ): Promise<OnionListener> {
    this.#life.signal.throwIfAborted()
    if (!Number.isInteger(service.port) || service.port < 1 || service.port > 65_535) {
      throw new HushlampError('tor-address')
    }
    const publicKey = onionPublicKeyOfSeed(service.seed)
    const socket = await this.#sockets.open((stream) => {
      this.#keep(stream)
      onStream(stream)
    })
    const id = onionHost(publicKey).replace('.onion', '')
    const running = new RunningService(socket)
    this.#services.get(id)?.end()
    this.#services.set(id, running)
    const remove = async (): Promise<void> => {
      running.end()
      if (this.#services.get(id) !== running) return
      this.#services.delete(id)
      await this.#control.command(`DEL_ONION ${id}`).catch(() => {})
    }
    try {
      await this.#addOnion(id, service, socket, this.#whileAlive(options.signal))
    } catch (error) {
      void remove()
      throw error
    }
    return { publicKey, published: running.published, [Symbol.asyncDispose]: remove }
  }

  /** Ends all services and streams, the control connection, and Tor itself if it is ours. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    await this.#disposed
  }

  async #dispose(): Promise<void> {
    this.#end({ phase: 'stopped' })
    for (const stream of this.#streams) stream.destroy()
    await this.#control.close()
    await this.#stopTor?.()
    await this.#sockets[Symbol.asyncDispose]()
  }

  /** ADD_ONION without Detach (control-spec §3.27). A service that Tor runs already under this key gives way. */
  async #addOnion(
    id: string,
    service: OnionService,
    socket: ServiceSocket,
    signal: AbortSignal
  ): Promise<void> {
    const secret = expandedSecretKey(service.seed)
    const command = `ADD_ONION ED25519-V3:${base64(secret)} Port=${service.port},${socket.torAddress}`
    wipe(secret)
    const collision = 550
    const first = await this.#control.command(command, { signal })
    if (first.status === 250) return
    if (first.status === collision) await this.#control.ok(`DEL_ONION ${id}`, { signal })
    await this.#control.ok(command, { signal })
  }

  /** The next change of the status. */
  async #change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const stop = this.onStatus(() => {
        settle()
        resolve()
      })
      const onAbort = (): void => {
        settle()
        reject(signal.reason)
      }
      const settle = (): void => {
        stop()
        signal.removeEventListener('abort', onAbort)
      }
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #whileAlive(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#life.signal : AbortSignal.any([this.#life.signal, signal])
  }

  #keep(stream: Duplex): void {
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
  }

  #onEvent(event: ControlEvent): void {
    const words = event.lines[0] ?? ''
    if (event.name === 'STATUS_CLIENT') {
      this.#takeBootstrap(afterClientStatus(this.#bootstrap, words.slice(event.name.length + 1)))
    } else if (event.name === 'HS_DESC') {
      const [, action, id = ''] = words.split(' ')
      if (action === 'UPLOADED') this.#services.get(id)?.markPublished()
    }
  }

  #takeInfo(lines: readonly string[]): void {
    let state = this.#bootstrap
    for (const line of lines) {
      const [, key, value = ''] = /^([^=]*)=(.*)$/s.exec(line) ?? []
      if (key === 'status/bootstrap-phase') state = afterClientStatus(state, value)
      if (key === 'status/circuit-established') state = { ...state, circuits: value === '1' }
    }
    this.#takeBootstrap(state)
  }

  #takeBootstrap(state: BootstrapState): void {
    if (this.#life.signal.aborted) return
    this.#bootstrap = state
    this.#setStatus(bootstrapStatus(state))
  }

  #setStatus(status: TorStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return
    this.#status = status
    for (const listener of this.#listeners) listener(status)
  }

  #end(status: TorStatus): void {
    if (this.#life.signal.aborted) return
    this.#life.abort(new HushlampError('tor-lost'))
    for (const service of this.#services.values()) service.end()
    this.#services.clear()
    this.#setStatus(status)
  }
}
