import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'

import type { Clock } from '@hushlamp/shared'
import { isHushlampError } from '@hushlamp/shared'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { listenForXmpp } from '../src/inward-door.ts'
import type { AccountEffect, DoorAddress, XmppDoor } from '../src/inward-door.ts'
import { makeSelfSignedCertificate } from '../src/xmpp/self-signed-certificate.ts'
import { XmppServer } from '../src/xmpp/server.ts'
import { countingRandom, testCredentials } from './scripts/fixtures.ts'

const start =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
const login = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${Buffer.from('\0alice\0secret').toString('base64')}</auth>`
const bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
const certificate = makeSelfSignedCertificate(countingRandom(), Date.now() / 1000)
const loopback = { host: '127.0.0.1', port: 0 }

/** A clock that stands still until it is moved. */
class StoppedClock implements Clock {
  #ms = 0
  readonly #timers = new Map<() => void, number>()

  unixSeconds(): number {
    return 1_795_442_520
  }

  monotonicMs(): number {
    return this.#ms
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = (): void => callback()
    this.#timers.set(timer, this.#ms + delayMs)
    return () => this.#timers.delete(timer)
  }

  advance(ms: number): void {
    this.#ms += ms
    for (const [timer, at] of Array.from(this.#timers)) {
      if (at <= this.#ms && this.#timers.delete(timer)) timer()
    }
  }
}

interface OpenDoor {
  readonly door: XmppDoor
  readonly clock: StoppedClock
  readonly effects: AccountEffect[]
}

async function openDoor(
  address: DoorAddress = loopback,
  maxConnections?: number
): Promise<OpenDoor> {
  const clock = new StoppedClock()
  const effects: AccountEffect[] = []
  const server = new XmppServer(
    {
      random: countingRandom(),
      accounts: {
        credentialsOf: (name) => (name === 'alice' ? testCredentials : undefined),
        contactsOf: () => [{ alias: 'amy', groups: [], state: 'online' }]
      }
    },
    { domain: 'localhost', version: '0' }
  )
  const door = await listenForXmpp(
    { server, clock, onEffect: (effect) => effects.push(effect) },
    { address, certificate, ...(maxConnections === undefined ? {} : { maxConnections }) }
  )
  onTestFinished(async () => {
    const stopped = door.stop()
    clock.advance(10_000)
    await stopped
  })
  return { door, clock, effects }
}

/** What has been read from a socket, and ways to wait for more. */
class Reader {
  text = ''
  closed = false

  constructor(socket: Socket) {
    socket.on('data', (bytes) => (this.text += bytes.toString()))
    socket.on('close', () => (this.closed = true))
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
  }

  async until(part: string): Promise<string> {
    await vi.waitUntil(() => this.text.includes(part), { timeout: 5_000, interval: 2 })
    const { text } = this
    this.text = ''
    return text
  }

  async untilClosed(): Promise<string> {
    await vi.waitUntil(() => this.closed, { timeout: 5_000, interval: 2 })
    return this.text
  }
}

function dial(address: DoorAddress): { readonly socket: Socket; readonly reader: Reader } {
  const socket = connect(address)
  return { socket, reader: new Reader(socket) }
}

async function logIn(socket: Socket, reader: Reader): Promise<void> {
  socket.write(start)
  await reader.until('</stream:features>')
  socket.write(login)
  await reader.until('<success')
  socket.write(start)
  await reader.until('</stream:features>')
  socket.write(bind)
  await reader.until('<jid>')
}

describe('the door for XMPP clients', () => {
  test('lets a client in through STARTTLS that trusts the certificate and nothing else', async () => {
    const { door, effects } = await openDoor()
    const { socket, reader } = dial(door.address)
    socket.write(start)
    await reader.until('<starttls')
    socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    await reader.until('<proceed')
    socket.removeAllListeners('data')
    const secure: TLSSocket = connectTls({
      socket,
      ca: certificate.certificatePem,
      servername: 'localhost'
    })
    const secureReader = new Reader(secure)
    await vi.waitFor(() => expect(secure.authorized).toBe(true))
    await logIn(secure, secureReader)
    secure.write('<presence/>')
    await secureReader.until('amy@localhost/hushlamp')
    expect(effects.map(({ kind }) => kind)).toEqual(['own-presence', 'need-pending'])
    door.tell({
      kind: 'message-arrived',
      account: 'alice',
      from: 'amy',
      message: { id: '1', body: 'hello', sentAt: 1_795_442_520 }
    })
    await secureReader.until('<body>hello</body>')
    expect(effects.at(-1)).toEqual({
      kind: 'message-taken',
      account: 'alice',
      from: 'amy',
      id: '1'
    })
    secure.write('</stream:stream>')
    expect(await secureReader.untilClosed()).toBe('</stream:stream>')
    expect(effects.at(-1)).toEqual({
      kind: 'own-presence',
      account: 'alice',
      presence: { available: false }
    })
  })

  test('drops a client that answers <proceed/> with something else than TLS', async () => {
    const { door } = await openDoor()
    const { socket, reader } = dial(door.address)
    socket.write(start)
    await reader.until('<starttls')
    socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    await reader.until('<proceed')
    socket.write(start)
    expect(await reader.untilClosed()).not.toContain('<stream')
  })

  test('lets a client in without TLS, on a unix socket too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hushlamp-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    for (const address of [loopback, { path: join(folder, 's') }]) {
      const { door } = await openDoor(address)
      const { socket, reader } = dial(door.address)
      await logIn(socket, reader)
      await door.stop()
      expect(await reader.untilClosed()).toContain('<system-shutdown')
    }
  })

  test('ends a stream with a word when it stops, a broken one too', async () => {
    const { door } = await openDoor()
    const { socket, reader } = dial(door.address)
    socket.write('<nonsense')
    socket.write('<')
    expect(await reader.untilClosed()).toMatch(/<not-well-formed .*<\/stream:stream>$/)
    await door.stop()
  })

  test('drops who does not log in, however it dawdles', async () => {
    const { door, clock } = await openDoor()
    const { socket, reader } = dial(door.address)
    socket.write(start)
    await reader.until('</stream:features>')
    for (let second = 0; second < 31; second++) {
      socket.write(' ')
      clock.advance(1_000)
    }
    expect(await reader.untilClosed()).toContain('<connection-timeout')
  })

  test('drops who does not read', async () => {
    const { door, effects } = await openDoor()
    const { socket, reader } = dial(door.address)
    await logIn(socket, reader)
    socket.write('<presence/>')
    await reader.until('amy@localhost')
    socket.pause()
    const body = 'x'.repeat(100_000)
    await vi.waitFor(
      () => {
        door.tell({
          kind: 'message-arrived',
          account: 'alice',
          from: 'amy',
          message: { id: '1', body, sentAt: 1_795_442_520 }
        })
        expect(effects.at(-1)).toEqual({
          kind: 'own-presence',
          account: 'alice',
          presence: { available: false }
        })
      },
      { timeout: 5_000, interval: 1 }
    )
  })

  test('admits only so many at a time', async () => {
    const { door } = await openDoor(loopback, 1)
    const first = dial(door.address)
    first.socket.write(start)
    await first.reader.until('</stream:features>')
    expect(await dial(door.address).reader.untilClosed()).toBe('')
  })

  test.each(['0.0.0.0', '::', '192.168.1.1', '127.evil.example', 'example.org', ''])(
    'does not open towards %j',
    async (host) => {
      await expect(openDoor({ host, port: 0 })).rejects.toSatisfy(
        (error) =>
          isHushlampError(error, 'config-invalid') && error.message.includes('only listens on')
      )
    }
  )

  test('says so when the address is in use', async () => {
    const { door } = await openDoor()
    await expect(openDoor(door.address)).rejects.toSatisfy((error) =>
      isHushlampError(error, 'address-in-use')
    )
  })
})
