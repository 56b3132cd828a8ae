import { HushlampError, concat, utf8 } from '@hushlamp/shared'
import type { ErrorCode } from '@hushlamp/shared'

import type { SocksDestination } from './socks5-address.ts'
import type { CircuitToken } from './tor-provider.ts'

/** What a handshake asks for. */
export interface SocksRequest {
  readonly destination: SocksDestination
  readonly circuit: CircuitToken
  /** Goes out in one piece with the request to connect (optimistic data, Tor proposal 174). */
  readonly initialData?: Uint8Array | undefined
}

/** What is to be done next. After `open` and `failed` nothing more comes. */
export type SocksEffect =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The stream is open; `rest` are its first bytes, which came with the reply. */
  | { readonly kind: 'open'; readonly rest: Uint8Array }
  | { readonly kind: 'failed'; readonly error: HushlampError }

/** The `cause` of an error that Tor reported by SOCKS. */
export class SocksReplyError extends Error {
  override readonly name: string = 'SocksReplyError'
  /** RFC 1928 §6, or 0xF0 to 0xF7 (Tor's socks-extensions, ExtendedErrors). */
  readonly reply: number

  constructor(reply: number) {
    super(`SOCKS reply 0x${reply.toString(16).padStart(2, '0')}`)
    this.reply = reply
  }
}

/** Tor takes user names with this beginning as commands (socks-extensions, Tor proposal 351). */
const reservedUsername = '<torS0X>'
const noBytes = new Uint8Array()

/**
 * The client's half of SOCKS5 as Tor speaks it (RFC 1928, RFC 1929, socks-extensions), pure: bytes in, effects out.
 * User name and password always go along, because they are what isolates circuits; a server that does not want them is
 * refused. Where the bytes are cut makes no difference.
 *
 * Of the failures only `tor-unauthorised` (0xF4, 0xF5) and `tor-address` (0xF6) are certain; all others are
 * `tor-unreachable` and deserve another try.
 */
export class Socks5Handshake {
  readonly #authentication: Uint8Array
  readonly #connect: Uint8Array
  #state: 'method' | 'authentication' | 'reply' | 'done' = 'method'
  #received: Uint8Array = noBytes

  /** Throws a `RangeError` for a token that is not of 1 to 255 bytes each or that Tor would take as a command. */
  constructor(request: SocksRequest) {
    const username = utf8(request.circuit.username)
    const password = utf8(request.circuit.password)
    for (const { length } of [username, password]) {
      if (length < 1 || length > 255)
        throw new RangeError('a circuit token has 1 to 255 bytes each')
    }
    if (request.circuit.username.startsWith(reservedUsername)) {
      throw new RangeError('this user name is reserved by Tor')
    }
    this.#authentication = concat(
      Uint8Array.of(1, username.length),
      username,
      Uint8Array.of(password.length),
      password
    )
    this.#connect = concat(
      Uint8Array.of(5, 1, 0),
      request.destination.bytes,
      request.initialData ?? noBytes
    )
  }

  /** The first effects: the offer of one method, user name and password. */
  start(): readonly SocksEffect[] {
    return [{ kind: 'send', bytes: Uint8Array.of(5, 1, 2) }]
  }

  /** Takes the next bytes from the server. Never throws. */
  push(bytes: Uint8Array): readonly SocksEffect[] {
    if (this.#state === 'done') return []
    this.#received = concat(this.#received, bytes)
    const effects: SocksEffect[] = []
    let effect = this.#advance()
    while (effect !== undefined) {
      effects.push(effect)
      effect = this.#advance()
    }
    return effects
  }

  #advance(): SocksEffect | undefined {
    switch (this.#state) {
      case 'method': {
        if (this.#received.length < 2) return undefined
        const [protocol, method] = this.#take(2)
        if (protocol !== 5 || method !== 2) return this.#fail(notTor())
        this.#state = 'authentication'
        return { kind: 'send', bytes: this.#authentication }
      }
      case 'authentication': {
        if (this.#received.length < 2) return undefined
        const [protocol, status] = this.#take(2)
        if (protocol !== 1 || status !== 0) return this.#fail(notTor())
        this.#state = 'reply'
        return { kind: 'send', bytes: this.#connect }
      }
      case 'reply': {
        return this.#takeReply()
      }
      case 'done': {
        return undefined
      }
    }
  }

  #takeReply(): SocksEffect | undefined {
    const [protocol, reply, , kind, nameLength] = this.#received
    if (protocol === undefined) return undefined
    if (protocol !== 5) return this.#fail(notTor())
    if (reply === undefined) return undefined
    if (reply !== 0) return this.#fail(refusal(reply))
    if (kind === undefined || nameLength === undefined) return undefined
    const addressLength = kind === 1 ? 4 : kind === 4 ? 16 : kind === 3 ? 1 + nameLength : undefined
    if (addressLength === undefined) return this.#fail(notTor())
    const length = 4 + addressLength + 2
    if (this.#received.length < length) return undefined
    this.#take(length)
    this.#state = 'done'
    return { kind: 'open', rest: this.#received }
  }

  #take(length: number): Uint8Array {
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  #fail(error: HushlampError): SocksEffect {
    this.#state = 'done'
    return { kind: 'failed', error }
  }
}

function refusal(reply: number): HushlampError {
  return new HushlampError(codeOf(reply), undefined, { cause: new SocksReplyError(reply) })
}

function codeOf(reply: number): ErrorCode {
  if (reply === 0xf4 || reply === 0xf5) return 'tor-unauthorised'
  return reply === 0xf6 ? 'tor-address' : 'tor-unreachable'
}

function notTor(): HushlampError {
  const message =
    'The program on the SOCKS port does not isolate circuits by credentials as Tor does.'
  return new HushlampError('tor-lost', message)
}
