import { HushlampError } from '@hushlamp/shared'
import { identify } from '@libp2p/identify'
import type { Identify } from '@libp2p/identify'
import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import type { KadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import type { Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

import type { FrameStream } from './channel.ts'
import { placeOfNode } from './distance.ts'
import { frameStream } from './frame-stream.ts'
import { nearest } from './nearest.ts'
import type { PeerNetwork, PeerNetworkEvents } from './peer-network.ts'
import { storeProtocol } from './wire.ts'

const kademliaProtocol = '/hushlamp/kad/1'

/** Streams of all protocols over one connection. */
const maxStreamsPerPeer = 64
/** A peer that does not read loses its stream when this much waits for it. */
const maxUnsentBytes = 4 * 1024 * 1024

interface Services extends Record<string, unknown> {
  identify: Identify
  ping: Ping
  dht: KadDHT
}

/** The parts of kad-dht that its published types leave out. */
interface OpenKadDHT {
  readonly routingTable: {
    addEventListener(
      event: 'peer:add' | 'peer:remove',
      listener: (event: { readonly detail: PeerId }) => void
    ): void
    remove(peer: PeerId): Promise<void>
  }
  readonly rpc: { readonly handlers: Record<string, unknown> }
}

/** What kad-dht answers to strangers. It would also keep values and provider records of anybody, without a limit. */
const answeredMessages = ['FIND_NODE', 'PING']

/** How the node appears in libp2p. */
export interface Libp2pNetworkInit {
  /** Multiaddress to listen on. */
  readonly listen: string
  readonly key: PrivateKey
}

/** libp2p and nothing else: connections, streams, Kademlia's routing table. All peers are named by their peer id. */
export class Libp2pNetwork implements PeerNetwork {
  readonly #p2p: Libp2p<Services>
  readonly #events: PeerNetworkEvents
  readonly #dht: OpenKadDHT
  /** The peers in the routing table with their places: the table itself computes a hash of each at every question. */
  readonly #table = new Map<string, Uint8Array>()

  private constructor(p2p: Libp2p<Services>, events: PeerNetworkEvents) {
    const { dht } = p2p.services
    if (!isOpen(dht)) throw new TypeError('kad-dht no longer shows its parts')
    this.#p2p = p2p
    this.#events = events
    this.#dht = dht
    for (const message of Object.keys(dht.rpc.handlers)) {
      if (!answeredMessages.includes(message)) delete dht.rpc.handlers[message]
    }
    dht.routingTable.addEventListener('peer:add', ({ detail: peer }) => {
      this.#table.set(peer.toString(), placeOfNode(peer.toMultihash().bytes))
    })
    dht.routingTable.addEventListener('peer:remove', ({ detail: peer }) => {
      this.#table.delete(peer.toString())
    })
  }

  /** Makes the network; nothing listens or dials before {@link Libp2pNetwork.start}. */
  static async create(
    components: { events: PeerNetworkEvents },
    init: Libp2pNetworkInit
  ): Promise<Libp2pNetwork> {
    const p2p = await createLibp2p<Services>({
      start: false,
      privateKey: init.key,
      addresses: { listen: [init.listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [
        yamux({
          maxInboundStreams: maxStreamsPerPeer,
          maxOutboundStreams: maxStreamsPerPeer,
          streamOptions: { inactivityTimeout: 600_000, maxWriteBufferLength: maxUnsentBytes }
        })
      ],
      connectionGater: { denyDialMultiaddr: () => false },
      // A peer that is gone is noticed by its silence to requests, at no cost while all is well.
      connectionMonitor: { enabled: false },
      connectionManager: {
        maxConnections: 500,
        // The defaults, 5 a second and 10 at a time, are too few for many volunteers behind one address.
        inboundConnectionThreshold: 100,
        maxIncomingPendingConnections: 100,
        reconnectRetries: 0
      },
      services: {
        identify: identify(),
        ping: ping(),
        dht: kadDHT({
          protocol: kademliaProtocol,
          clientMode: false,
          peerInfoMapper: passthroughMapper,
          allowQueryWithZeroPeers: true,
          initialQuerySelfInterval: 250,
          maxInboundStreams: 4
        })
      }
    })
    return new Libp2pNetwork(p2p, components.events)
  }

  /** This node's peer id. */
  get id(): string {
    return this.#p2p.peerId.toString()
  }

  /** Multiaddresses under which this node listens, with its peer id. */
  get addresses(): string[] {
    return this.#p2p.getMultiaddrs().map((address) => address.toString())
  }

  placeOf(id: string): Uint8Array | undefined {
    try {
      return placeOfNode(peerIdFromString(id).toMultihash().bytes)
    } catch {
      return undefined
    }
  }

  /**
   * Listens.
   *
   * @throws HushlampError `address-in-use` or `config-invalid`
   */
  async start(): Promise<void> {
    const events = this.#events
    this.#p2p.addEventListener('peer:update', ({ detail: { peer } }) => {
      events.addresses(
        peer.id.toString(),
        peer.addresses.map((address) => address.multiaddr.toString())
      )
    })
    await this.#p2p.register(storeProtocol, {
      onConnect: (peer) => events.connected(peer.toString()),
      onDisconnect: (peer) => events.disconnected(peer.toString())
    })
    await this.#p2p.handle(
      storeProtocol,
      (stream, connection) => events.stream(connection.remotePeer.toString(), frameStream(stream)),
      { maxInboundStreams: 4, maxOutboundStreams: 4 }
    )
    try {
      await this.#p2p.start()
    } catch (cause) {
      throw listenError(cause)
    }
  }

  /** Closes all connections. */
  async stop(): Promise<void> {
    await this.#p2p.stop()
  }

  /** Connects to a multiaddress. Rejects if that fails. */
  async dial(address: string, signal: AbortSignal): Promise<void> {
    await this.#p2p.dial(multiaddr(address), { signal })
  }

  /** Opens a stream of the store protocol to a peer, by a connection that exists or else by one of `addresses`. */
  async open(id: string, addresses: readonly string[], signal: AbortSignal): Promise<FrameStream> {
    const peer = peerIdFromString(id)
    const target = this.#p2p.getConnections(peer).length > 0 ? peer : withPeer(addresses, id)
    if (Array.isArray(target) && target.length === 0)
      throw new HushlampError('registry-unreachable')
    return frameStream(await this.#p2p.dialProtocol(target, storeProtocol, { signal }))
  }

  /** Takes a peer out of the routing table, and if `hangUp` is given, closes the connections to it. */
  async forget(id: string, hangUp: boolean): Promise<void> {
    const peer = peerIdFromString(id)
    this.#table.delete(id)
    await this.#dht.routingTable.remove(peer)
    if (hangUp) await this.#p2p.hangUp(peer)
  }

  /** The closest nodes to a place that the routing table holds. */
  closest(place: Uint8Array, count: number): string[] {
    return nearest(this.#table, ([, at]) => at, place, count).map(([id]) => id)
  }
}

function isOpen(dht: object): dht is OpenKadDHT {
  return 'routingTable' in dht && 'rpc' in dht && hasHandlers(dht.rpc)
}

function hasHandlers(rpc: unknown): boolean {
  if (typeof rpc !== 'object' || rpc === null || !('handlers' in rpc)) return false
  const { handlers } = rpc
  return (
    typeof handlers === 'object' &&
    handlers !== null &&
    answeredMessages.every((name) => name in handlers)
  )
}

function withPeer(addresses: readonly string[], id: string): Multiaddr[] {
  return addresses.flatMap((text) => {
    try {
      const address = multiaddr(text)
      const names = address.getComponents().map(({ name }) => name)
      return [names.includes('p2p') ? address : address.encapsulate(`/p2p/${id}`)]
    } catch {
      return []
    }
  })
}

function listenError(cause: unknown): HushlampError {
  const inUse = JSON.stringify(errorTexts(cause)).includes('EADDRINUSE')
  return inUse
    ? new HushlampError('address-in-use', 'The overlay address is in use by another program.', {
        cause
      })
    : new HushlampError('config-invalid', 'It is not possible to listen on the overlay address.', {
        cause
      })
}

function errorTexts(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [String(error)]
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : []
  return [error.message, ...[...inner, error.cause].flatMap((one) => (one ? errorTexts(one) : []))]
}
