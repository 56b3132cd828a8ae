import type { Socket } from 'node:net'

import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { AbortOptions, Clock, Random } from '@hushlamp/shared'

import { systemClock, systemRandom } from '../system-ports.ts'
import { authenticate } from './control-authentication.ts'
import type { ControlAuthentication } from './control-authentication.ts'
import { ControlReplyParser } from './control-reply-parser.ts'
import type { ControlEvent, ControlItem, ControlReply } from './control-reply-parser.ts'
import { Deadline, orAborted, wait } from './deadline.ts'
import { dial } from './local-socket.ts'
import type { LocalAddress } from './local-socket.ts'

/** How a control connection is opened. */
export interface ControlOpenOptions extends AbortOptions {
  /** How long to wait for the socket, the cookie and the authentication together. Default 10,000. */
  readonly deadlineMs?: number
  /** Default: the clock of the system. */
  readonly clock?: Pick<Clock, 'after'>
  /** For the nonces of the authentication. Default: the generator of the system. */
  readonly random?: Random
}

/** How a command is given. */
export interface ControlCommandOptions extends AbortOptions {
  /** How long to wait for the reply. Default 30,000. */
  readonly deadlineMs?: number
}

interface PendingCommand {
  readonly resolve: (reply: ControlReply) => void
  readonly reject: (error: HushlampError) => void
}

/** How often a socket is dialled again that Tor has not opened yet. */
const dialRetryMs = 50
/** How long a polite end may take before the socket is destroyed. */
const closeMs = 1000

/**
 * One authenticated connection to Tor's control port (control-spec). Commands may be given at any time, replies come in
 * order. An onion service that was added over a connection lives as long as the connection.
 */
export class ControlConnection implements AsyncDisposable {
  /** Fulfilled once the connection is gone, whoever ended it. Never rejected. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #clock: Pick<Clock, 'after'>
  readonly #parser = new ControlReplyParser()
  readonly #pending: PendingCommand[] = []
  readonly #listeners = new Set<(event: ControlEvent) => void>()
  #lost: HushlampError | undefined

  private constructor(socket: Socket, clock: Pick<Clock, 'after'>) {
    this.#socket = socket
    this.#clock = clock
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('error', (cause) => this.#lose(cause))
    socket.on('end', () => this.#lose())
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#lose()
        resolve()
      })
    })
  }

  /**
   * Connects and authenticates. A socket that does not exist yet, refuses, or whose cookie file is not written yet is
   * tried again until the deadline.
   *
   * Errors: `tor-start-failed` at the deadline or where the socket cannot be used at all, `tor-control` where Tor refuses
   * the authentication, `tor-lost` where it hangs up meanwhile, `config-invalid` for a host name, `aborted`.
   */
  static async open(
    address: LocalAddress,
    authentication: ControlAuthentication,
    options: ControlOpenOptions = {}
  ): Promise<ControlConnection> {
    const { clock = systemClock, random = systemRandom } = options
    using deadline = new Deadline(clock, {
      deadlineMs: options.deadlineMs ?? 10_000,
      code: 'tor-start-failed',
      message: 'Tor did not open its control port in time.',
      signal: options.signal
    })
    const socket = await dialUntilThere(address, clock, deadline.signal)
    const connection = new ControlConnection(socket, clock)
    try {
      const command = (line: string): Promise<ControlReply> =>
        connection.command(line, { signal: deadline.signal })
      await orAborted(
        authenticate({ command, clock, random }, authentication, deadline.signal),
        deadline.signal
      )
      return connection
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /** Whether commands can still be given. */
  get isOpen(): boolean {
    return this.#lost === undefined
  }

  /**
   * Gives one command, without CRLF, and answers with the reply, whatever its status. Giving up on a reply does not
   * take the command back.
   *
   * Errors: `tor-lost` where the connection is or gets closed, `tor-control` for a command of several lines and where no
   * reply comes in time, `aborted`.
   */
  async command(line: string, options: ControlCommandOptions = {}): Promise<ControlReply> {
    if (/[\r\n\0]/.test(line)) {
      throw new HushlampError('tor-control', 'A command to Tor has exactly one line.')
    }
    using deadline = new Deadline(this.#clock, {
      deadlineMs: options.deadlineMs ?? 30_000,
      code: 'tor-control',
      message: 'Tor did not answer a command in time.',
      signal: options.signal
    })
    if (this.#lost !== undefined) throw this.#lost
    if (deadline.signal.aborted) throw deadline.signal.reason
    const reply = new Promise<ControlReply>((resolve, reject) => {
      this.#pending.push({ resolve, reject })
    })
    this.#socket.write(`${line}\r\n`)
    return await orAborted(reply, deadline.signal)
  }

  /**
   * As {@link command}, but a status other than 25x is the error `tor-control`. Its message holds the keyword of the
   * command and the status, never an argument.
   */
  async ok(line: string, options: ControlCommandOptions = {}): Promise<ControlReply> {
    const reply = await this.command(line, options)
    if (reply.status >= 250 && reply.status < 260) return reply
    const keyword = /^[A-Z_]+/.exec(line)?.[0] ?? 'a command'
    throw new HushlampError('tor-control', `Tor refused ${keyword} with status ${reply.status}.`)
  }

  /** Calls `listener` for each asynchronous event; the returned function ends that. Ask Tor for events by SETEVENTS. */
  onEvent(listener: (event: ControlEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends the connection; commands that wait for a reply are rejected with `tor-lost`. Fulfilled once it is gone. */
  async close(): Promise<void> {
    this.#lose()
    this.#socket.end()
    const cancel = this.#clock.after(closeMs, () => this.#socket.destroy())
    await this.closed
    cancel()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #take(bytes: Uint8Array): void {
    for (const item of this.#parser.push(bytes)) {
      if (this.#lost !== undefined) return
      this.#dispatch(item)
    }
  }

  #dispatch(item: ControlItem): void {
    switch (item.kind) {
      case 'reply': {
        const pending = this.#pending.shift()
        if (pending !== undefined) return pending.resolve(item.reply)
        return this.#break('a reply without a command')
      }
      case 'event': {
        for (const listener of this.#listeners) listener(item.event)
        return
      }
      case 'malformed': {
        return this.#break(item.reason)
      }
    }
  }

  #break(reason: string): void {
    this.#lose(new Error(`The control port does not speak Tor's protocol: ${reason}.`))
    this.#socket.destroy()
  }

  #lose(cause?: Error): void {
    this.#lost ??= new HushlampError('tor-lost', undefined, { cause })
    for (const { reject } of this.#pending.splice(0)) reject(this.#lost)
    this.#socket.end()
  }
}

async function dialUntilThere(
  address: LocalAddress,
  clock: Pick<Clock, 'after'>,
  signal: AbortSignal
): Promise<Socket> {
  for (;;) {
    try {
      return await dial(address, signal)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (isHushlampError(error)) throw error
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') {
        throw new HushlampError('tor-start-failed', 'The control port of Tor cannot be opened.', {
          cause: error
        })
      }
    }
    await wait(clock, dialRetryMs, signal)
  }
}
