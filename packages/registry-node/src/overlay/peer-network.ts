import type { FrameStream } from './channel.ts'

/** Called when something happens in the overlay. */
export interface PeerNetworkEvents {
  /** A peer that speaks the store protocol is connected. */
  connected(id: string): void
  /** The last connection to such a peer is closed. */
  disconnected(id: string): void
  /** A peer told its addresses. */
  addresses(id: string, addresses: readonly string[]): void
  /** A peer opened a stream of the store protocol. */
  stream(id: string, stream: FrameStream): void
}

/**
 * What the overlay needs of a network: connections, streams, Kademlia's routing table. Peers are named by their ids.
 * libp2p is one such network; the simulator is another.
 */
export interface PeerNetwork {
  /** This node's peer id. */
  readonly id: string
  /** Multiaddresses under which this node listens, with its peer id. */
  readonly addresses: readonly string[]
  /** Where a peer id stands in the space of keys, undefined where it is none. */
  placeOf(id: string): Uint8Array | undefined
  /**
   * Listens.
   *
   * @throws HushlampError `address-in-use` or `config-invalid`
   */
  start(): Promise<void>
  /** Closes all connections. */
  stop(): Promise<void>
  /** Connects to a multiaddress. Rejects if that fails. */
  dial(address: string, signal: AbortSignal): Promise<void>
  /** Opens a stream of the store protocol to a peer, by a connection that exists or else by one of `addresses`. */
  open(id: string, addresses: readonly string[], signal: AbortSignal): Promise<FrameStream>
  /** Takes a peer out of the routing table, and if `hangUp` is given, closes the connections to it. */
  forget(id: string, hangUp: boolean): Promise<void>
  /** The closest nodes to a place that the routing table holds. */
  closest(place: Uint8Array, count: number): string[]
}

/** Makes a network that reports to `events`; nothing listens or dials before {@link PeerNetwork.start}. */
export type MakePeerNetwork = (events: PeerNetworkEvents) => Promise<PeerNetwork>
