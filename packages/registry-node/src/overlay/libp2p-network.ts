import { HushlampError } from '@hushlamp/shared'
import { identify } from '@libp2p/identify'
import type { Identify } from '@libp2p/identify'
import type { Libp2p, PeerId, PrivateKey, Stream } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import type { KadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import type { Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

import type { FrameStream } from './channel.ts'
import { placeOfNode } from './distance.ts'
import type { PeerNetwork, PeerNetworkEvents } from './peer-network.ts'
import { maxFrameBytes, storeProtocol } from './wire.ts'

const kademliaProtocol = '/hushlamp/kad/1'

interface Services extends Record<string, unknown> {
  identify: Identify
  ping: Ping
  dht: KadDHT
}

/** The part of kad-dht's routing table that its published types leave out. */
interface RoutingTable {
  closestPeers(place: Uint8Array, options: { count: number }): PeerId[]
  remove(peer: PeerId): Promise<void>
}

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

  private constructor(p2p: Libp2p<Services>, events: PeerNetworkEvents) {
    this.#p2p = p2p
    this.#events = events
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
      streamMuxers: [yamux({ streamOptions: { inactivityTimeout: 600_000 } })],
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
          initialQuerySelfInterval: 250
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
      (stream, connection) => events.stream(connection.remotePeer.toString(), frames(stream)),
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
    return frames(await this.#p2p.dialProtocol(target, storeProtocol, { signal }))
  }

  /** Takes a peer out of the routing table, and if `hangUp` is given, closes the connections to it. */
  async forget(id: string, hangUp: boolean): Promise<void> {
    const peer = peerIdFromString(id)
    await this.#table.remove(peer)
    if (hangUp) await this.#p2p.hangUp(peer)
  }

  /** The closest nodes to a place that the routing table holds. */
  closest(place: Uint8Array, count: number): string[] {
    return this.#table.closestPeers(place, { count }).map((peer) => peer.toString())
  }

  get #table(): RoutingTable {
    const { dht } = this.#p2p.services
    if (!hasRoutingTable(dht)) throw new TypeError('kad-dht no longer shows its routing table')
    return dht.routingTable
  }
}

function hasRoutingTable(dht: object): dht is { readonly routingTable: RoutingTable } {
  return 'routingTable' in dht
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

function frames(stream: Stream): FrameStream {
  const lengthPrefixed = lpStream(stream, {
    maxDataLength: maxFrameBytes,
    maxBufferSize: 4 * maxFrameBytes
  })
  return {
    read: async () => (await lengthPrefixed.read()).subarray(),
    write: async (frame) => lengthPrefixed.write(frame),
    abort: () => stream.abort(new Error('the stream is no longer needed'))
  }
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
