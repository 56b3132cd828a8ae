import { join } from 'node:path'

import { TorProcess } from '@hushlamp/client'
import type { LocalAddress } from '@hushlamp/client'
import { HushlampError } from '@hushlamp/shared'

import { hushlamp } from '../programs-of-ours.ts'
import { NetworkNamespace } from '../sandbox/network-namespace.ts'
import type { Command } from '../sandbox/network-namespace.ts'
import { SupervisedProcess } from '../supervised-process.ts'
import type { PrivateTorNetwork } from '../tor-network/private-tor-network.ts'
import type { UserFolder } from './user-folders.ts'

/** How the daemon of a {@link TestUser} runs. */
export interface TestUserInit {
  readonly folder: UserFolder
  readonly torNetwork: PrivateTorNetwork
  readonly registryNodes: readonly string[]
  /** Where XMPP clients log in, `HOST:PORT`. Default: a free port. */
  readonly xmpp?: string
  /** Whether daemon and clients live in an empty network namespace. */
  readonly sandboxed: boolean
  readonly signal?: AbortSignal
}

/** A step and how long it took, milliseconds. */
export interface StageTime {
  readonly stage: string
  readonly ms: number
}

/** A user of the test network: a Tor of his own and a daemon, maybe in a namespace of their own. */
export class TestUser implements AsyncDisposable {
  readonly name: string
  readonly password: string
  /** Where XMPP clients log in. */
  readonly xmpp: { readonly host: string; readonly port: number }
  /** Certificate of the XMPP server, a PEM file. */
  readonly certificatePath: string
  /** The namespace in which daemon and clients run, if any. */
  readonly namespace: NetworkNamespace | undefined
  readonly daemon: SupervisedProcess
  readonly tor: TorProcess
  /** From the start of this user's Tor until it had circuits. */
  readonly torBootstrapMs: number
  readonly #resources: AsyncDisposableStack

  private constructor(
    init: TestUserInit,
    parts: {
      readonly xmpp: { readonly host: string; readonly port: number }
      readonly namespace: NetworkNamespace | undefined
      readonly daemon: SupervisedProcess
      readonly tor: TorProcess
      readonly torBootstrapMs: number
    },
    resources: AsyncDisposableStack
  ) {
    this.name = init.folder.name
    this.password = init.folder.xmppPassword
    this.certificatePath = join(init.folder.path, 'xmpp-certificate.pem')
    this.xmpp = parts.xmpp
    this.namespace = parts.namespace
    this.daemon = parts.daemon
    this.tor = parts.tor
    this.torBootstrapMs = parts.torBootstrapMs
    this.#resources = resources
  }

  /** Starts the user's Tor and daemon; fulfilled when XMPP clients can log in. */
  static async start(init: TestUserInit): Promise<TestUser> {
    await using resources = new AsyncDisposableStack()
    const { folder, signal } = init
    const begun = performance.now()
    const namespace = init.sandboxed ? resources.use(await NetworkNamespace.create()) : undefined
    const tor = resources.use(await startClientTor(init))
    const command = daemonCommand(init, tor)
    const daemon = resources.use(
      new SupervisedProcess({
        label: `The daemon of ${folder.name}`,
        command: namespace ? namespace.wrap(command.command, command.args) : command
      })
    )
    let torBootstrapMs = 0
    daemon.onReport((report) => {
      if (isReadyTor(report['tor']) && torBootstrapMs === 0)
        torBootstrapMs = performance.now() - begun
    })
    const options = signal ? { signal } : {}
    const ready = await daemon.report((report) => report['ready'] === true, options)
    await daemon.report((report) => isReadyTor(report['tor']), options)
    const xmpp = hostAndPort(ready['xmpp'])
    return new TestUser(init, { xmpp, namespace, daemon, tor, torBootstrapMs }, resources.move())
  }

  /** The user's XMPP address. */
  get jid(): string {
    return `${this.name}@localhost`
  }

  /** Steps that the daemon has timed so far. */
  get stages(): readonly StageTime[] {
    return this.daemon.reports.flatMap(({ stage, ms }) =>
      typeof stage === 'string' && typeof ms === 'number' ? [{ stage, ms }] : []
    )
  }

  /** Waits until the daemon says that contacts can reach the user. */
  async online(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.daemon.report(({ state }) => state === 'online', options)
  }

  /** A command as it has to be run to reach this user's daemon. */
  command(command: string, args: readonly string[]): Command {
    return this.namespace ? this.namespace.wrap(command, args) : { command, args }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

async function startClientTor({ folder, torNetwork, signal }: TestUserInit): Promise<TorProcess> {
  const dataDirectory = join(folder.path, 'tor')
  await torNetwork.seedClient(dataDirectory)
  return TorProcess.start(
    {},
    { dataDirectory, binary: torNetwork.binary, torrc: torNetwork.clientTorrc() },
    signal ? { signal } : {}
  )
}

function daemonCommand(init: TestUserInit, tor: TorProcess): Command {
  const flags = {
    '--data-dir': init.folder.path,
    '--xmpp': init.xmpp ?? '127.0.0.1:0',
    '--tor-control': addressText(tor.controlAddress),
    '--tor-socks': addressText(tor.socks)
  }
  const args = Object.entries(flags).flat()
  return hushlamp('start', '--json', '--timings', ...args, '--registry', ...init.registryNodes)
}

function addressText(address: LocalAddress): string {
  return 'path' in address ? address.path : `${address.host}:${address.port}`
}

function isReadyTor(status: unknown): boolean {
  return (
    typeof status === 'object' && status !== null && 'phase' in status && status.phase === 'ready'
  )
}

function hostAndPort(address: unknown): { readonly host: string; readonly port: number } {
  const match = typeof address === 'string' ? /^(.*):(\d+)$/.exec(address) : null
  if (!match) throw new HushlampError('config-invalid', 'A daemon did not report its address.')
  return { host: match[1] ?? '', port: Number(match[2]) }
}
