import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

import { HushlampError, hex } from '@hushlamp/shared'
import type { Random } from '@hushlamp/shared'

import { makeSocketDirectory } from './socket-directory.ts'

/** How Tor reaches the local ends of our onion services. */
export interface ServiceSocketsInit {
  /** Unix sockets, or loopback ports, which every program of the computer can reach. Default: by the platform. */
  readonly transport?: 'unix' | 'tcp'
  /**
   * Who may connect to the unix sockets. `own-user` (default): a Tor that runs as we do. `any-user`: a Tor of the
   * system; then the folder cannot be listed and the sockets have unpredictable names, which only Tor is told.
   */
  readonly access?: 'own-user' | 'any-user'
}

/** The local end of one onion service. */
export interface ServiceSocket {
  /** As ADD_ONION wants it: `unix:/path` or `127.0.0.1:port` (control-spec §3.27). */
  readonly torAddress: string
  /** Takes no more streams; those that are open stay. */
  close(): void
}

/** One local socket per onion service, in a private folder that is made when it is first needed. */
export class ServiceSockets implements AsyncDisposable {
  readonly #random: Random
  readonly #transport: 'unix' | 'tcp'
  readonly #access: 'own-user' | 'any-user'
  readonly #servers = new Set<Server>()
  #directory: Promise<string> | undefined

  constructor(components: { readonly random: Random }, init: ServiceSocketsInit = {}) {
    this.#random = components.random
    this.#transport = init.transport ?? (process.platform === 'win32' ? 'tcp' : 'unix')
    this.#access = init.access ?? 'own-user'
  }

  /**
   * Opens a socket of its own for one service. Each stream has a listener for errors already.
   *
   * Errors: `storage-failed` where the folder or the socket cannot be made.
   */
  async open(onStream: (stream: Duplex) => void): Promise<ServiceSocket> {
    const server = createServer({ noDelay: true }, (stream) => {
      stream.on('error', () => {})
      onStream(stream)
    })
    try {
      const torAddress =
        this.#transport === 'unix' ? await this.#listenOnPath(server) : await listenOnPort(server)
      this.#servers.add(server)
      const close = (): void => {
        if (this.#servers.delete(server)) server.close()
      }
      return { torAddress, close }
    } catch (cause) {
      server.close()
      const message = 'No local socket can be opened for an onion service.'
      throw new HushlampError('storage-failed', message, { cause })
    }
  }

  /** Closes all sockets and removes the folder. Open streams stay open. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close()
    this.#servers.clear()
    const directory = await this.#directory?.catch(() => undefined)
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  }

  async #listenOnPath(server: Server): Promise<string> {
    this.#directory ??= this.#makeDirectory()
    const path = join(await this.#directory, hex(this.#random.bytes(8)))
    await listen(server, { path })
    if (this.#access === 'any-user') await chmod(path, 0o666)
    return `unix:${path}`
  }

  async #makeDirectory(): Promise<string> {
    const directory = await makeSocketDirectory()
    if (this.#access === 'any-user') await chmod(directory, 0o711)
    return directory
  }
}

async function listenOnPort(server: Server): Promise<string> {
  await listen(server, { host: '127.0.0.1', port: 0 })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `127.0.0.1:${address.port}`
}

function listen(
  server: Server,
  where: { path: string } | { host: string; port: number }
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject).on('error', () => {})
      resolve()
    })
  })
}
