import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isHushlampError } from '@hushlamp/shared'
import { afterEach, describe, expect, test } from 'vitest'

import { ControlConnection } from '../src/index.ts'
import { FakeControlPort } from '../testing/fake-control-port.ts'
import type { FakeControlPortInit } from '../testing/fake-control-port.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const cookie = { kind: 'cookie-file' } as const
const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

const fakePort = async (init?: FakeControlPortInit): Promise<FakeControlPort> => {
  const port = await FakeControlPort.open(init)
  opened.push(port)
  return port
}
const connectTo = async (
  init?: FakeControlPortInit
): Promise<[ControlConnection, FakeControlPort]> => {
  const port = await fakePort(init)
  const connection = await ControlConnection.open(port.address, cookie)
  opened.push(connection)
  return [connection, port]
}

describe('opening a control connection', () => {
  test('prefers SAFECOOKIE and never sends the cookie then', async () => {
    const [, port] = await connectTo()
    expect(port.commands.map((line) => line.split(' ')[0])).toEqual([
      'PROTOCOLINFO',
      'AUTHCHALLENGE',
      'AUTHENTICATE'
    ])
    expect(port.commands.join(' ')).not.toContain(Buffer.from(port.cookie).toString('hex'))
  })

  test('falls back to the plain cookie', async () => {
    const [, port] = await connectTo({ methods: 'COOKIE' })
    expect(port.commands).toHaveLength(2)
  })

  test('says a password, quoted', async () => {
    const port = await fakePort({ methods: 'HASHEDPASSWORD' })
    const password = { kind: 'password', password: 'open "sesame"' } as const
    await using connection = await ControlConnection.open(port.address, password)
    expect(connection.isOpen).toBe(true)
  })

  test.each([
    ['a server without cookies', { methods: 'HASHEDPASSWORD' }],
    [
      'status 515',
      { answer: (line) => (line.startsWith('AUTHENTICATE') ? '515 no\r\n' : undefined) }
    ],
    [
      'a challenge of another form',
      { answer: (line) => (line.startsWith('AUTHC') ? '250 x\r\n' : undefined) }
    ]
  ] satisfies [string, FakeControlPortInit][])('refuses %s', async (_, init) => {
    const port = await fakePort(init)
    const opening = ControlConnection.open(port.address, cookie)
    await expect(opening).rejects.toMatchObject({ code: 'tor-control' })
    const sent = port.commands.join(' ')
    expect(sent).not.toContain(Buffer.from(port.cookie).toString('hex'))
  })

  test('proves nothing to a server that does not know the cookie', async () => {
    const port = await fakePort({ hasWrongCookie: true })
    const opening = ControlConnection.open(port.address, cookie)
    await expect(opening).rejects.toMatchObject({ code: 'tor-control' })
    expect(port.commands.filter((line) => line.startsWith('AUTHENTICATE'))).toEqual([])
  })

  test('waits for the cookie file', async () => {
    const port = await fakePort({ withoutCookieFile: true })
    const opening = ControlConnection.open(port.address, cookie)
    await expect.poll(() => port.commands).toContain('PROTOCOLINFO 1')
    await port.writeCookie()
    await using connection = await opening
    expect(connection.isOpen).toBe(true)
  })

  test('gives up on a socket that is never there', async () => {
    const clock = new ManualClock()
    const path = join(tmpdir(), 'hushlamp-nobody-listens-here')
    const opening = ControlConnection.open({ path }, cookie, { clock, deadlineMs: 5000 })
    clock.advance(5000)
    await expect(opening).rejects.toMatchObject({ code: 'tor-start-failed' })
  })

  test('gives up on a server that says nothing, when asked to', async () => {
    const port = await fakePort({ answer: () => '' })
    const controller = new AbortController()
    const { signal } = controller
    const opening = ControlConnection.open(port.address, cookie, { signal })
    await expect.poll(() => port.commands).toHaveLength(1)
    controller.abort()
    await expect(opening).rejects.toMatchObject({ code: 'aborted' })
  })

  test('takes a server that hangs up for lost', async () => {
    const port = await fakePort({
      answer: (_, self) => {
        self.hangUp()
        return ''
      }
    })
    const opening = ControlConnection.open(port.address, cookie)
    await expect(opening).rejects.toMatchObject({ code: 'tor-lost' })
  })

  test('never looks up a name', async () => {
    const opening = ControlConnection.open({ host: 'localhost', port: 9051 }, cookie)
    await expect(opening).rejects.toMatchObject({ code: 'config-invalid' })
  })

  test('works over TCP as well', async () => {
    const server = createServer((socket) => socket.on('data', () => socket.write('250 OK\r\n')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const password = { kind: 'password', password: 'x' } as const
    const connection = await ControlConnection.open({ host: '127.0.0.1', port }, password)
    await connection.close()
    server.close()
    expect(connection.isOpen).toBe(false)
  })
})

describe('a control connection', () => {
  test('answers commands in their order', async () => {
    const [connection] = await connectTo({
      answer: (line) => (/^(?:ONE|TWO)/.test(line) ? `250 ${line}\r\n` : undefined)
    })
    const replies = await Promise.all([connection.command('ONE'), connection.command('TWO')])
    expect(replies.map(({ lines }) => lines[0])).toEqual(['ONE', 'TWO'])
  })

  test('names neither arguments nor the text of Tor in an error', async () => {
    const [connection] = await connectTo({
      answer: (line) => (line.startsWith('ADD_ONION') ? '512 Bad secretsecret\r\n' : undefined)
    })
    const error: unknown = await connection
      .ok('ADD_ONION secretsecret')
      .catch((cause: unknown) => cause)
    if (!isHushlampError(error, 'tor-control')) throw new Error('another error', { cause: error })
    expect(error.message).toBe('Tor refused ADD_ONION with status 512.')
    expect(error.cause).toBeUndefined()
  })

  test.each(['A\r\nB', 'A\nB', 'A\rB', 'A\0'])('refuses the command %j', async (line) => {
    const [connection, port] = await connectTo()
    const before = port.commands.length
    await expect(connection.command(line)).rejects.toMatchObject({ code: 'tor-control' })
    await connection.ok('GETINFO version')
    expect(port.commands.slice(before)).toEqual(['GETINFO version'])
  })

  test('hands events to its listeners until they are taken back', async () => {
    const [connection, port] = await connectTo()
    const seen: string[] = []
    const stop = connection.onEvent(({ name }) => seen.push(name))
    port.send('650 CIRC 1\r\n650 HS_DESC x\r\n')
    await expect.poll(() => seen).toEqual(['CIRC', 'HS_DESC'])
    stop()
    port.send('650 CIRC 2\r\n')
    await connection.ok('GETINFO version')
    expect(seen).toHaveLength(2)
  })

  test.each([
    ['closes in the middle of a reply', '250-half\r\n250-'],
    ['sends garbage', 'HTTP/1.1 400 Bad Request\r\n'],
    ['sends a line without an end', 'a'.repeat(100_000)]
  ])('rejects what waits when Tor %s', async (_, text) => {
    const [connection] = await connectTo({
      answer: (line, port) => {
        if (line !== 'FIRST') return line === 'SECOND' ? '' : undefined
        port.send(text)
        if (text.endsWith('-')) port.hangUp()
        return ''
      }
    })
    const first = connection.command('FIRST').catch((error: unknown) => error)
    const second = connection.command('SECOND')
    await expect(second).rejects.toMatchObject({ code: 'tor-lost' })
    await first
    await connection.closed
    expect(connection.isOpen).toBe(false)
    await expect(connection.command('THIRD')).rejects.toMatchObject({ code: 'tor-lost' })
  })

  test('ends when Tor sends a reply that nobody asked for', async () => {
    const [connection, port] = await connectTo()
    port.send('250 OK\r\n')
    await connection.closed
    expect(connection.isOpen).toBe(false)
  })

  test('gives each reply to its own command after one was given up', async () => {
    const [connection, port] = await connectTo({
      answer: (line) => (line === 'SLOW' ? '' : undefined)
    })
    const controller = new AbortController()
    const slow = connection.command('SLOW', { signal: controller.signal })
    await expect.poll(() => port.commands).toContain('SLOW')
    controller.abort()
    await expect(slow).rejects.toMatchObject({ code: 'aborted' })
    const next = connection.command('NEXT')
    port.send('250 of the slow one\r\n')
    expect((await next).lines).toEqual(['OK'])
  })

  test('does not wait for a reply for ever', async () => {
    const clock = new ManualClock()
    const port = await fakePort({ answer: (line) => (line === 'SLOW' ? '' : undefined) })
    await using connection = await ControlConnection.open(port.address, cookie, { clock })
    const slow = connection.command('SLOW', { deadlineMs: 1000 })
    clock.advance(1000)
    await expect(slow).rejects.toMatchObject({ code: 'tor-control' })
  })

  test('rejects what waits when it is closed', async () => {
    const [connection] = await connectTo({ answer: (line) => (line === 'SLOW' ? '' : undefined) })
    const slow = connection.command('SLOW')
    const closing = connection.close()
    await expect(slow).rejects.toMatchObject({ code: 'tor-lost' })
    await closing
    await connection.close()
  })
})
