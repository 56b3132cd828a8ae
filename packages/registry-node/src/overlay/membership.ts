import { isHushlampError } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import type { NodeMeter } from '../metrics/node-meter.ts'
import { ChannelError } from './channel.ts'
import { Channels } from './channels.ts'
import { PeerBook } from './peer-book.ts'
import type { PeerNetwork } from './peer-network.ts'
import { replicas } from './quorum.ts'
import type { Candidate } from './quorum.ts'
import type { OverlayTimings } from './timings.ts'
import { helloReplyOf } from './wire.ts'
import type { Contact, StoreRequest } from './wire.ts'

/** What membership works with. */
export interface MembershipComponents {
  readonly clock: Clock
  readonly logger: Logger
  readonly network: PeerNetwork
  readonly meter?: Pick<NodeMeter, 'asked'> | undefined
}

/** How a node is a member of its network. */
export interface MembershipInit {
  readonly bootstrap: readonly string[]
  readonly timings: OverlayTimings
  /** HTTP addresses of this node that others may hand out. */
  httpAddresses(): readonly string[]
  /** A peer came or went. */
  changed(id: string): void
}

/** How many lost peers are dialled again at a time. */
const retriesAtATime = 4
/** How long a node that stops waits for the others to have heard it. */
const goodbyeMs = 500
/** Up to this many connections, a lost one is made again to find out whether the peer is still there. */
const maxProbedConnections = 200

/** Who the other nodes are: joins and rejoins the network, meets neighbours, notices who is gone. */
export class Membership {
  /** The peers that are known. */
  readonly book: PeerBook
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #network: PeerNetwork
  readonly #meter: Pick<NodeMeter, 'asked'> | undefined
  readonly #init: MembershipInit
  readonly #channels: Channels
  readonly #selfPlace: Uint8Array
  #stopped = false
  #cancelRejoin: () => void = () => {}
  #ticks = 0

  constructor(components: MembershipComponents, init: MembershipInit) {
    const { clock, logger, network } = components
    this.#clock = clock
    this.#logger = logger
    this.#network = network
    this.#meter = components.meter
    this.#init = init
    this.#selfPlace = network.placeOf(network.id) ?? new Uint8Array(32)
    this.book = new PeerBook({ clock, placeOf: (id) => network.placeOf(id) }, init.timings)
    this.#channels = new Channels(
      {
        clock,
        open: async (id, signal) => network.open(id, this.book.addresses(id), signal),
        opened: (id) => this.#greet(id)
      },
      init.timings
    )
  }

  /** Tries to join once, and goes on looking after the membership. */
  async start(): Promise<void> {
    await this.#join()
    this.#scheduleRejoin()
  }

  /** Says goodbye and closes all channels. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRejoin()
    await this.#sayGoodbye()
    this.#channels.close()
  }

  /** Where this node stands in the space of keys. */
  get place(): Uint8Array {
    return this.#selfPlace
  }

  /** How many peers are connected. */
  get peers(): number {
    return this.book.connected().length
  }

  /** Whether there should be other nodes and none is connected. */
  get isolated(): boolean {
    return this.#init.bootstrap.length > 0 && this.peers === 0
  }

  /**
   * Asks a peer, and notes whether it answers. An answer that `parse` rejects is none.
   *
   * @throws HushlampError
   */
  async request<Result>(
    id: string,
    request: StoreRequest,
    parse: (body: readonly unknown[]) => Result
  ): Promise<Result> {
    const open = this.#channels.has(id)
    const askedMs = this.#clock.monotonicMs()
    const roundTrip = this.book.roundTrip(id, kindOf(request.op))
    try {
      const body = await this.#channels.request(id, request, this.#timeoutMs(id, request))
      const result = parse(body)
      this.book.answered(id)
      this.#meter?.asked(request.op, 'answered')
      if (open) roundTrip?.sample(this.#clock.monotonicMs() - askedMs)
      return result
    } catch (error) {
      const failure = error instanceof ChannelError ? error.failure : undefined
      this.#meter?.asked(request.op, failure === 'refused' ? 'refused' : 'failed')
      const excused = failure === 'refused' || (failure === 'late' && !this.book.late(id))
      if (!excused) this.#lose(id, error)
      throw error
    }
  }

  /** After how many milliseconds without an answer a peer counts as slow. */
  slowAfterMs(id: string, op: StoreRequest['op']): number {
    const { minSlowAfterMs: minMs, slowAfterMs: maxMs } = this.#init.timings
    return this.book.roundTrip(id, kindOf(op))?.hedgeMs({ minMs, maxMs }) ?? maxMs
  }

  #timeoutMs(id: string, { op }: StoreRequest): number {
    const { minRequestTimeoutMs: minMs, requestTimeoutMs: maxMs } = this.#init.timings
    return this.book.roundTrip(id, kindOf(op))?.timeoutMs({ minMs, maxMs }) ?? maxMs
  }

  #lose(id: string, error: unknown): void {
    if (this.#stopped || !this.book.lose(id)) return
    const unusable = isHushlampError(error, 'registry-malformed')
    this.#logger.debug(`a peer is lost: ${unusable ? 'unusable answer' : 'no answer'}`)
    this.#channels.drop(id)
    // Silence may be that of a connection which is dead without knowing; a closed stream proves that it is not.
    const silent = !(error instanceof ChannelError && error.failure === 'closed')
    this.#network.forget(id, silent).catch(() => {})
    this.#init.changed(id)
  }

  /** A peer said that it leaves. */
  left(id: string): void {
    this.book.leave(id)
    this.#init.changed(id)
  }

  /** A peer that speaks the store protocol is connected. */
  connected(id: string): void {
    this.book.hear(id)
    this.book.connect(id)
    this.#logger.debug(`connected peers: ${this.peers}`)
    // Says hello in both directions, and makes the stream that requests will need.
    this.#channels.prepare(id).catch((error: unknown) => this.#lose(id, error))
    this.#init.changed(id)
  }

  /** The last connection to such a peer is closed. */
  disconnected(id: string): void {
    this.book.disconnect(id)
    this.#channels.drop(id)
    this.#logger.debug(`connected peers: ${this.peers}`)
    if (this.#stopped || this.book.isLost(id) || this.peers > maxProbedConnections) return
    this.#channels.prepare(id).catch((error: unknown) => this.#lose(id, error))
  }

  #greet(id: string): void {
    const hello = { op: 'hello', httpAddresses: this.#init.httpAddresses() } as const
    this.request(id, hello, helloReplyOf).then(
      ({ httpAddresses, closest }) => {
        this.book.answered(id, httpAddresses)
        this.meet(closest, this.#selfPlace)
      },
      () => {}
    )
  }

  /** Connects to neighbours of a place that were named. Those answer with their own: so a node finds all of its own. */
  meet(contacts: readonly Contact[], place: Uint8Array): void {
    if (this.#stopped) return
    const known = new Set(this.book.connected())
    for (const { id } of this.learn(contacts, place)) {
      if (known.has(id)) continue
      this.#channels.prepare(id).catch((error: unknown) => this.#lose(id, error))
    }
  }

  /** Notes the nodes that a peer named, and gives those worth asking as candidates for a place. */
  learn(contacts: readonly Contact[], place: Uint8Array): Candidate[] {
    return contacts.flatMap(({ id, addresses }) => {
      if (id === this.#network.id) return []
      this.book.hear(id, addresses)
      return this.book.isLost(id) ? [] : (this.book.candidate(id, place) ?? [])
    })
  }

  /** The closest peers to a place that this node knows, from the closest to the farthest. */
  closest(place: Uint8Array, count: number): readonly Candidate[] {
    const table = this.#network.closest(place, count)
    for (const id of table) this.book.hear(id)
    return this.book.closest(place, table, count)
  }

  /** The closest peers to a place as they can be named to others. */
  contacts(place: Uint8Array): readonly Contact[] {
    return this.closest(place, replicas).flatMap(({ id }) => {
      const addresses = this.book.addresses(id)
      return addresses.length === 0 ? [] : [{ id, addresses }]
    })
  }

  async #join(): Promise<void> {
    const { bootstrap, timings } = this.#init
    const abort = new AbortController()
    const cancel = this.#clock.after(timings.dialTimeoutMs, () => abort.abort())
    const dials = bootstrap.map(async (address) => this.#network.dial(address, abort.signal))
    const outcomes = await Promise.allSettled(dials)
    cancel()
    const failed = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [errorCode(outcome.reason)] : []
    )
    if (failed.length > 0 && failed.length === bootstrap.length && !this.#stopped) {
      this.#logger.warn(`no bootstrap node can be reached: ${failed.join(', ')}`)
    }
  }

  #scheduleRejoin(): void {
    this.#cancelRejoin = this.#clock.after(this.#init.timings.rejoinIntervalMs, () => {
      void this.#rejoin().finally(() => {
        if (!this.#stopped) this.#scheduleRejoin()
      })
    })
  }

  async #rejoin(): Promise<void> {
    this.book.forget()
    const connected = this.book.connected()
    const someone = connected[this.#ticks++ % Math.max(connected.length, 1)]
    if (someone !== undefined) this.#greet(someone)
    const lost = this.peers > maxProbedConnections ? [] : this.book.retryable(retriesAtATime)
    await Promise.all([
      ...(this.isolated ? [this.#join()] : []),
      ...lost.map(async (id) =>
        this.#channels.prepare(id).catch((error: unknown) => this.#lose(id, error))
      )
    ])
  }

  async #sayGoodbye(): Promise<void> {
    const late = Promise.withResolvers<void>()
    const cancel = this.#clock.after(goodbyeMs, () => late.resolve())
    const said = this.book
      .connected()
      .map(async (id) => this.#channels.request(id, { op: 'bye' }, goodbyeMs))
    await Promise.race([Promise.allSettled(said), late.promise])
    cancel()
  }
}

function kindOf(op: StoreRequest['op']): 'quick' | 'durable' {
  return op === 'store' ? 'durable' : 'quick'
}
