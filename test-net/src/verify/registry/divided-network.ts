import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { HushlampError } from '@hushlamp/shared'

import { runToEnd } from '../../supervised-process.ts'
import type { Command } from '../../sandbox/network-namespace.ts'

/** The two sides of a network that can be divided. */
export const sides = ['near', 'far'] as const

/** One of the {@link sides}. */
export type Side = (typeof sides)[number]

const wire = { near: '10.77.0.1', far: '10.77.0.2' } as const
const nodes = { near: '10.77.1.0/24', far: '10.77.2.0/24' } as const
/** What nodes of one side call those of the other from, so that cutting the way cuts it in both directions. */
const callers = { near: '10.77.1.254', far: '10.77.2.254' } as const
const control = { near: '10.77.11.0/24', far: '10.77.12.0/24' } as const

/**
 * Two network namespaces with a wire between them. Each side has addresses for nodes, between which the way can be cut, and
 * addresses for whoever looks on from the near side, to which it cannot. Must be made in a network namespace of its own,
 * which then is the near side.
 */
export class DividedNetwork implements AsyncDisposable {
  readonly #ip: string
  readonly #farPid: number
  readonly #release: () => Promise<void>

  private constructor(ip: string, farPid: number, release: () => Promise<void>) {
    this.#ip = ip
    this.#farPid = farPid
    this.#release = release
  }

  /** Lays the wire. `ip` is the program of iproute2. */
  static async create(ip: string): Promise<DividedNetwork> {
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    const [first] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])
    if (String(first) !== 'ready\n' || holder.pid === undefined) {
      throw new HushlampError('config-invalid', 'No second network namespace can be made here.')
    }
    const network = new DividedNetwork(ip, holder.pid, async () => {
      const closed = once(holder, 'close')
      holder.stdin.end()
      await closed
    })
    const far = String(holder.pid)
    await network.#ipOn('near', 'link add name near type veth peer name far netns', far)
    for (const side of sides) {
      await network.#ipOn(side, `link set lo up`)
      await network.#ipOn(side, `addr add ${wire[side]}/24 dev ${side}`)
      await network.#ipOn(side, `addr add ${callers[side]}/32 dev lo`)
      await network.#ipOn(side, `link set ${side} up`)
    }
    for (const side of sides) {
      await network.#ipOn(side, `route add ${control[across(side)]} via ${wire[across(side)]}`)
    }
    await network.heal()
    return network
  }

  /** Gives a side the addresses of one more node: for other nodes, and for whoever looks on. */
  async addNode(side: Side, number: number): Promise<{ overlay: string; http: string }> {
    const overlay = nodes[side].replace('0/24', String(number))
    const http = control[side].replace('0/24', String(number))
    for (const address of [overlay, http]) {
      await this.#ipOn(side, `addr add ${address}/32 dev lo`)
    }
    return { overlay, http }
  }

  /** What nodes of one side send to those of the other disappears, from now on. */
  async cut(): Promise<void> {
    for (const side of sides) {
      await this.#ipOn(side, `route replace blackhole ${nodes[across(side)]}`)
    }
  }

  /** The way between the sides is open again. */
  async heal(): Promise<void> {
    for (const side of sides) {
      // The routes differ in their kind, so that one does not replace the other.
      await this.#ipOn(side, `route flush exact ${nodes[across(side)]}`)
      const way = `${nodes[across(side)]} via ${wire[across(side)]} src ${callers[side]}`
      await this.#ipOn(side, `route add ${way}`)
    }
  }

  /** The command that runs a program on a side. */
  wrap(side: Side, { command, args }: Command): Command {
    if (side === 'near') return { command, args }
    return {
      command: 'nsenter',
      args: ['--target', String(this.#farPid), '--net', '--', command, ...args]
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release()
  }

  async #ipOn(side: Side, text: string, ...more: readonly string[]): Promise<void> {
    const { command, args } = this.wrap(side, {
      command: this.#ip,
      args: [...text.split(' '), ...more]
    })
    await runToEnd('ip', { command, args })
  }
}

function across(side: Side): Side {
  return side === 'near' ? 'far' : 'near'
}
