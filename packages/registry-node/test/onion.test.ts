import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { VirtualClock } from '@hushlamp/shared/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { silentLogger } from '../src/log.ts'
import { OnionService } from '../src/onion/onion-service.ts'
import { TorControl } from '../src/onion/tor-control.ts'

const id = 'a'.repeat(56)

/** The control port of a Tor that can be made to misbehave. A real one is used in the tests of the network. */
class ScriptedTor {
  readonly commands: string[] = []
  readonly path: string
  readonly #cookie = randomBytes(32)
  readonly #cookieFile: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  answer: (command: string) => string | undefined = () => undefined

  constructor(folder: string) {
    this.path = join(folder, 'control')
    this.#cookieFile = join(folder, 'cookie')
  }

  async start(): Promise<void> {
    await writeFile(this.#cookieFile, this.#cookie)
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.setEncoding('latin1')
      socket.on('data', (text: string) => {
        for (const line of text.split('\r\n').filter(Boolean)) {
          this.commands.push(line)
          socket.write(this.answer(line) ?? this.#reply(line))
        }
      })
    })
    this.#server = server
    await new Promise<void>((resolve) => {
      server.listen(this.path, resolve)
    })
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    await new Promise<void>((resolve) => {
      if (this.#server === undefined) resolve()
      else this.#server.close(() => resolve())
    })
    this.#server = undefined
  }

  #reply(line: string): string {
    if (line.startsWith('PROTOCOLINFO')) {
      return `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="${this.#cookieFile}"\r\n250 OK\r\n`
    }
    if (line.startsWith('AUTHCHALLENGE')) {
      const clientNonce = Buffer.from(line.split(' ')[2] ?? '', 'hex')
      const serverNonce = randomBytes(32)
      const hash = createHmac('sha256', 'Tor safe cookie authentication server-to-controller hash')
        .update(Buffer.concat([this.#cookie, clientNonce, serverNonce]))
        .digest('hex')
      return `250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${serverNonce.toString('hex')}\r\n`
    }
    return line.startsWith('ADD_ONION') ? `250-ServiceID=${id}\r\n250 OK\r\n` : '250 OK\r\n'
  }
}

describe('the onion service of a node', () => {
  let folder: string
  let tor: ScriptedTor
  const clock = new VirtualClock()
  const start = async (): Promise<OnionService> =>
    OnionService.start(
      { clock, logger: silentLogger },
      {
        seed: new Uint8Array(32).fill(7),
        target: { host: '::1', port: 5851 },
        control: [{ path: join(folder, 'nothing') }, { path: tor.path }]
      }
    )

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hushlamp-onion-'))
    tor = new ScriptedTor(folder)
    await tor.start()
  })
  afterEach(async () => {
    await tor.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('is made at the first Tor that can be controlled, always with the same key', async () => {
    await using service = await start()
    expect(service.address).toBe(`http://${id}.onion`)
    const [first] = tor.commands.filter((line) => line.startsWith('ADD_ONION'))
    expect(first).toMatch(/^ADD_ONION ED25519-V3:[A-Za-z0-9+/]{86}== Port=80,\[::1\]:5851$/)
    await service.stop()
    await using again = await start()
    expect(again.address).toBeDefined()
    expect(tor.commands.filter((line) => line === first)).toHaveLength(2)
  })

  it('comes back with Tor', async () => {
    await using service = await start()
    await tor.stop()
    await expect.poll(() => service.address).toBeUndefined()
    clock.advance(3000)
    expect(service.address).toBeUndefined()
    await tor.start()
    await expect
      .poll(() => {
        clock.advance(60_000)
        return service.address
      })
      .toBe(`http://${id}.onion`)
  })

  it.each([
    ['refuses the service', 'ADD_ONION', '512 Bad arguments\r\n'],
    [
      'does not know the cookie',
      'AUTHCHALLENGE',
      `250 AUTHCHALLENGE SERVERHASH=${'0'.repeat(64)} SERVERNONCE=${'0'.repeat(64)}\r\n`
    ],
    ['knows passwords only', 'PROTOCOLINFO', '250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK\r\n'],
    ['talks nonsense', 'PROTOCOLINFO', 'HTTP/1.1 400 Bad request\r\n\r\n'],
    ['talks without end', 'PROTOCOLINFO', `250-${'x'.repeat(100_000)}`]
  ])('is not made where Tor %s', async (_, command, reply) => {
    tor.answer = (line) => (line.startsWith(command) ? reply : undefined)
    await expect(start()).rejects.toMatchObject({ code: 'tor-control' })
  })

  it('never sends the cookie itself', async () => {
    using control = await TorControl.connect({ path: tor.path })
    expect(await control.command('GETINFO version')).toEqual(['OK'])
    const proof = tor.commands.find((line) => line.startsWith('AUTHENTICATE'))
    expect(proof).toMatch(/^AUTHENTICATE [0-9a-f]{64}$/)
  })
})
