import type { AbortOptions } from '@hushlamp/shared'

import { ControlConnection } from './control-connection.ts'
import type { ControlOpenOptions } from './control-connection.ts'
import type { ControlAuthentication } from './control-authentication.ts'
import type { LocalAddress } from './local-socket.ts'
import type { ServiceSocketsInit } from './service-sockets.ts'
import { socksListener } from './socks-listener.ts'
import { TorClient } from './tor-client.ts'
import { TorProcess } from './tor-process.ts'
import type { TorProcessComponents, TorProcessInit } from './tor-process.ts'

/** Where a Tor that runs already is, and how it lets us in. */
export interface ExistingTor {
  readonly control: LocalAddress
  /** Default: the first SOCKS port that Tor tells us of, a unix socket if it has one. */
  readonly socks?: LocalAddress
  /** Default: the cookie file that Tor tells us of. */
  readonly authentication?: ControlAuthentication
  /** How this Tor reaches our onion services; `{access: 'any-user'}` for a Tor that runs as another user. */
  readonly services?: ServiceSocketsInit
}

/**
 * Starts a Tor of our own. Fulfilled when it takes commands; {@link TorClient.ready} and {@link TorClient.onStatus} tell
 * how far it is. Disposing the client ends it.
 *
 * Errors: those of {@link TorProcess.start}.
 */
export async function startTor(
  init: TorProcessInit,
  options: AbortOptions & TorProcessComponents = {}
): Promise<TorClient> {
  const process = await TorProcess.start(options, init, options)
  const { control, socks } = process
  try {
    return await TorClient.attach(
      { ...options, control, stopTor: () => process.stop() },
      { socks, ...(init.transport && { services: { transport: init.transport } }) },
      options
    )
  } catch (error) {
    await process.stop()
    throw error
  }
}

/**
 * Uses a Tor that runs already: one of the system, or the one of Tor Browser. It is left running; our onion services and
 * streams end with the client.
 *
 * Errors: those of {@link ControlConnection.open}, `tor-control` where it has no SOCKS port.
 */
export async function connectToTor(
  tor: ExistingTor,
  options: ControlOpenOptions = {}
): Promise<TorClient> {
  const { authentication = { kind: 'cookie-file' }, services } = tor
  const control = await ControlConnection.open(tor.control, authentication, options)
  try {
    const socks = tor.socks ?? (await socksListener(control, options))
    return await TorClient.attach(
      { ...options, control },
      { socks, ...(services && { services }) },
      options
    )
  } catch (error) {
    await control.close()
    throw error
  }
}
