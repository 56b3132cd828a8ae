import { compareBytes } from '@hushlamp/shared'
import type { AbortOptions, Clock, RegistryLimits, RegistryRow, ResultCode } from '@hushlamp/shared'

import type { Logger } from '../log.ts'
import type { NodeMeter } from '../metrics/node-meter.ts'
import type { RowStore } from '../store/row-store.ts'
import type { FrameStream } from './channel.ts'
import { distance, placeOfKey } from './distance.ts'
import { Membership } from './membership.ts'
import type { MakePeerNetwork, PeerNetwork } from './peer-network.ts'
import type { FetchAnswer, StoreAnswer } from './policies.ts'
import { replicas } from './quorum.ts'
import type { Candidate } from './quorum.ts'
import { Reconciler } from './reconciler.ts'
import type { OtherHolder } from './reconciler.ts'
import { Repairer } from './repairer.ts'
import { Replicator } from './replicator.ts'
import type { Holders, Operation, Reply } from './replicator.ts'
import { StoreService } from './store-service.ts'
import type { OverlayTimings } from './timings.ts'
import { rememberingVerify } from './verified-ownerships.ts'
import { compareReplyOf, fetchReplyOf, ringDigest, storeReplyOf } from './wire.ts'
import type { Contact, FetchReply } from './wire.ts'

/** What the overlay is made of. */
export interface OverlayComponents {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: RowStore
  readonly makeNetwork: MakePeerNetwork
  /** Where requests between nodes and repairs are counted. */
  readonly meter?: Pick<NodeMeter, 'asked' | 'served' | 'repaired'> | undefined
  /** HTTP addresses of this node that others may hand out. */
  httpAddresses(): readonly string[]
}

/** How the overlay is configured. */
export interface OverlayInit {
  /** Multiaddresses of nodes to join. */
  readonly bootstrap: readonly string[]
  readonly limits: RegistryLimits
  readonly timings: OverlayTimings
}

/** Candidates taken from the own table, more than the replicas, because some may turn out to be gone. */
const startCandidates = replicas + 4
/** This node among the others: who holds what, asked and answered over the store protocol. */
export class Overlay implements Holders {
  readonly #components: OverlayComponents
  readonly #init: OverlayInit
  readonly #network: PeerNetwork
  readonly #membership: Membership
  readonly #service: StoreService
  readonly #replicator: Replicator
  readonly #repairer: Repairer
  readonly #verify = rememberingVerify()

  private constructor(components: OverlayComponents, init: OverlayInit, network: PeerNetwork) {
    const { clock, logger, store, meter } = components
    this.#components = components
    this.#init = init
    this.#network = network
    const membership = new Membership(
      { clock, logger, network, meter },
      {
        bootstrap: init.bootstrap,
        timings: init.timings,
        httpAddresses: () => components.httpAddresses(),
        changed: (id) => this.#repairer.changed(id)
      }
    )
    this.#membership = membership
    this.#service = new StoreService(
      {
        clock,
        store,
        meter,
        closest: (place, ring) => (this.#knowsSame(place, ring) ? [] : membership.contacts(place)),
        verify: this.#verify,
        neighbours: (id) =>
          membership
            .contacts(network.placeOf(id) ?? membership.place)
            .filter((contact) => contact.id !== id),
        hello: (id, addresses) => {
          membership.book.hear(id)
          membership.book.answered(id, addresses)
        },
        bye: (id) => membership.left(id),
        httpAddresses: () => components.httpAddresses()
      },
      { limits: init.limits }
    )
    this.#replicator = new Replicator({ clock, holders: this }, init.timings)
    const marginSeconds = Math.ceil(init.timings.requestTimeoutMs / 1000) + 1
    const reconciler = new Reconciler({ clock, store }, { marginSeconds })
    this.#repairer = new Repairer(
      {
        clock,
        logger,
        entries: () => store.entries(),
        ring: (place) => this.#ring(place, replicas),
        candidate: (id, place) => membership.book.candidate(id, place),
        reconcile: async (id, keys) => reconciler.reconcile(this.#holder(id), keys)
      },
      {
        churnDelayMs: init.timings.churnDelayMs,
        intervalMs: init.timings.repairIntervalMs,
        handOverMs: init.timings.handOverMs
      }
    )
  }

  /**
   * Listens, and tries to join the network once.
   *
   * @throws HushlampError `address-in-use` or `config-invalid`
   */
  static async start(components: OverlayComponents, init: OverlayInit): Promise<Overlay> {
    let overlay: Overlay | undefined
    const when =
      <Arguments extends unknown[]>(act: (overlay: Overlay, ...args: Arguments) => void) =>
      (...args: Arguments): void => {
        if (overlay !== undefined) act(overlay, ...args)
      }
    const network = await components.makeNetwork({
      connected: when((self, id: string) => self.#membership.connected(id)),
      disconnected: when((self, id: string) => self.#membership.disconnected(id)),
      addresses: when((self, id: string, addresses: readonly string[]) => {
        self.#membership.book.hear(id)
        self.#membership.book.setAddresses(id, addresses)
      }),
      stream: when((self, id: string, stream: FrameStream) => {
        void self.#service.serve(id, stream)
      })
    })
    overlay = new Overlay(components, init, network)
    try {
      await network.start()
    } catch (error) {
      await network.stop()
      throw error
    }
    await overlay.#membership.start()
    overlay.#repairer.start()
    return overlay
  }

  /** Hands over what this node holds, as far as the time allows, and leaves the network. */
  async stop(): Promise<void> {
    await this.#repairer.stop()
    await this.#repairer.handOver()
    await this.#membership.stop()
    await this.#network.stop()
  }

  /** Peer id of this node. */
  get peerId(): string {
    return this.#network.id
  }

  /** Multiaddresses of this node. */
  get addresses(): readonly string[] {
    return this.#network.addresses
  }

  /** How many peers are connected. */
  get peers(): number {
    return this.#membership.peers
  }

  /** Distances of up to `count` nodes that are closest to this one, the closest first. */
  neighbourDistances(count: number): readonly Uint8Array[] {
    return this.#membership.closest(this.#membership.place, count).map((peer) => peer.distance)
  }

  /** HTTP addresses that connected peers announced. */
  get httpAddresses(): readonly string[] {
    return this.#membership.book.httpAddresses()
  }

  /** Stores a row with the holders of its key. */
  async put(key: Uint8Array, row: RegistryRow, options?: AbortOptions): Promise<ResultCode> {
    return this.#replicator.store(key, row, options)
  }

  /** All live rows of a key, merged from its holders. */
  async get(key: Uint8Array, options?: AbortOptions): Promise<readonly RegistryRow[]> {
    return this.#replicator.fetch(key, options)
  }

  /** Hands everything held here to those who should hold it, now. */
  async repair(): Promise<void> {
    await this.#repairer.repairAll()
  }

  get isolated(): boolean {
    return this.#membership.isolated
  }

  candidates(place: Uint8Array): {
    candidates: readonly Candidate[]
    lost: readonly Candidate[]
  } {
    return {
      candidates: this.#ring(place, startCandidates),
      lost: this.#membership.book.missing(place)
    }
  }

  slowAfterMs(id: string, request: 'store' | 'fetch'): number {
    return this.#membership.slowAfterMs(id, request)
  }

  /** The closest nodes to a place, this one included, and `count` others at most. */
  #ring(place: Uint8Array, count: number): Candidate[] {
    const self: Candidate = {
      id: this.#network.id,
      distance: distance(this.#membership.place, place),
      proven: true,
      local: true
    }
    const others = this.#membership.closest(place, count)
    return [self, ...others].sort((a, b) => compareBytes(a.distance, b.distance))
  }

  #knowsSame(place: Uint8Array, ring: Uint8Array): boolean {
    return compareBytes(this.#ringDigest(place), ring) === 0
  }

  #ringDigest(place: Uint8Array): Uint8Array {
    const closest = this.#ring(place, replicas).slice(0, replicas)
    return ringDigest(closest.map(({ id }) => id))
  }

  async store(
    id: string,
    { key, place, ring }: Operation,
    row: RegistryRow
  ): Promise<Reply<StoreAnswer>> {
    if (id === this.#network.id) {
      return { answer: await this.#components.store.offer(key, [row]), closer: [] }
    }
    const request = { op: 'store', key, rows: [row], ring } as const
    const reply = await this.#membership.request(id, request, (body) => storeReplyOf(body, 1))
    return { answer: reply.codes, closer: this.#membership.learn(reply.closest, place) }
  }

  async fetch(id: string, { key, place, ring }: Operation): Promise<Reply<FetchAnswer>> {
    if (id === this.#network.id) {
      return { answer: await this.#components.store.rows(key), closer: [] }
    }
    const reply = await this.#membership.request(id, { op: 'fetch', key, ring }, (body) =>
      this.#rowsOf(body, key)
    )
    return { answer: reply.rows, closer: this.#membership.learn(reply.closest, place) }
  }

  #holder(id: string): OtherHolder {
    // Where the other one knows closer nodes, those are met, and then have their part in the repair.
    const request = async <Answer extends { readonly closest: readonly Contact[] }>(
      asked:
        | { readonly op: 'store'; readonly rows: readonly RegistryRow[] }
        | { readonly op: 'fetch' },
      key: Uint8Array,
      parse: (body: readonly unknown[]) => Answer
    ): Promise<Answer> => {
      const place = placeOfKey(key)
      const ring = this.#ringDigest(place)
      const reply = await this.#membership.request(id, { ...asked, key, ring }, parse)
      this.#membership.meet(reply.closest, place)
      return reply
    }
    return {
      id,
      compare: async (keys) =>
        this.#membership.request(id, { op: 'compare', keys }, (body) =>
          compareReplyOf(body, keys.length)
        ),
      fetch: async (key) => {
        const { rows } = await request({ op: 'fetch' }, key, (body) => this.#rowsOf(body, key))
        return rows
      },
      store: async (key, rows) => {
        await request({ op: 'store', rows }, key, (body) => storeReplyOf(body, rows.length))
        this.#components.meter?.repaired(rows.length)
      }
    }
  }

  #rowsOf(body: readonly unknown[], key: Uint8Array): FetchReply {
    const now = this.#components.clock.unixSeconds()
    return fetchReplyOf(body, key, this.#init.limits, now, this.#verify)
  }
}
