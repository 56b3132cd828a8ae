import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import {
  decodeGetResult,
  decodeResult,
  defaultLimits,
  encodeGet,
  encodePut,
  encodeRemove,
  HushlampError
} from '@hushlamp/shared'
import type {
  GetResult,
  PutRequest,
  RemoveRequest,
  RestRequest,
  ResultCode
} from '@hushlamp/shared'
import { HolderProbe, systemClock } from '@hushlamp/registry-node'

import { hushlampNode } from '../../programs-of-ours.ts'
import { SupervisedProcess } from '../../supervised-process.ts'
import type { DividedNetwork, Side } from './divided-network.ts'

const httpPort = 5851
const overlayPort = 5850
const requestTimeoutMs = 15_000

/** One node of the story: a process that can be killed and started again with its disk. */
export class ChurnNode {
  readonly side: Side
  readonly http: string
  readonly #overlay: string
  readonly #dataDirectory: string
  readonly #network: DividedNetwork
  #process: SupervisedProcess | undefined
  #running = false
  #overlayAddresses: readonly string[] = []

  constructor(
    components: { network: DividedNetwork },
    init: { side: Side; overlay: string; http: string; dataDirectory: string }
  ) {
    this.#network = components.network
    this.side = init.side
    this.http = `${init.http}:${httpPort}`
    this.#overlay = `${init.overlay}:${overlayPort}`
    this.#dataDirectory = init.dataDirectory
  }

  /** Multiaddresses for other nodes. */
  get addresses(): readonly string[] {
    return this.#overlayAddresses
  }

  /** Whether it has said that it is ready, and has not been stopped since. */
  get running(): boolean {
    return this.#running
  }

  /** Starts the process with its disk, joining those at `bootstrap`. */
  async start(bootstrap: readonly string[]): Promise<void> {
    const flags = {
      '--data-dir': this.#dataDirectory,
      '--http': this.http,
      '--overlay': this.#overlay,
      '--admin': 'off',
      '--log-level': 'error'
    }
    const joining = bootstrap.length > 0 ? ['--bootstrap', ...bootstrap] : []
    const command = hushlampNode(
      'start',
      '--json',
      '--no-onion',
      ...Object.entries(flags).flat(),
      ...joining
    )
    const process = new SupervisedProcess({
      label: 'A registry node',
      command: this.#network.wrap(this.side, command)
    })
    this.#process = process
    const { overlay } = await process.report(({ ready }) => ready === true)
    if (!Array.isArray(overlay)) throw new HushlampError('config-invalid')
    this.#overlayAddresses = overlay.filter((address) => typeof address === 'string')
    this.#running = true
  }

  /** Ends the process without a warning. */
  async kill(): Promise<void> {
    const process = this.#process
    this.#process = undefined
    this.#running = false
    process?.signal('SIGKILL')
    await process?.ended
  }

  /** Ends the process as its operator would. */
  async stop(): Promise<void> {
    const process = this.#process
    this.#process = undefined
    this.#running = false
    await process?.stop()
  }

  /** Puts through this node. */
  async put(request: PutRequest): Promise<ResultCode> {
    const { status, body } = await this.#ask(encodePut(request))
    return decodeResult(status, body)
  }

  /** Removes through this node. */
  async remove(request: RemoveRequest): Promise<ResultCode> {
    const { status, body } = await this.#ask(encodeRemove(request))
    return decodeResult(status, body)
  }

  /** Gets through this node. */
  async get(key: Uint8Array): Promise<GetResult> {
    const { status, body } = await this.#ask(encodeGet({ key }))
    return decodeGetResult(status, body)
  }

  /** Whether this node says that it is ready. */
  async ready(): Promise<boolean> {
    return (await this.#ask({ method: 'GET', path: '/readyz' })).status === 200
  }

  async #ask({ method, path, body }: RestRequest): Promise<{ status: number; body: string }> {
    const asked = httpRequest(`http://${this.http}${path}`, {
      method,
      agent: false,
      // A DELETE would go without the length of its body.
      headers:
        body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(requestTimeoutMs)
    })
    asked.end(body)
    const [answer] = await once(asked, 'response')
    return { status: answer.statusCode, body: await text(answer) }
  }
}

/** All nodes of the story. */
export class ChurnNodes implements AsyncDisposable {
  readonly all: readonly ChurnNode[]
  readonly #probe: HolderProbe

  private constructor(all: readonly ChurnNode[], probe: HolderProbe) {
    this.all = all
    this.#probe = probe
  }

  /** Starts `count` nodes, every other one on the far side. */
  static async start(
    network: DividedNetwork,
    directory: string,
    count: number
  ): Promise<ChurnNodes> {
    const nodes: ChurnNode[] = []
    for (let i = 0; i < count; i++) {
      const side = i % 2 === 0 ? 'near' : 'far'
      const addresses = await network.addNode(side, i + 1)
      const dataDirectory = join(directory, `node${i + 1}`)
      nodes.push(new ChurnNode({ network }, { side, ...addresses, dataDirectory }))
    }
    const init = { limits: defaultLimits, timeoutMs: 8000 }
    const probe = await HolderProbe.create({ clock: systemClock }, init)
    const all = new ChurnNodes(nodes, probe)
    try {
      for (const node of nodes) await all.start(node)
      return all
    } catch (error) {
      await all[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Nodes whose process runs. */
  get running(): readonly ChurnNode[] {
    return this.all.filter((node) => node.running)
  }

  /** Starts a node that joins some that run, of both sides. */
  async start(node: ChurnNode): Promise<void> {
    const known = this.running.filter((other) => other !== node)
    await node.start(
      [...known.slice(0, 2), ...known.slice(-2)].flatMap(({ addresses }) => addresses)
    )
  }

  /** How many values of each key each running node holds itself. */
  async held(keys: readonly Uint8Array[]): Promise<readonly (readonly number[])[]> {
    return Promise.all(
      this.running.map(async ({ addresses: [address = ''] }) => {
        const rows = await this.#probe.rows(address, keys)
        return rows.map((each) => each.length)
      })
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(async (node) => node.kill()))
    await this.#probe[Symbol.asyncDispose]()
  }
}
