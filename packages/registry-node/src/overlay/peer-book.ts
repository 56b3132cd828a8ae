import type { Clock } from '@hushlamp/shared'

import { distance } from './distance.ts'
import { nearest } from './nearest.ts'
import type { Candidate } from './quorum.ts'
import { RoundTrip } from './round-trip.ts'

/** What a node knows of another. */
interface Peer {
  readonly id: string
  readonly place: Uint8Array
  /** How long it takes to answer: from memory, and after it has written to disk. */
  readonly roundTrips: { readonly quick: RoundTrip; readonly durable: RoundTrip }
  /** Multiaddresses, those that the peer itself told or else those that others told of it. */
  addresses: readonly string[]
  /** Has a connection and speaks the store protocol. */
  connected: boolean
  /** Has answered at some time. */
  proven: boolean
  httpAddresses: readonly string[]
  /** How often in a row it has not answered. */
  failures: number
  /** How many requests in a row it has let pass without an answer, while it seemed to be there. */
  late: number
  /** When it failed last. */
  failedMs: number
  /** When it failed first, after it had answered. */
  failingSinceMs: number
  /** When something was last heard of it. */
  heardMs: number
}

/** How often the time for which a peer that failed is left alone is doubled: so a network that was split soon heals. */
const doublings = 3
/** How long a peer that failed is counted as a missing holder. */
const missingMs = 60_000
/** How long a peer that is silent is remembered. */
const forgetMs = 3_600_000
const maxPeers = 5000

/**
 * The peers that this node has met or heard of: who is there, who has just been lost, under which addresses. It makes up
 * for two traits of the routing table: that keeps dead peers, and in small networks misses living ones.
 */
export class PeerBook {
  readonly #clock: Clock
  readonly #placeOf: (id: string) => Uint8Array | undefined
  readonly #peers = new Map<string, Peer>()
  readonly #connected = new Set<Peer>()
  readonly #retryLostMs: number

  /**
   * `placeOf` tells where a peer id stands in the space of keys, undefined where it is no peer id. A peer that failed is
   * left alone for `retryLostMs`, longer when it fails again.
   */
  constructor(
    components: { clock: Clock; placeOf: (id: string) => Uint8Array | undefined },
    init: { retryLostMs: number }
  ) {
    this.#clock = components.clock
    this.#placeOf = components.placeOf
    this.#retryLostMs = init.retryLostMs
  }

  /** Notes a peer and, where it has none yet, its addresses. */
  hear(id: string, addresses: readonly string[] = []): void {
    const peer = this.#peers.get(id)
    if (peer !== undefined) {
      if (peer.addresses.length === 0) peer.addresses = addresses
      return
    }
    if (this.#peers.size >= maxPeers) this.#makeRoom()
    const place = this.#placeOf(id)
    if (place === undefined || this.#peers.size >= maxPeers) return
    this.#peers.set(id, {
      id,
      place,
      roundTrips: { quick: new RoundTrip(), durable: new RoundTrip() },
      addresses,
      connected: false,
      proven: false,
      httpAddresses: [],
      failures: 0,
      late: 0,
      failedMs: -Infinity,
      failingSinceMs: -Infinity,
      heardMs: this.#clock.monotonicMs()
    })
  }

  /** The peer itself told its addresses. */
  setAddresses(id: string, addresses: readonly string[]): void {
    const peer = this.#peers.get(id)
    if (peer !== undefined && addresses.length > 0) peer.addresses = addresses
  }

  /** The peer has a connection now. That alone does not make up for silence to requests. */
  connect(id: string): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.connected = true
    this.#connected.add(peer)
  }

  /** The last connection to the peer is closed. */
  disconnect(id: string): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.connected = false
    this.#connected.delete(peer)
  }

  /** The peer answered. */
  answered(id: string, httpAddresses?: readonly string[]): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.proven = true
    peer.failures = 0
    peer.late = 0
    peer.heardMs = this.#clock.monotonicMs()
    if (httpAddresses !== undefined) peer.httpAddresses = httpAddresses
  }

  /** How long the peer takes to answer: `durable` where it has to write to disk before. */
  roundTrip(id: string, kind: 'quick' | 'durable'): RoundTrip | undefined {
    return this.#peers.get(id)?.roundTrips[kind]
  }

  /**
   * The peer let a request pass. Answers whether it is lost: once may be a moment of bad luck, twice is silence.
   */
  late(id: string): boolean {
    const peer = this.#peers.get(id)
    return peer === undefined || ++peer.late >= 2
  }

  /** The peer did not answer, or could not be reached. Answers whether that is news. */
  lose(id: string): boolean {
    const peer = this.#peers.get(id)
    if (peer === undefined || this.isLost(id)) return false
    peer.failedMs = this.#clock.monotonicMs()
    if (peer.failures++ === 0) peer.failingSinceMs = peer.failedMs
    // They were hearsay, and may have been false: the next one who names the peer may know better.
    if (!peer.proven && !peer.connected) peer.addresses = []
    return true
  }

  /** The peer said that it leaves: like a lost one, but nobody counts on it any more. */
  leave(id: string): void {
    this.lose(id)
    const peer = this.#peers.get(id)
    if (peer !== undefined) peer.proven = false
  }

  /** Whether the peer failed a short time ago and is to be left alone. */
  isLost(id: string): boolean {
    const peer = this.#peers.get(id)
    return peer !== undefined && this.#leftAlone(peer)
  }

  #leftAlone(peer: Peer): boolean {
    if (peer.failures === 0) return false
    const retryMs = this.#retryLostMs * 2 ** Math.min(peer.failures - 1, doublings)
    return this.#clock.monotonicMs() - peer.failedMs < retryMs
  }

  /** Up to `count` peers that once answered, are not connected, and have been left alone for longest, and long enough. */
  retryable(count: number): string[] {
    return [...this.#peers.values()]
      .filter((peer) => peer.proven && !this.#leftAlone(peer))
      .filter((peer) => peer.failures > 0 || !peer.connected)
      .sort((a, b) => a.failedMs - b.failedMs)
      .slice(0, count)
      .map(({ id }) => id)
  }

  /** Peers that are connected and do not fail to answer. */
  connected(): string[] {
    return [...this.#connected].filter((peer) => !this.#leftAlone(peer)).map(({ id }) => id)
  }

  /** Multiaddresses under which the peer is said to be. */
  addresses(id: string): readonly string[] {
    return this.#peers.get(id)?.addresses ?? []
  }

  /** HTTP addresses that connected peers announced. */
  httpAddresses(): string[] {
    return [...this.#connected].flatMap((peer) => peer.httpAddresses)
  }

  /** The candidate that a peer is for a key. */
  candidate(id: string, target: Uint8Array): Candidate | undefined {
    const peer = this.#peers.get(id)
    if (peer === undefined) return undefined
    return { id, distance: distance(peer.place, target), proven: peer.proven }
  }

  /** The connected peers and those of `table`, without the lost, from the closest to the farthest. */
  closest(target: Uint8Array, table: readonly string[], count: number): Candidate[] {
    return nearest(this.#reachable(table), ({ place }) => place, target, count).map((peer) => ({
      id: peer.id,
      distance: distance(peer.place, target),
      proven: peer.proven
    }))
  }

  *#reachable(table: readonly string[]): Generator<Peer> {
    for (const peer of this.#connected) if (!this.#leftAlone(peer)) yield peer
    for (const id of table) {
      const peer = this.#peers.get(id)
      if (peer !== undefined && !peer.connected && !this.#leftAlone(peer)) yield peer
    }
  }

  /** Peers that answered once and failed a short time ago: holders that are missing. */
  missing(target: Uint8Array): Candidate[] {
    const since = this.#clock.monotonicMs() - missingMs
    return [...this.#peers].flatMap(([id, peer]) => {
      const missing = peer.proven && peer.failures > 0 && peer.failingSinceMs > since
      return missing ? (this.candidate(id, target) ?? []) : []
    })
  }

  /** Forgets those of whom nothing has been heard for long. */
  forget(): void {
    const now = this.#clock.monotonicMs()
    for (const [id, peer] of this.#peers) {
      if (!peer.connected && now - peer.heardMs > forgetMs) this.#peers.delete(id)
    }
  }

  #makeRoom(): void {
    this.forget()
    for (const [id, peer] of this.#peers) {
      if (!peer.connected && !peer.proven) this.#peers.delete(id)
    }
  }
}
