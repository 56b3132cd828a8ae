import { chmod, copyFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { defaultCacheDirectory, resolveTorBinary } from '@hushlamp/client'
import type { OnProgress, TorBinary } from '@hushlamp/client'
import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

import {
  authorityFingerprint,
  authorityKeys,
  relayFingerprint,
  writeKeys
} from './authority-keys.ts'
import { reachFirstConsensus, seedFiles } from './first-consensus.ts'
import { freePorts } from './free-ports.ts'
import { delayLinks, spreadDelays } from './link-delay.ts'
import { networkDirectory } from './network-directory.ts'
import { NetworkKeeper } from './network-keeper.ts'
import { TorNode } from './tor-node.ts'
import { initialVotingSeconds, networkLines, relayLines } from './torrc.ts'
import type { RelayPorts } from './torrc.ts'

/** How a {@link PrivateTorNetwork} is made. */
export interface PrivateTorNetworkOptions extends AbortOptions {
  /** Where all files go; it is made, and removed in the end. A folder for temporary files by default. */
  readonly directory?: string
  /** Relays beside the authority, which is a relay as well. Default 4; with fewer than 3 onion services never work. */
  readonly relays?: number
  /** One-way delays of the links into the relays, spread over this range of milliseconds. None by default. */
  readonly latencyMs?: readonly [number, number]
  /** IPv4 address that the relays listen on. Default 127.0.0.1. */
  readonly host?: string
  /** Where the keys of the authority are kept between runs; below the cache folder by default. */
  readonly keysDirectory?: string
  /** The Tor to use; found by {@link resolveTorBinary} by default. */
  readonly binary?: TorBinary
  /** Phases: those of resolving Tor, `keys`, `relays`, `vote`, `directory`, `ready`. */
  readonly onProgress?: OnProgress
  /** Default 90,000. */
  readonly deadlineMs?: number
}

/**
 * A whole Tor network on this computer: one directory authority and some relays, ready in about ten seconds. It has
 * nothing to do with the public one and needs no network. Dispose it in the end; when this process is killed, all of it is
 * ended and removed as well.
 */
export class PrivateTorNetwork implements AsyncDisposable {
  /** All files of the network. */
  readonly directory: string
  /** The Tor that the network runs, fit for clients as well. */
  readonly binary: TorBinary
  readonly #authorities: readonly string[]
  readonly #nodes: readonly TorNode[]
  readonly #dispose: () => Promise<void>

  private constructor(parts: NetworkParts, dispose: () => Promise<void>) {
    this.directory = parts.directory
    this.binary = parts.binary
    this.#authorities = parts.authorities
    this.#nodes = parts.nodes
    this.#dispose = dispose
  }

  /**
   * Starts a network and waits until clients can use it.
   *
   * Errors: `tor-not-found`, `tor-start-failed` with the end of the log in question, `config-invalid` for an unsuitable
   * directory, `aborted`.
   */
  static async create(options: PrivateTorNetworkOptions = {}): Promise<PrivateTorNetwork> {
    const deadline = AbortSignal.timeout(options.deadlineMs ?? 90_000)
    const signal =
      options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline])
    const cleanUps: (() => Promise<void>)[] = []
    const dispose = async (): Promise<void> => {
      for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
    }
    try {
      const parts = await startNetwork({ ...options, signal }, (cleanUp) => cleanUps.push(cleanUp))
      return new PrivateTorNetwork(parts, dispose)
    } catch (cause) {
      await dispose()
      if (options.signal?.aborted === true) throw new HushlampError('aborted', undefined, { cause })
      if (!isHushlampError(cause, 'aborted')) throw cause
      const message = 'The private Tor network was not ready in time.'
      throw new HushlampError('tor-start-failed', message, { cause })
    }
  }

  /** The relays, the authority first. */
  get relays(): readonly { readonly nickname: string; readonly pid: number | undefined }[] {
    return this.#nodes.map(({ nickname, pid }) => ({ nickname, pid }))
  }

  /** The lines that make a Tor a client of this network. They name no file and no port of the client. */
  clientTorrc(): string[] {
    return networkLines(this.#authorities)
  }

  /**
   * Fills the data folder of a client that is not started yet, so that it knows all relays at once. The folder is made
   * where missing, and readable for its owner only, as Tor demands.
   */
  async seedClient(dataDirectory: string): Promise<void> {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    await chmod(dataDirectory, 0o700)
    for (const name of seedFiles) {
      const target = join(dataDirectory, name)
      await copyFile(join(this.directory, 'client', name), target)
      await chmod(target, 0o600)
    }
  }

  /** Ends all processes and removes all files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose()
  }
}

interface NetworkParts {
  readonly directory: string
  readonly binary: TorBinary
  readonly authorities: readonly string[]
  readonly nodes: readonly TorNode[]
}

async function startNetwork(
  options: PrivateTorNetworkOptions & { signal: AbortSignal },
  onDispose: (cleanUp: () => Promise<void>) => void
): Promise<NetworkParts> {
  const { signal, host = '127.0.0.1', onProgress = (): void => {} } = options
  const count = 1 + (options.relays ?? 4)
  const binary = options.binary ?? (await resolveTorBinary({ signal, onProgress }))
  onProgress({ phase: 'keys', text: 'Making the keys of the authority' })
  const keysDirectory =
    options.keysDirectory ?? join(await defaultCacheDirectory(), 'private-tor', 'keys')
  await mkdir(dirname(keysDirectory), { recursive: true, mode: 0o700 })
  const keys = await authorityKeys(keysDirectory)

  const directory = await networkDirectory(options.directory)
  const keeper = new NetworkKeeper(directory)
  onDispose(async () => {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    await keeper[Symbol.asyncDispose]()
  })

  const delays = options.latencyMs === undefined ? [] : spreadDelays(options.latencyMs, count)
  const [directoryPort = 0, ...ports] = await freePorts(1 + count + delays.length, host)
  const relayPorts = Array.from({ length: count }, (_, index): RelayPorts => {
    const advertised = ports[index] ?? 0
    return { advertised, listening: ports[count + index] ?? advertised }
  })
  const [authorityPorts] = relayPorts
  const authorities = [
    `DirAuthority authority orport=${authorityPorts?.advertised} no-v2 v3ident=${authorityFingerprint(keys)} ${host}:${directoryPort} ${relayFingerprint(keys)}`
  ]

  onProgress({ phase: 'relays', fraction: 0, text: 'Starting the relays' })
  if (delays.length > 0) {
    const delaying = await delayLinks(
      relayPorts.map(({ advertised, listening }, index) => {
        return { host, from: advertised, to: listening, oneWayMs: delays[index] ?? 0 }
      })
    )
    onDispose(async () => await delaying[Symbol.asyncDispose]())
  }
  const nodes: TorNode[] = []
  const terminate = (): void => nodes.forEach((node) => node.terminate())
  process.once('exit', terminate)
  onDispose(async () => {
    process.off('exit', terminate)
    await Promise.all(nodes.map(async (node) => await node[Symbol.asyncDispose]()))
  })
  for (const [index, one] of relayPorts.entries()) {
    const nickname = index === 0 ? 'authority' : `relay${index}`
    const home = join(directory, nickname)
    await mkdir(join(home, 'keys'), { recursive: true, mode: 0o700 })
    if (index === 0) await writeKeys(join(home, 'keys'), keys)
    const votingOffsetSeconds =
      (Math.floor(Date.now() / 1000) + initialVotingSeconds - 10) % initialVotingSeconds
    const lines = relayLines(
      { nickname, directory: home, host, ports: one, authorities },
      index === 0 ? { directoryPort, votingOffsetSeconds } : undefined
    )
    const node = await TorNode.start(binary, { nickname, directory: home, lines })
    nodes.push(node)
    keeper.watch(node.pid)
  }
  await reachFirstConsensus({ nodes, onProgress, signal }, join(directory, 'client'))
  onProgress({ phase: 'ready', fraction: 1, text: 'The private Tor network is ready' })
  return { directory, binary, authorities, nodes }
}
