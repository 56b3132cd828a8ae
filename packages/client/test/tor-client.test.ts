import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'

import { afterEach, describe, expect, test } from 'vitest'

import { connectToTor, onionHost, onionPublicKeyOfSeed } from '../src/index.ts'
import type { ExistingTor, TorClient, TorStatus } from '../src/index.ts'
import { FakeControlPort } from '../testing/fake-control-port.ts'
import type { FakeControlPortInit } from '../testing/fake-control-port.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const service = { seed: new Uint8Array(32).fill(7), port: 80 }
const id = onionHost(onionPublicKeyOfSeed(service.seed)).replace('.onion', '')
const ignore = (stream: Duplex): void => void stream.destroy()
const notReady = (progress: number, circuits: 0 | 1): string =>
  `250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=${progress} TAG=x SUMMARY="At work"\r\n` +
  `250-status/circuit-established=${circuits}\r\n250 OK\r\n`

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})
const clientOf = async (
  answer: FakeControlPortInit['answer'] = () => undefined,
  tor: Partial<ExistingTor> = {}
): Promise<{ client: TorClient; port: FakeControlPort; clock: ManualClock }> => {
  const clock = new ManualClock()
  const port = await FakeControlPort.open({ answer })
  opened.push(port)
  const client = await connectToTor({ control: port.address, ...tor }, { clock })
  opened.push(client)
  return { client, port, clock }
}
const onBootstrap = (text: string) => (line: string) =>
  line.startsWith('GETINFO status/bootstrap-phase') ? text : undefined
/** The path of the unix socket that the last ADD_ONION named. */
const socketOf = (port: FakeControlPort): string => {
  const lines = port.commands.filter((line) => line.startsWith('ADD_ONION'))
  return /unix:(\S+)$/.exec(lines.at(-1) ?? '')?.[1] ?? ''
}

describe('the status of a Tor client', () => {
  test('is ready only with a circuit', async () => {
    const { client, port } = await clientOf(onBootstrap(notReady(100, 0)))
    expect(client.status).toMatchObject({ phase: 'starting', progress: 100 })
    const ready = client.ready()
    port.send('650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n')
    await ready
    expect(client.status).toEqual({ phase: 'ready' })
  })

  test('tells the progress and what Tor complains of, each once', async () => {
    const { client, port } = await clientOf(onBootstrap(notReady(5, 0)))
    const seen: TorStatus[] = []
    client.onStatus((status) => seen.push(status))
    const event =
      '650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=10 SUMMARY="Connecting" WARNING="No route"'
    port.send(`${event}\r\n${event}\r\n650 STATUS_CLIENT NOTICE UNKNOWN X=1\r\n`)
    await expect.poll(() => seen).toHaveLength(1)
    expect(seen).toEqual([{ phase: 'starting', progress: 10, summary: 'Connecting (No route)' }])
  })

  test('goes back when Tor has no circuits any more', async () => {
    const { client, port } = await clientOf()
    expect(client.status.phase).toBe('ready')
    port.send('650 STATUS_CLIENT NOTICE CIRCUIT_NOT_ESTABLISHED REASON=CLOCK_JUMPED\r\n')
    await expect.poll(() => client.status.phase).toBe('starting')
  })

  test('is stalled only when nothing has changed for long, and one may wait again', async () => {
    const { client, port, clock } = await clientOf(onBootstrap(notReady(5, 0)))
    const first = client.ready({ stallMs: 60_000 })
    clock.advance(59_000)
    port.send('650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=10 SUMMARY="On the way"\r\n')
    await expect.poll(() => client.status).toMatchObject({ progress: 10 })
    clock.advance(59_000)
    clock.advance(1000)
    await expect(first).rejects.toMatchObject({ code: 'tor-bootstrap-stalled' })
    expect(client.status).toMatchObject({ phase: 'starting', summary: 'On the way' })
    const second = client.ready()
    port.send(
      '650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 SUMMARY="Done"\r\n650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n'
    )
    await second
  })

  test('is lost when Tor hangs up, and waiting ends', async () => {
    const { client, port } = await clientOf(onBootstrap(notReady(5, 0)))
    const ready = client.ready()
    port.hangUp()
    await expect(ready).rejects.toMatchObject({ code: 'tor-lost' })
    expect(client.status.phase).toBe('lost')
  })
})

describe('an onion service of a Tor client', () => {
  test('is added without Detach, to a unix socket of its own in a private folder', async () => {
    const { client, port } = await clientOf()
    await client.listen(service, ignore)
    const command = port.commands.at(-1) ?? ''
    expect(command).toMatch(/^ADD_ONION ED25519-V3:[A-Za-z0-9+/]{86}== Port=80,unix:\S+$/)
    const folder = await stat(dirname(socketOf(port)))
    expect(folder.mode & 0o777).toBe(0o700)
  })

  test('can be reached by a Tor of another user, if asked for, without a folder to list', async () => {
    const { client, port } = await clientOf(undefined, { services: { access: 'any-user' } })
    await client.listen(service, ignore)
    const [folder, socket] = [await stat(dirname(socketOf(port))), await stat(socketOf(port))]
    expect([folder.mode & 0o777, socket.mode & 0o777]).toEqual([0o711, 0o666])
  })

  test('hands over the streams that come to its socket', async () => {
    const { client, port } = await clientOf()
    const streams: Duplex[] = []
    await client.listen(service, (stream) => streams.push(stream))
    const caller = connect(socketOf(port))
    await expect.poll(() => streams).toHaveLength(1)
    caller.destroy()
  })

  test('is published by the first upload of its own descriptor', async () => {
    const { client, port } = await clientOf()
    const listener = await client.listen(service, ignore)
    let isPublished = false
    const publication = listener.published.then(() => (isPublished = true))
    port.send(
      `650 HS_DESC UPLOADED ${'a'.repeat(56)} UNKNOWN x\r\n650 HS_DESC UPLOAD ${id} UNKNOWN x\r\n`
    )
    await client.listen({ seed: new Uint8Array(32), port: 80 }, ignore)
    expect(isPublished).toBe(false)
    port.send(`650 HS_DESC UPLOADED ${id} UNKNOWN x\r\n`)
    await publication
  })

  test('gives way to itself where Tor has it already', async () => {
    let additions = 0
    const { client, port } = await clientOf((line) =>
      line.startsWith('ADD_ONION') && additions++ === 0
        ? '550 Onion address collision\r\n'
        : undefined
    )
    await client.listen(service, ignore)
    const keywords = port.commands.slice(-3).map((line) => line.split(' ')[0])
    expect(keywords).toEqual(['ADD_ONION', 'DEL_ONION', 'ADD_ONION'])
  })

  test('of another program is left alone', async () => {
    const { client } = await clientOf((line) => {
      if (line.startsWith('ADD_ONION')) return '550 Onion address collision\r\n'
      return line.startsWith('DEL_ONION') ? '552 Unknown Onion Service id\r\n' : undefined
    })
    await expect(client.listen(service, ignore)).rejects.toMatchObject({ code: 'tor-control' })
  })

  test('that was refused leaves no socket behind', async () => {
    const { client, port } = await clientOf((line) =>
      line.startsWith('ADD_ONION') ? '512 Bad\r\n' : undefined
    )
    await expect(client.listen(service, ignore)).rejects.toMatchObject({ code: 'tor-control' })
    await expect(stat(socketOf(port))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('that was cancelled is taken down again', async () => {
    const { client, port } = await clientOf((line) =>
      line.startsWith('ADD_ONION') ? '' : undefined
    )
    const controller = new AbortController()
    const listening = client.listen(service, ignore, { signal: controller.signal })
    await expect.poll(() => socketOf(port)).not.toBe('')
    controller.abort()
    await expect(listening).rejects.toMatchObject({ code: 'aborted' })
    await expect.poll(() => port.commands).toContain(`DEL_ONION ${id}`)
  })

  test('is deleted once, by whoever holds it last', async () => {
    const { client, port } = await clientOf()
    const old = await client.listen(service, ignore)
    const fresh = await client.listen(service, ignore)
    await expect(old.published).rejects.toMatchObject({ code: 'tor-lost' })
    await old[Symbol.asyncDispose]()
    expect(port.commands).not.toContain(`DEL_ONION ${id}`)
    await fresh[Symbol.asyncDispose]()
    await fresh[Symbol.asyncDispose]()
    expect(port.commands.filter((line) => line === `DEL_ONION ${id}`)).toHaveLength(1)
  })

  test('and its folder go with the client', async () => {
    const { client, port } = await clientOf()
    const { published } = await client.listen(service, ignore)
    const path = socketOf(port)
    await client[Symbol.asyncDispose]()
    await expect(published).rejects.toMatchObject({ code: 'tor-lost' })
    await expect(stat(dirname(path))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('connecting to a Tor that runs', () => {
  test('prefers the unix socket among the SOCKS ports', async () => {
    const { client, port } = await clientOf()
    expect(port.commands).toContain('GETINFO net/listeners/socks')
    const target = { kind: 'host', host: 'example.org', port: 80 } as const
    const attempt = client.connect(target, { username: 'a', password: 'b' })
    // The socket that it names does not exist, and nothing else is tried.
    await expect(attempt).rejects.toMatchObject({ code: 'tor-lost', cause: { code: 'ENOENT' } })
  })

  test('fails where it has no SOCKS port', async () => {
    const none = '250-net/listeners/socks=\r\n250 OK\r\n'
    const port = await FakeControlPort.open({
      answer: (line) => (line.includes('listeners') ? none : undefined)
    })
    opened.push(port)
    const attempt = connectToTor({ control: port.address })
    await expect(attempt).rejects.toMatchObject({ code: 'tor-control' })
  })
})
