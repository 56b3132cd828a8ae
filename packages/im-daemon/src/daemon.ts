import {
  Endpoint,
  RegistryOverTor,
  connectToTor,
  startTor,
  systemClock,
  systemRandom
} from '@hushlamp/client'
import type { EndpointState, OnStage, TorClient, TorStatus } from '@hushlamp/client'

import { Account } from './accounts/account.ts'
import { DataFolder } from './accounts/data-folder.ts'
import type { DataFolderInit } from './accounts/data-folder.ts'
import { openXmppCertificate } from './accounts/xmpp-certificate.ts'
import type { DaemonConfig, TorChoice } from './config.ts'
import { listenForXmpp } from './inward-door.ts'
import type { DoorAddress, XmppDoor } from './inward-door.ts'
import { deriveCredentials } from './xmpp/sasl/credentials.ts'
import { XmppServer } from './xmpp/server.ts'

/** The one domain of this computer's XMPP addresses. */
export const xmppDomain = 'localhost'

/** What a daemon reports while it works. No report names a person. */
export interface DaemonReports {
  onTor(status: TorStatus): void
  onState(state: EndpointState): void
  /** Something that the user must know of. */
  onTrouble(text: string): void
  /** How long the steps take; only where the user asked for it. */
  onStage: OnStage
}

/** What a daemon needs beside its configuration. */
export interface DaemonInit {
  readonly version: string
  /** For a data folder that does not hold an identity yet. */
  readonly firstStart?: DataFolderInit
  readonly signal?: AbortSignal
}

/** A running daemon: one user, his XMPP server, his endpoint in the network of friends. */
export class Daemon implements AsyncDisposable {
  /** Local part of the user's XMPP address. */
  readonly account: string
  /** Where XMPP clients log in. */
  readonly xmpp: DoorAddress
  readonly #resources: AsyncDisposableStack

  private constructor(account: string, xmpp: DoorAddress, resources: AsyncDisposableStack) {
    this.account = account
    this.xmpp = xmpp
    this.#resources = resources
  }

  /**
   * Opens the data folder, connects to Tor and lets XMPP clients in. Fulfilled when they can log in; the network of
   * friends follows, as `reports.onState` tells.
   *
   * Errors: those of {@link DataFolder.open}, of Tor (`tor-…`), `address-in-use`, `config-invalid`.
   */
  static async start(
    config: DaemonConfig,
    reports: DaemonReports,
    init: DaemonInit
  ): Promise<Daemon> {
    await using resources = new AsyncDisposableStack()
    const components = { clock: systemClock, random: systemRandom }
    const folder = resources.use(await DataFolder.open(config.dataDir, components, init.firstStart))
    const tor = resources.use(await openTor(config.tor, folder, reports, init.signal))
    const registry = new RegistryOverTor({ tor, ...components }, { nodes: config.registryNodes })
    const endpoint = resources.use(
      await Endpoint.open({
        ...components,
        identity: folder.identity,
        storage: folder.storage,
        tor,
        registry,
        mode: 'instant',
        onStage: reports.onStage
      })
    )
    endpoint.on('state', (state) => {
      reports.onState(state)
    })
    const door = resources.use(await openXmpp(config, folder, endpoint, reports, init.version))
    return new Daemon(folder.account, door.address, resources.move())
  }

  /** Logs out: XMPP clients are told, contacts are told, the onion service goes down, everything is on the disk. */
  async stop(): Promise<void> {
    await this.#resources.disposeAsync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

async function openTor(
  choice: TorChoice,
  folder: DataFolder,
  reports: DaemonReports,
  signal: AbortSignal | undefined
): Promise<TorClient> {
  const options = signal ? { signal } : {}
  const tor =
    choice.kind === 'existing'
      ? await connectToTor(choice, options)
      : await startTor({ dataDirectory: folder.pathOf('tor') }, options)
  reports.onTor(tor.status)
  tor.onStatus((status) => {
    reports.onTor(status)
  })
  return tor
}

async function openXmpp(
  config: DaemonConfig,
  folder: DataFolder,
  endpoint: Endpoint,
  reports: DaemonReports,
  version: string
): Promise<XmppDoor> {
  const components = { clock: systemClock, random: systemRandom }
  const credentials = deriveCredentials(folder.xmppPassword, systemRandom)
  let door: XmppDoor | undefined
  const account = new Account(
    {
      endpoint,
      tellServer: (event) => door?.tell(event),
      onTrouble: (text) => {
        reports.onTrouble(text)
      }
    },
    { name: folder.account }
  )
  const server = new XmppServer(
    {
      random: systemRandom,
      accounts: {
        credentialsOf: (name) => (name === account.name ? credentials : undefined),
        contactsOf: (name) => (name === account.name ? account.contacts() : [])
      },
      utcOffsetMinutes: (at) => -new Date(at * 1000).getTimezoneOffset()
    },
    { domain: xmppDomain, version }
  )
  door = await listenForXmpp(
    {
      server,
      clock: systemClock,
      onEffect: (effect) => {
        account.carryOut(effect)
      }
    },
    { address: config.xmpp, certificate: await openXmppCertificate(folder, components) }
  )
  return door
}

/** `HOST:PORT` or the path, for people to read. */
export function addressText(address: DoorAddress): string {
  if ('path' in address) return address.path
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}
