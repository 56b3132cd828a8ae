import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'

import { connectBySocks } from '../src/tor/socks5.ts'
import { socksDestination } from '../src/tor/socks5-address.ts'
import { Socks5Handshake } from '../src/tor/socks5-handshake.ts'
import type { SocksEffect } from '../src/tor/socks5-handshake.ts'
import type { TorTarget } from '../src/tor/tor-provider.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const circuit = { username: 'user', password: 'pass' }
const target: TorTarget = { kind: 'host', host: 'example.org', port: 80 }
const opened = Uint8Array.of(5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0)

const handshake = (initialData?: Uint8Array): Socks5Handshake =>
  new Socks5Handshake({ destination: socksDestination(target), circuit, initialData })
const hexOf = (effect: SocksEffect | undefined): string | undefined =>
  effect?.kind === 'send' ? Buffer.from(effect.bytes).toString('hex') : effect?.kind
const run = (chunks: readonly Uint8Array[]): SocksEffect[] => {
  const machine = handshake()
  return chunks.flatMap((chunk) => [...machine.push(chunk)])
}

describe('the SOCKS5 handshake', () => {
  test('offers credentials only, then sends them, then asks and sends the first bytes at once', () => {
    const machine = handshake(Buffer.from('GET'))
    expect(machine.start().map(hexOf)).toEqual(['050102'])
    expect(machine.push(Uint8Array.of(5, 2)).map(hexOf)).toEqual(['0104757365720470617373'])
    const request = `050100030b${Buffer.from('example.org').toString('hex')}0050474554`
    expect(machine.push(Uint8Array.of(1, 0)).map(hexOf)).toEqual([request])
  })

  test.each([
    [1, Uint8Array.of(1, 2, 3, 4, 0, 80)],
    [3, Uint8Array.of(2, 97, 98, 0, 80)],
    [4, new Uint8Array(18)]
  ])('opens after a reply with address type %i and keeps what follows', (type, rest) => {
    const bytes = Buffer.concat([Uint8Array.of(5, 2, 1, 0, 5, 0, 0, type), rest, Buffer.from('hi')])
    expect(run([bytes]).at(-1)).toEqual({ kind: 'open', rest: new Uint8Array(Buffer.from('hi')) })
  })

  test.each([
    [0xf0, 'tor-unreachable'],
    [0xf1, 'tor-unreachable'],
    [0xf2, 'tor-unreachable'],
    [0xf3, 'tor-unreachable'],
    [0xf4, 'tor-unauthorised'],
    [0xf5, 'tor-unauthorised'],
    [0xf6, 'tor-address'],
    [0xf7, 'tor-unreachable'],
    [0x01, 'tor-unreachable'],
    [0x06, 'tor-unreachable']
  ])('makes of the reply 0x%x the code %s and keeps the reply', (reply, code) => {
    const effects = run([Uint8Array.of(5, 2, 1, 0, 5, reply)])
    expect(effects.at(-1)).toMatchObject({ kind: 'failed', error: { code, cause: { reply } } })
  })

  test.each([
    ['that wants no credentials', Uint8Array.of(5, 0)],
    ['that accepts no method', Uint8Array.of(5, 255)],
    ['that refuses the credentials', Uint8Array.of(5, 2, 1, 1)],
    ['of version 4', Uint8Array.of(0, 90)],
    ['with an unknown type of address', Uint8Array.of(5, 2, 1, 0, 5, 0, 0, 9, 0)]
  ])('refuses a server %s', (_, bytes) => {
    expect(run([bytes]).at(-1)).toMatchObject({ kind: 'failed', error: { code: 'tor-lost' } })
  })

  test('does the same with any bytes, however they are cut, and ends once', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((tail) => Buffer.concat([opened.subarray(0, 5), tail]))
    )
    fc.assert(
      fc.property(bytes, fc.nat(40), fc.nat(40), (all, one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)]
        const whole = run([all])
        const cut = run([all.subarray(0, from), all.subarray(from, to), all.subarray(to)])
        const shape = (effect: SocksEffect): string | undefined =>
          effect.kind === 'failed' ? effect.error.code : hexOf(effect)
        expect(cut.map(shape)).toEqual(whole.map(shape))
        expect(cut.slice(0, -1).every(({ kind }) => kind === 'send')).toBe(true)
      }),
      { numRuns: 1000 }
    )
  })

  test.each([
    { username: '', password: 'x' },
    { username: 'x', password: '' },
    { username: 'x'.repeat(256), password: 'x' },
    { username: '<torS0X>0', password: 'x' }
  ])('refuses the token %j', (token) => {
    const destination = socksDestination(target)
    expect(() => new Socks5Handshake({ destination, circuit: token })).toThrow(RangeError)
  })
})

describe('a destination', () => {
  test.each([
    ['example.org', '030b6578616d706c652e6f7267'],
    ['EXAMPLE.org', '030b6578616d706c652e6f7267'],
    ['10.0.0.255', '010a0000ff'],
    ['::1', '0400000000000000000000000000000001'],
    ['[2001:db8::8:0:1]', '0420010db8000000000000000800000001'],
    ['1:2:3:4:5:6:7:8', '0400010002000300040005000600070008'],
    ['::ffff:1.2.3.4', '0400000000000000000000ffff01020304']
  ])('%s has its own type of address', (host, bytes) => {
    const destination = socksDestination({ kind: 'host', host, port: 258 })
    expect(Buffer.from(destination.bytes).toString('hex')).toBe(`${bytes}0102`)
  })

  test.each([
    '',
    ' ',
    'a b',
    'a\r\nb',
    'ü.example',
    'a..b',
    '.a',
    '[example.org]',
    'fe80::1%eth0',
    'a/b',
    'a:1'
  ])('cannot be %j', (host) => {
    expect(() => socksDestination({ kind: 'host', host, port: 80 })).toThrow(
      expect.objectContaining({ code: 'tor-address' })
    )
  })
})

describe('a stream through SOCKS5', () => {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  const serve = async (onSocket: (socket: Socket) => void): Promise<{ path: string }> => {
    const directory = await mkdtemp(join(tmpdir(), 'hushlamp-socks-'))
    const sockets: Socket[] = []
    const server: Server = createServer((socket) => {
      sockets.push(socket)
      onSocket(socket.on('error', () => {}))
    })
    const path = join(directory, 'socks')
    server.listen(path)
    await once(server, 'listening')
    closing.push(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await rm(directory, { recursive: true })
    })
    return { path }
  }
  const clock = new ManualClock()

  test('starts with the bytes that came together with the reply', async () => {
    const socks = await serve((socket) => {
      socket.write(Buffer.concat([opened, Buffer.from('early ')]))
      setImmediate(() => socket.end('late'))
    })
    const stream = await connectBySocks({ clock }, { socks, target, circuit })
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    await once(stream, 'close')
    expect(text).toBe('early late')
  })

  test('fails in time with a server that is silent', async () => {
    const arrived: Socket[] = []
    const socks = await serve((socket) => arrived.push(socket))
    const attempt = connectBySocks({ clock }, { socks, target, circuit }, { deadlineMs: 8000 })
    await expect.poll(() => arrived).toHaveLength(1)
    const hungUp = once(arrived[0]?.resume() ?? fail(), 'close')
    clock.advance(8000)
    await expect(attempt).rejects.toMatchObject({ code: 'tor-timeout' })
    await hungUp
  })

  test.each([
    ['hangs up', (socket: Socket): void => void socket.end(opened.subarray(0, 6))],
    ['is not SOCKS', (socket: Socket): void => void socket.write('HTTP/1.1 400 Bad Request\r\n')]
  ])('fails with a server that %s', async (_, onSocket) => {
    const socks = await serve(onSocket)
    const attempt = connectBySocks({ clock }, { socks, target, circuit })
    await expect(attempt).rejects.toMatchObject({ code: 'tor-lost' })
  })

  test('fails where there is no server', async () => {
    const socks = { path: join(tmpdir(), 'hushlamp-nobody-listens-here') }
    const attempt = connectBySocks({ clock }, { socks, target, circuit })
    await expect(attempt).rejects.toMatchObject({ code: 'tor-lost' })
  })

  test('that nobody reads can fail without harm', async () => {
    const socks = await serve((socket) => {
      socket.write(opened)
      socket.once('data', () => setImmediate(() => socket.resetAndDestroy()))
    })
    const stream = await connectBySocks({ clock }, { socks, target, circuit })
    stream.write('x')
    stream.destroy(new Error('of no interest'))
    await expect.poll(() => stream.closed).toBe(true)
  })
})

function fail(): never {
  throw new Error('nobody came')
}
