import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

import { equalConstantTime, HushlampError } from '@hushlamp/shared'

import type { ControlAddress } from '../config/config.ts'

const deadlineMs = 5000
const maxReplyBytes = 64 * 1024
const cookieBytes = 32

interface Waiting {
  resolve(lines: readonly string[]): void
  reject(error: unknown): void
}

/**
 * A control connection of a Tor that runs on this computer (control-spec): just enough to ask for an onion service,
 * which lives as long as the connection. Cookie authentication only.
 */
export class TorControl implements Disposable {
  /** Fulfilled when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #lines: string[] = []
  #inData = false
  #rest = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const waiting of this.#waiting.splice(0)) waiting.reject(refused('Tor hung up.'))
        resolve()
      })
    })
  }

  /**
   * Connects and authenticates.
   *
   * @throws HushlampError `tor-control`
   */
  static async connect(address: ControlAddress): Promise<TorControl> {
    const socket = await opened(address)
    const control = new TorControl(socket)
    socket.setTimeout(deadlineMs, () => socket.destroy())
    try {
      await control.#authenticate()
      socket.setTimeout(0)
      return control
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /**
   * Sends a command and gives the lines of its reply without the status.
   *
   * @throws HushlampError `tor-control` if Tor refuses or hangs up
   */
  async command(line: string): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(refused('Tor hung up.'))
        return
      }
      this.#waiting.push({ resolve, reject })
      this.#socket.write(`${line}\r\n`, 'latin1')
    })
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#readLine(line)
    const held = this.#rest.length + this.#lines.reduce((sum, line) => sum + line.length, 0)
    if (held > maxReplyBytes) this.#socket.destroy()
  }

  #readLine(line: string): void {
    if (this.#inData) {
      if (line === '.') this.#inData = false
      return
    }
    const match = /^([0-9]{3})([-+ ])(.*)$/.exec(line)
    if (match === null) {
      this.#socket.destroy()
      return
    }
    const [, status = '', mark, content = ''] = match
    this.#lines.push(content)
    this.#inData = mark === '+'
    if (mark !== ' ') return
    const reply = this.#lines
    this.#lines = []
    if (status.startsWith('6')) return
    const waiting = this.#waiting.shift()
    if (status === '250') waiting?.resolve(reply)
    else waiting?.reject(refused(`Tor refused a command with status ${status}.`))
  }

  async #authenticate(): Promise<void> {
    const info = (await this.command('PROTOCOLINFO 1')).find((line) => line.startsWith('AUTH '))
    const methods = /METHODS=([A-Z,]+)/.exec(info ?? '')?.[1]?.split(',') ?? []
    if (methods.includes('NULL')) {
      await this.command('AUTHENTICATE')
      return
    }
    const file = /COOKIEFILE="((?:[^"\\]|\\.)*)"/.exec(info ?? '')?.[1]
    if (!methods.includes('SAFECOOKIE') || file === undefined) {
      throw refused('Tor offers no cookie. Set CookieAuthentication 1 in its torrc.')
    }
    const cookie = await readCookie(file.replace(/\\(.)/g, '$1'))
    await this.command(`AUTHENTICATE ${await this.#proof(cookie)}`)
  }

  /** SAFECOOKIE (control-spec §3.24): Tor proves that it knows the cookie before we do. */
  async #proof(cookie: Uint8Array): Promise<string> {
    const nonce = randomBytes(cookieBytes)
    const [reply = ''] = await this.command(`AUTHCHALLENGE SAFECOOKIE ${nonce.toString('hex')}`)
    const server = /SERVERHASH=([0-9A-F]{64}) SERVERNONCE=([0-9A-F]{64})/i.exec(reply)
    const serverNonce = Buffer.from(server?.[2] ?? '', 'hex')
    const digest = (direction: string): Buffer =>
      createHmac('sha256', `Tor safe cookie authentication ${direction} hash`)
        .update(Buffer.concat([cookie, nonce, serverNonce]))
        .digest()
    const claimed = Buffer.from(server?.[1] ?? '', 'hex')
    if (!equalConstantTime(claimed, digest('server-to-controller'))) {
      throw refused('What listens on the control port does not know Tor’s cookie.')
    }
    return digest('controller-to-server').toString('hex')
  }
}

async function opened(address: ControlAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), deadlineMs)
    socket.once('error', (cause) => {
      clearTimeout(timer)
      reject(refused('No Tor answers on its control port.', cause))
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

async function readCookie(file: string): Promise<Uint8Array> {
  try {
    const cookie = await readFile(file)
    if (cookie.length === cookieBytes) return cookie
  } catch (cause) {
    const advice = 'Tor’s cookie cannot be read. Add the user of this node to the group of Tor.'
    throw refused(advice, cause)
  }
  throw refused('Tor’s cookie has a wrong length.')
}

function refused(message: string, cause?: unknown): HushlampError {
  return new HushlampError('tor-control', message, { cause })
}
