import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a {@link FakeControlPort} behaves. */
export interface FakeControlPortInit {
  /** What it answers to a command, CRLF and all; undefined for the usual answer, an empty text for none. */
  readonly answer?: (line: string, port: FakeControlPort) => string | undefined
  /** Default `COOKIE,SAFECOOKIE`. */
  readonly methods?: string
  /** Whether it knows another cookie than the file holds. */
  readonly hasWrongCookie?: boolean
  /** Whether the cookie file is left to the test. */
  readonly withoutCookieFile?: boolean
}

const serverLabel = 'Tor safe cookie authentication server-to-controller hash'
const clientLabel = 'Tor safe cookie authentication controller-to-server hash'

/** A control port that speaks just enough of Tor's language, to make it misbehave in tests. */
export class FakeControlPort implements AsyncDisposable {
  readonly address: { readonly path: string }
  readonly cookiePath: string
  /** The cookie that belongs into the file. */
  readonly cookie: Uint8Array = randomBytes(32)
  /** The commands received, in order. */
  readonly commands: string[] = []
  readonly #directory: string
  readonly #init: FakeControlPortInit
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #proof = ''

  private constructor(directory: string, init: FakeControlPortInit) {
    this.#directory = directory
    this.#init = init
    this.address = { path: join(directory, 'control') }
    this.cookiePath = join(directory, 'cookie')
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async open(init: FakeControlPortInit = {}): Promise<FakeControlPort> {
    const directory = await mkdtemp(join(tmpdir(), 'hushlamp-control-'))
    const port = new FakeControlPort(directory, init)
    if (init.withoutCookieFile !== true) await port.writeCookie()
    await new Promise<void>((resolve) => {
      port.#server.listen(port.address.path, resolve)
    })
    return port
  }

  async writeCookie(): Promise<void> {
    await writeFile(this.cookiePath, this.cookie)
  }

  /** Sends bytes to everyone who is connected. */
  send(bytes: string | Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes)
  }

  /** Hangs up on everyone, after what was sent. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    await rm(this.#directory, { recursive: true, force: true })
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let rest = ''
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        this.commands.push(line)
        socket.write(this.#init.answer?.(line, this) ?? this.#answer(line))
      }
    })
  }

  #answer(line: string): string {
    const [keyword, ...words] = line.split(' ')
    switch (keyword) {
      case 'PROTOCOLINFO': {
        const methods = this.#init.methods ?? 'COOKIE,SAFECOOKIE'
        const cookieFile = methods.includes('COOKIE') ? ` COOKIEFILE="${this.cookiePath}"` : ''
        return `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=${methods}${cookieFile}\r\n250 OK\r\n`
      }
      case 'AUTHCHALLENGE': {
        const known = this.#init.hasWrongCookie === true ? randomBytes(32) : this.cookie
        const nonce = randomBytes(32)
        const transcript = Buffer.concat([known, Buffer.from(words[1] ?? '', 'hex'), nonce])
        const hash = createHmac('sha256', serverLabel).update(transcript).digest('hex')
        this.#proof = createHmac('sha256', clientLabel).update(transcript).digest('hex')
        return `250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${nonce.toString('hex')}\r\n`
      }
      case 'AUTHENTICATE': {
        const plain = Buffer.from(this.cookie).toString('hex')
        const accepted = [this.#proof || plain, '"open \\"sesame\\""']
        return accepted.includes(words.join(' ')) ? '250 OK\r\n' : '515 Authentication failed\r\n'
      }
      case 'GETINFO': {
        if (words[0] === 'net/listeners/socks') {
          return `250-net/listeners/socks="127.0.0.1:9050" "unix:${this.#directory}/socks"\r\n250 OK\r\n`
        }
        return '250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"\r\n250-status/circuit-established=1\r\n250 OK\r\n'
      }
      case undefined:
      default: {
        return '250 OK\r\n'
      }
    }
  }
}
