import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'

import { HushlampError } from '@hushlamp/shared'

/** A socket on this computer: a unix socket, or TCP where Tor offers nothing else. */
export type LocalAddress =
  | { readonly path: string }
  | {
      /** An IP address, usually of the loopback; a name would have to be looked up outside of Tor. */
      readonly host: string
      readonly port: number
    }

/**
 * Connects to a socket of Tor. Apart from listening this is the only place in the client where a socket is opened, and it
 * never leads anywhere but to the given address.
 *
 * Errors: those of Node, `config-invalid` for a host that is not an IP address, the reason of `signal`.
 */
export function dial(address: LocalAddress, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    if ('host' in address && isIP(address.host) === 0) {
      const message =
        "Tor's host has to be an IP address: a name would be looked up outside of Tor."
      reject(new HushlampError('config-invalid', message))
      return
    }
    const socket = connect(
      'path' in address
        ? { path: address.path }
        : { host: address.host, port: address.port, noDelay: true }
    )
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError).off('connect', onConnect)
    }
    const onAbort = (): void => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(signal.reason)
    }
    const onError = (error: Error): void => {
      settle()
      reject(error)
    }
    const onConnect = (): void => {
      settle()
      resolve(socket)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError).once('connect', onConnect)
  })
}
