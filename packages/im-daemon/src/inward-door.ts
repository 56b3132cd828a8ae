import { createServer, isIP } from 'node:net'
import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { SecureContext } from 'node:tls'

import { HushlampError } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import type { TlsCertificate } from './xmpp/self-signed-certificate.ts'
import type {
  ConnectionId,
  Moment,
  XmppServerEffect,
  XmppServerEvent
} from './xmpp/server-events.ts'
import type { XmppServer } from './xmpp/server.ts'

/** Where to listen: an address of this computer itself, or a socket in the file system. */
export type DoorAddress =
  | {
      readonly host: string
      /** 0: any free one. */
      readonly port: number
    }
  | { readonly path: string }

/** What stands behind the door. */
export interface XmppDoorComponents {
  readonly server: XmppServer
  readonly clock: Clock
  /** Carries out what concerns an account. Must not throw; may call {@link XmppDoor.tell}. */
  readonly onEffect: (effect: AccountEffect) => void
}

/** How the door is set up. */
export interface XmppDoorInit {
  readonly address: DoorAddress
  /** For STARTTLS; without it the server must have been made with `offerStartTls: false`. */
  readonly certificate?: TlsCertificate
  /** Further connections are closed at once. */
  readonly maxConnections?: number
}

/** The effects of the server that are not about connections. */
export type AccountEffect = Exclude<
  XmppServerEffect,
  { readonly kind: 'write' | 'start-tls' | 'close' }
>

/** The events of the server that are not about connections. */
export type AccountEvent = Extract<XmppServerEvent, { readonly account: string }>

/** An open door. */
export interface XmppDoor extends AsyncDisposable {
  /** Where it listens, with the port that was found. */
  readonly address: DoorAddress
  /** Hands an event to the server and carries out what follows. */
  tell(event: AccountEvent): void
  /** Ends all streams with `system-shutdown` and closes. */
  stop(): Promise<void>
}

const defaultMaxConnections = 64

/** A client that lets this many bytes wait is not reading and loses its connection. */
const maxWaitingBytes = 8 * 1024 * 1024

/** Time that a closed connection has to take the last words. */
const lingerMs = 2_000

const tickMs = 1_000

/**
 * Opens the only door into the daemon for XMPP clients. It listens on loopback or a unix socket, never anywhere else, and
 * never dials. All decisions are the server's; here are only sockets, TLS and a timer.
 *
 * @throws HushlampError `config-invalid` for an address that other computers could reach, `address-in-use`
 */
export async function listenForXmpp(
  components: XmppDoorComponents,
  init: XmppDoorInit
): Promise<XmppDoor> {
  const door = new Door(components, init)
  await door.start()
  return door
}

/** A client at the door. `stream` is the plain socket or the TLS on top of it. */
interface Visitor {
  readonly socket: Socket
  stream: Socket
}

class Door implements XmppDoor {
  readonly #components: XmppDoorComponents
  readonly #init: XmppDoorInit
  readonly #secureContext: SecureContext | undefined
  readonly #listener: Server
  readonly #visitors = new Map<ConnectionId, Visitor>()
  #lastConnection = 0
  #cancelTick: () => void = () => {}
  #queue: XmppServerEvent[] = []
  #working = false

  constructor(components: XmppDoorComponents, init: XmppDoorInit) {
    this.#components = components
    this.#init = init
    const { certificate } = init
    this.#secureContext =
      certificate &&
      createSecureContext({
        key: certificate.keyPem,
        cert: certificate.certificatePem,
        minVersion: 'TLSv1.2'
      })
    this.#listener = createServer({ noDelay: true }, (socket) => this.#admit(socket))
    this.#listener.maxConnections = init.maxConnections ?? defaultMaxConnections
  }

  get address(): DoorAddress {
    const bound = this.#listener.address()
    const { address } = this.#init
    return 'path' in address || !isAddressInfo(bound) ? address : { ...address, port: bound.port }
  }

  async start(): Promise<void> {
    const options = listenOptions(this.#init.address)
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error))
      this.#listener.once('error', failed)
      this.#listener.listen(options, () => {
        this.#listener.off('error', failed)
        // A client that goes away before it is accepted, or too many open files: the door stays open.
        this.#listener.on('error', () => {})
        resolve()
      })
    })
  }

  tell(event: AccountEvent): void {
    this.#step(event)
  }

  async stop(): Promise<void> {
    this.#step({ kind: 'server-stopping' })
    this.#cancelTick()
    if (!this.#listener.listening) return
    await new Promise<void>((resolve) => {
      this.#listener.close(() => resolve())
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #admit(socket: Socket): void {
    const connection = ++this.#lastConnection
    if (this.#visitors.size === 0) this.#startTicking()
    const visitor: Visitor = { socket, stream: socket }
    this.#visitors.set(connection, visitor)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#gone(connection))
    this.#listen(connection, socket)
    this.#step({ kind: 'connection-opened', connection, secure: false })
  }

  #listen(connection: ConnectionId, stream: Socket): void {
    stream.on('data', (bytes: Buffer) => this.#step({ kind: 'received', connection, bytes }))
    stream.on('end', () => this.#step({ kind: 'connection-closed', connection }))
  }

  #gone(connection: ConnectionId): void {
    if (!this.#visitors.delete(connection)) return
    this.#step({ kind: 'connection-closed', connection })
    if (this.#visitors.size === 0) this.#cancelTick()
  }

  #startTicking(): void {
    this.#cancelTick = this.#components.clock.after(tickMs, () => {
      this.#startTicking()
      this.#step({ kind: 'tick' })
    })
  }

  /** One event after the other, also when carrying out an effect makes the next one. */
  #step(event: XmppServerEvent): void {
    this.#queue.push(event)
    if (this.#working) return
    this.#working = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        for (const effect of this.#components.server.step(next, this.#now())) this.#carryOut(effect)
      }
    } finally {
      this.#working = false
    }
  }

  #now(): Moment {
    const { clock } = this.#components
    return { unixSeconds: clock.unixSeconds(), monotonicMs: clock.monotonicMs() }
  }

  #carryOut(effect: XmppServerEffect): void {
    switch (effect.kind) {
      case 'write':
        return this.#write(effect.connection, effect.text)
      case 'start-tls':
        return this.#startTls(effect.connection)
      case 'close':
        return this.#close(effect.connection)
      case 'message-taken':
      case 'need-pending':
      case 'own-presence':
      case 'rename-contact':
      case 'send-message':
      case 'store-private':
        return this.#components.onEffect(effect)
    }
  }

  #write(connection: ConnectionId, text: string): void {
    const visitor = this.#visitors.get(connection)
    if (visitor === undefined || visitor.stream.writableEnded) return
    visitor.stream.write(text)
    if (visitor.stream.writableLength > maxWaitingBytes) visitor.socket.destroy()
  }

  #startTls(connection: ConnectionId): void {
    const visitor = this.#visitors.get(connection)
    if (visitor === undefined || this.#secureContext === undefined) {
      visitor?.socket.destroy()
      return
    }
    const { socket } = visitor
    socket.removeAllListeners('data')
    socket.removeAllListeners('end')
    const stream = new TLSSocket(socket, { isServer: true, secureContext: this.#secureContext })
    visitor.stream = stream
    stream.on('error', () => socket.destroy())
    stream.on('close', () => socket.destroy())
    // Node calls this `secure` on the server's side of a socket that it did not accept itself.
    stream.once('secure', () => {
      this.#step({ kind: 'tls-started', connection })
      this.#listen(connection, stream)
    })
  }

  /** Lets the last words out and then insists. */
  #close(connection: ConnectionId): void {
    const visitor = this.#visitors.get(connection)
    if (visitor === undefined) return
    const { socket, stream } = visitor
    stream.removeAllListeners('data')
    stream.resume()
    stream.end()
    const cancel = this.#components.clock.after(lingerMs, () => socket.destroy())
    socket.once('close', cancel)
  }
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}

/** Only addresses that lead nowhere but to this computer. Names are not asked for: they could lead anywhere. */
function listenOptions(address: DoorAddress): ListenOptions {
  if ('path' in address) return { path: address.path }
  const { host, port } = address
  const loopback =
    host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  if (!loopback) {
    throw new HushlampError(
      'config-invalid',
      'The XMPP server only listens on this computer: set the host to 127.0.0.1 or ::1.'
    )
  }
  return { host: host === 'localhost' ? '127.0.0.1' : host, port, ipv6Only: true }
}

function listenError(cause: NodeJS.ErrnoException): HushlampError {
  return cause.code === 'EADDRINUSE'
    ? new HushlampError('address-in-use', undefined, { cause })
    : new HushlampError('config-invalid', 'The address for XMPP clients cannot be used.', { cause })
}
