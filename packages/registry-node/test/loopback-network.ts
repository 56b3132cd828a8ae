import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Clock, Registry } from '@hushlamp/shared'

import { configFrom, RegistryNode } from '../src/index.ts'
import type { NodeSettings, RegistryNodeComponents } from '../src/index.ts'
import { systemClock } from '../src/system-clock.ts'

/** Real timers, and a wall clock that tests can set forward. */
export class ShiftedClock implements Clock {
  #shiftSeconds = 0

  unixSeconds(): number {
    return systemClock.unixSeconds() + this.#shiftSeconds
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  after(delayMs: number, callback: () => void): () => void {
    return systemClock.after(delayMs, callback)
  }

  shift(seconds: number): void {
    this.#shiftSeconds += seconds
  }
}

/** Settings of a node on this computer with ports that the system chooses. */
export const loopback: NodeSettings = {
  http: '127.0.0.1:0',
  overlay: '127.0.0.1:0',
  admin: 'off',
  onion: 'off',
  logLevel: 'silent'
}

/** Several nodes on this computer, and their folder. */
export class LoopbackNetwork implements AsyncDisposable {
  readonly clock = new ShiftedClock()
  readonly directory: string
  readonly nodes: RegistryNode[] = []
  readonly #components: RegistryNodeComponents
  #made = 0
  #next = 0

  private constructor(directory: string, components: RegistryNodeComponents) {
    this.directory = directory
    this.#components = components
  }

  static async start(
    count: number,
    components: RegistryNodeComponents = {}
  ): Promise<LoopbackNetwork> {
    const directory = await mkdtemp(join(tmpdir(), 'hushlamp-network-'))
    const network = new LoopbackNetwork(directory, components)
    while (network.nodes.length < count) await network.add()
    await network.settled()
    return network
  }

  /** Starts one more node that joins the first. */
  async add(settings: NodeSettings = {}): Promise<RegistryNode> {
    const bootstrap = this.nodes[0]?.overlayAddresses ?? []
    const dataDir = join(this.directory, `node-${this.#made++}`)
    const config = configFrom({ ...loopback, dataDir, bootstrap, ...settings })
    const node = await RegistryNode.start(config, { clock: this.clock, ...this.#components })
    this.nodes.push(node)
    return node
  }

  /** Stops a node and forgets it. */
  async remove(node: RegistryNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    await node.stop()
  }

  /** Waits until every node has as many neighbours as a key has holders. */
  async settled(): Promise<void> {
    const enough = Math.min(this.nodes.length - 1, 8)
    await until(() => this.nodes.every((node) => node.peers >= enough))
  }

  /** A registry whose every operation goes to another node. */
  get registry(): Registry {
    return {
      put: async (request, options) => this.node().put(request, options),
      get: async (request, options) => this.node().get(request, options),
      remove: async (request, options) => this.node().remove(request, options)
    }
  }

  /** One node after the other. */
  node(): RegistryNode {
    const node = this.nodes[this.#next++ % this.nodes.length]
    if (node === undefined) throw new Error('the network has no nodes')
    return node
  }

  /** How many nodes hold something under a key. */
  async holders(key: Uint8Array): Promise<number> {
    const counts = await Promise.all(this.nodes.map(async (node) => node.heldRows(key)))
    return counts.filter((count) => count > 0).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => node.stop()))
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Waits until a condition holds; throws if it takes too long. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition()) return
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
  throw new Error('the condition did not come true')
}
