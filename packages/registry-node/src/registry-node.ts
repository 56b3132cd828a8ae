import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'

import {
  checkGet,
  checkPut,
  checkRemove,
  hex,
  HushlampError,
  maxTtlSeconds,
  pageOf,
  rowFromPut,
  rowFromRemove
} from '@hushlamp/shared'
import type {
  AbortOptions,
  Clock,
  GetRequest,
  GetResult,
  PutRequest,
  Random,
  Registry,
  RegistryLimits,
  RemoveRequest,
  ResultCode
} from '@hushlamp/shared'
import type { FastifyInstance } from 'fastify'

import { CapacityOnly } from './admission/admission.ts'
import type { ListenAddress, RegistryNodeConfig } from './config/config.ts'
import { removeRunningFile, writeRunningFile } from './data-folder/running-file.ts'
import { readOrMakeSecret } from './data-folder/secret-file.ts'
import { Readiness } from './http/readiness.ts'
import { addressOf, listen, urlOf } from './http/listen.ts'
import { createHttpServer, defaultHttpInit } from './http/server.ts'
import type { HttpInit } from './http/server.ts'
import { silentLogger } from './log.ts'
import type { Logger } from './log.ts'
import { OnionService, usualControlAddresses } from './onion/onion-service.ts'
import { Libp2pNetwork } from './overlay/libp2p-network.ts'
import { defaultOperatorTimings, OperatorInterface } from './operator-interface.ts'
import type { OperatorTimings } from './operator-interface.ts'
import { loadNodeKey } from './overlay/node-key.ts'
import { Overlay } from './overlay/overlay.ts'
import { defaultTimings } from './overlay/timings.ts'
import type { OverlayTimings } from './overlay/timings.ts'
import type { StatusSources } from './status/status-sources.ts'
import { RecordStore } from './store/record-store.ts'
import type { StoreUsage } from './store/usage.ts'
import { systemClock } from './system-clock.ts'
import { version } from './version.ts'

/** What a node may be given instead of its own. */
export interface RegistryNodeComponents {
  /** Default: the clock of this computer. */
  readonly clock?: Clock
  /** Default: the randomness of this computer. */
  readonly random?: Random
  /** Default: says nothing. */
  readonly logger?: Logger
  /** Times of the overlay that differ from the ordinary ones. */
  readonly timings?: Partial<OverlayTimings>
  /** Limits of the HTTP interface that differ from the ordinary ones. */
  readonly http?: Partial<HttpInit>
  /** Times of what the operator sees that differ from the ordinary ones. */
  readonly operatorTimings?: Partial<OperatorTimings>
}

interface NodeParts {
  readonly clock: Clock
  readonly limits: RegistryLimits
  readonly overlay: Overlay
  readonly http: FastifyInstance
  readonly store: RecordStore
  readonly onion: OnionService | undefined
  readonly operator: OperatorInterface
  readonly dataDirectory: string
  announced(): readonly string[]
}

/** How long the outcome of a readiness probe holds, and how long one may take: together less than 10 s. */
const readinessInit = { freshMs: 2000, timeoutMs: 5000 }
const maxPeerHttpAddresses = 200
/** Enough to tell a density by, and no more than every node knows around itself. */
const neighboursForEstimate = 16

/**
 * A node of the registry: store, overlay and HTTP interface. As a {@link Registry} it is the whole distributed registry,
 * not only what this node holds.
 */
export class RegistryNode implements Registry, AsyncDisposable {
  readonly #parts: NodeParts
  #stopping: Promise<void> | undefined

  private constructor(parts: NodeParts) {
    this.#parts = parts
  }

  /**
   * Starts a node. It has joined its network when this resolves, if any bootstrap node could be reached; otherwise it
   * goes on trying and is not ready meanwhile.
   *
   * @throws HushlampError `storage-locked`, `storage-failed`, `storage-corrupt`, `address-in-use` or `config-invalid`
   */
  static async start(
    config: RegistryNodeConfig,
    components: RegistryNodeComponents = {}
  ): Promise<RegistryNode> {
    const { clock = systemClock, random = systemRandom, logger = silentLogger } = components
    const limits: RegistryLimits = { maxValueBytes: config.maxValueBytes }
    await makeDirectory(config.dataDirectory)
    const opened: (() => Promise<unknown>)[] = []
    let node: RegistryNode | undefined
    const running = (): RegistryNode => {
      if (node === undefined) throw new HushlampError('registry-unreachable')
      return node
    }
    try {
      const operator = await OperatorInterface.open(
        { clock, sources: statusSources(running, config) },
        {
          admin: config.admin,
          timings: { ...defaultOperatorTimings, ...components.operatorTimings }
        }
      )
      opened.unshift(async () => operator.stop())
      const { meter } = operator
      const store = await RecordStore.open(
        { clock, logger, meter, admission: new CapacityOnly({ maxBytes: config.maxBytes }) },
        { directory: join(config.dataDirectory, 'store') }
      )
      opened.unshift(async () => store.close())
      const key = await loadNodeKey(join(config.dataDirectory, 'node.key'))

      // The HTTP interface must listen before the overlay tells its address, and needs the node to answer from.
      const registry: Registry = {
        put: async (request) => running().put(request),
        get: async (request) => running().get(request),
        remove: async (request) => running().remove(request)
      }
      const readiness = new Readiness({ registry, clock, random }, readinessInit)
      const http = createHttpServer(
        {
          registry: operator.metered(registry),
          limits,
          clock,
          logger,
          nodes: () => running().nodes,
          ready: async () => readiness.ready(),
          status: operator.status,
          traffic: operator.traffic,
          refused: (error) => operator.refused(error)
        },
        { ...defaultHttpInit, ...components.http }
      )
      opened.unshift(async () => http.close())
      await listen(http, config.http, 'http')

      const onion = await startOnion({ clock, logger }, config, addressOf(http))
      if (onion !== undefined) opened.unshift(async () => onion.stop())
      const plain = config.advertise ?? advertised(http, config.http)
      const announced = (): readonly string[] => [onion?.address ?? [], plain].flat()
      const overlay = await Overlay.start(
        {
          clock,
          logger,
          store,
          meter,
          httpAddresses: announced,
          makeNetwork: async (events) =>
            Libp2pNetwork.create({ events }, { listen: multiaddress(config.overlay), key })
        },
        {
          bootstrap: config.bootstrap,
          limits,
          timings: { ...defaultTimings, ...components.timings }
        }
      )
      opened.unshift(async () => overlay.stop())
      const { dataDirectory } = config
      await writeRunningFile(dataDirectory, {
        pid: process.pid,
        http: urlOf(addressOf(http)),
        ...(operator.adminAddress !== undefined && { admin: operator.adminAddress }),
        token: hex(random.bytes(16))
      })
      node = new RegistryNode({
        clock,
        limits,
        overlay,
        http,
        store,
        onion,
        operator,
        dataDirectory,
        announced
      })
      operator.start()
      return node
    } catch (error) {
      for (const close of opened) await close()
      throw error
    }
  }

  async put(request: PutRequest, options?: AbortOptions): Promise<ResultCode> {
    checkPut(request, this.#parts.limits)
    return this.#parts.overlay.put(
      request.key,
      rowFromPut(request, this.#parts.clock.unixSeconds()),
      options
    )
  }

  async get(request: GetRequest, options?: AbortOptions): Promise<GetResult> {
    checkGet(request)
    const rows = await this.#parts.overlay.get(request.key, options)
    return pageOf(rows, request, this.#parts.clock.unixSeconds())
  }

  async remove(request: RemoveRequest, options?: AbortOptions): Promise<ResultCode> {
    checkRemove(request)
    const row = rowFromRemove(request, this.#parts.clock.unixSeconds())
    return this.#parts.overlay.put(request.key, row, options)
  }

  /** `http://host:port` under which the HTTP interface listens. */
  get httpAddress(): string {
    return urlOf(addressOf(this.#parts.http))
  }

  /** `http://host:port` of the metrics, undefined where there are none. */
  get adminAddress(): string | undefined {
    return this.#parts.operator.adminAddress
  }

  /** Multiaddresses for other nodes to join this one. */
  get overlayAddresses(): readonly string[] {
    return this.#parts.overlay.addresses
  }

  /** Name of this node in the overlay. */
  get peerId(): string {
    return this.#parts.overlay.peerId
  }

  /** `http://….onion`, undefined where the node is no onion service now. */
  get onionAddress(): string | undefined {
    return this.#parts.onion?.address
  }

  /** How many other nodes are connected. */
  get peers(): number {
    return this.#parts.overlay.peers
  }

  /** Kademlia distances of the nodes closest to this one that it knows, the closest first. */
  get neighbourDistances(): readonly Uint8Array[] {
    return this.#parts.overlay.neighbourDistances(neighboursForEstimate)
  }

  /** HTTP addresses of this node and of those connected to it. */
  get nodes(): readonly string[] {
    const all = [...this.#parts.announced(), ...this.#parts.overlay.httpAddresses]
    return [...new Set(all)].slice(0, maxPeerHttpAddresses)
  }

  /** How many rows this node itself holds, and what they take. */
  get usage(): StoreUsage {
    return this.#parts.store.usage
  }

  /** How many live rows this node itself holds under a key; for tests of replication. */
  async heldRows(key: Uint8Array): Promise<number> {
    return (await this.#parts.store.rows(key)).length
  }

  /** Hands everything that this node holds to those who should hold it, without waiting for the next turn. */
  async repair(): Promise<void> {
    await this.#parts.overlay.repair()
  }

  /** Answers what has begun, leaves the network and closes the store. May be called more than once. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(): Promise<void> {
    await removeRunningFile(this.#parts.dataDirectory)
    await this.#parts.onion?.stop()
    await this.#parts.http.close()
    await this.#parts.operator.stop()
    await this.#parts.overlay.stop()
    await this.#parts.store.close()
  }
}

/** Where what an operator sees comes from. Any class may take all the capacity that the others leave. */
function statusSources(running: () => RegistryNode, config: RegistryNodeConfig): StatusSources {
  const { maxBytes, maxValueBytes } = config
  return {
    version: version(),
    peerId: () => running().peerId,
    peers: () => running().peers,
    neighbourDistances: () => running().neighbourDistances,
    usage: () => running().usage,
    capacity: () => ({
      bytes: maxBytes,
      byClass: { hour: maxBytes, day: maxBytes, week: maxBytes }
    }),
    price: () => ({ hour: 0, day: 0, week: 0 }),
    limits: { maxValueBytes, maxTtlSeconds },
    onionAddress: () => running().onionAddress
  }
}

/** The onion service, where it is wanted; where it is only hoped for, that there is no Tor is no failure. */
async function startOnion(
  components: { clock: Clock; logger: Logger },
  { onion, torControl, dataDirectory }: RegistryNodeConfig,
  bound: ListenAddress
): Promise<OnionService | undefined> {
  if (onion === 'off') return undefined
  const seed = await readOrMakeSecret(join(dataDirectory, 'onion.key'), () => randomBytes(32))
  if (seed.length !== 32) {
    throw new HushlampError('storage-corrupt', 'The node’s onion key cannot be read.')
  }
  const control = torControl === undefined ? usualControlAddresses : [torControl]
  try {
    return await OnionService.start(components, { seed, target: bound, control })
  } catch (error) {
    if (onion === 'on') throw error
    components.logger.info('no Tor is found to be an onion service of')
    return undefined
  }
}

const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new HushlampError('storage-failed', 'The data folder cannot be made.', { cause })
  }
}

function advertised(http: FastifyInstance, { host }: ListenAddress): readonly string[] {
  const wildcard = host === '0.0.0.0' || host === '::'
  return wildcard ? [] : [urlOf(addressOf(http))]
}

function multiaddress({ host, port }: ListenAddress): string {
  return `/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/tcp/${port}`
}
