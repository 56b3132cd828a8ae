import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

import { base64, hex, utf8 } from '@hushlamp/shared'
import type { GetResult, ResultCode } from '@hushlamp/shared'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'

import { Budget } from '../src/http/budget.ts'
import { httpInterface } from './http-interface.ts'
import type { HttpInterfaceOptions } from './http-interface.ts'
import { encodeMethodCall } from './xml-rpc-calls.ts'

const key = new Uint8Array(20).fill(9)
const path = `/v1/keys/${hex(key)}/values`
const put = {
  method: 'POST',
  url: path,
  payload: { value: base64(utf8('red')), ttlSeconds: 60 }
} as const
const get = { method: 'GET', url: path } as const
const call = (method: string, ...params: Parameters<typeof encodeMethodCall>[1]) =>
  ({
    method: 'POST',
    url: '/RPC2',
    payload: encodeMethodCall(method, params),
    headers: { 'content-type': 'text/xml' }
  }) as const
const xmlGet = call('get', key, 1, new Uint8Array(), 'test')
const xmlPut = call('put', key, utf8('red'), 60, 'test')

describe('a budget', () => {
  it('runs some tasks at a time, in the order in which they came', async () => {
    const budget = new Budget({ maxRunning: 2, maxWaiting: 3 })
    const begun: number[] = []
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
    const tasks = gates.map(async (gate, i) =>
      budget.run(async () => {
        begun.push(i)
        await gate.promise
        return i
      })
    )
    expect(begun).toEqual([0, 1])
    gates[1]?.resolve()
    await tasks[1]
    await expect.poll(() => begun).toEqual([0, 1, 2])
    for (const gate of gates) gate.resolve()
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3, 4])
    expect(begun).toEqual([0, 1, 2, 3, 4])
  })

  it('takes no more than may wait, and takes them again when there is room', async () => {
    const budget = new Budget({ maxRunning: 1, maxWaiting: 1 })
    const gate = Promise.withResolvers<void>()
    const first = budget.run(async () => gate.promise)
    const second = budget.run(async () => 'second')
    await expect(budget.run(async () => 'third')).rejects.toMatchObject({
      code: 'registry-unreachable'
    })
    gate.resolve()
    expect(await second).toBe('second')
    await first
    expect(await budget.run(async () => 'fourth')).toBe('fourth')
  })

  it('is not used up by tasks that fail', async () => {
    const budget = new Budget({ maxRunning: 1, maxWaiting: 0 })
    for (let i = 0; i < 3; i++) {
      await expect(budget.run(async () => Promise.reject(new Error('failed')))).rejects.toThrow(
        'failed'
      )
    }
    expect(budget.open).toBe(true)
  })
})

describe('a node with too much to do', () => {
  const none: GetResult = { values: [], placemark: new Uint8Array() }
  const few = { maxRunning: 1, maxWaiting: 1 }
  const budgets = { gets: few, puts: few }
  /** Sends at once, not only when somebody waits for the answer. */
  const ask = async (app: FastifyInstance, request: InjectOptions) => app.inject(request)

  it('still takes puts in a flood of gets, and asks the gets to come again', async () => {
    const gate = Promise.withResolvers<GetResult>()
    const app = httpInterface({ budgets, registry: { get: async () => gate.promise } })
    await app.ready()
    const taken = [ask(app, get), ask(app, get)]
    const refused = await ask(app, get)
    expect(refused.statusCode).toBe(503)
    expect(refused.headers['retry-after']).toBe('5')
    expect(refused.json()).toMatchObject({ code: 'registry-unreachable' })
    const fault = await app.inject(xmlGet)
    expect(fault.statusCode).toBe(200)
    expect(fault.body).toContain('<name>faultCode</name><value><int>2</int></value>')
    expect((await app.inject(put)).statusCode).toBe(201)
    expect((await app.inject(xmlPut)).body).toContain('<param><value><int>0</int></value></param>')
    gate.resolve(none)
    for (const answer of await Promise.all(taken)) expect(answer.statusCode).toBe(200)
    expect((await app.inject(get)).statusCode).toBe(200)
    await app.close()
  })

  it('still takes gets in a flood of puts, and answers the puts with code 2', async () => {
    const gate = Promise.withResolvers<ResultCode>()
    const app = httpInterface({ budgets, registry: { put: async () => gate.promise } })
    await app.ready()
    const taken = [ask(app, put), ask(app, put)]
    const refused = await ask(app, put)
    expect(refused.statusCode).toBe(503)
    expect(refused.headers['retry-after']).toBe('5')
    expect(refused.json()).toMatchObject({ code: 2 })
    expect((await app.inject(xmlPut)).body).toContain('<param><value><int>2</int></value></param>')
    expect((await app.inject(get)).statusCode).toBe(200)
    gate.resolve(0)
    for (const answer of await Promise.all(taken)) expect(answer.statusCode).toBe(201)
    await app.close()
  })

  it('logs none of the requests that it refuses', async () => {
    const lines: string[] = []
    const closed = { maxRunning: 0, maxWaiting: 0 }
    const app = httpInterface({
      budgets: { gets: closed, puts: closed },
      warn: (line) => lines.push(line)
    })
    for (const request of [get, put, xmlGet, xmlPut]) await app.inject(request)
    expect(lines).toEqual([])
    await app.close()
  })

  it('logs what should not happen once, whatever the number of requests', async () => {
    const lines: string[] = []
    const failing = async (): Promise<never> => {
      throw new Error('canary')
    }
    const app = httpInterface({ registry: { get: failing }, warn: (line) => lines.push(line) })
    for (const request of [get, get, xmlGet]) await app.inject(request)
    expect(lines).toEqual(['a request failed: Error; more of this kind will not be reported'])
    await app.close()
  })
})

describe('a connection', () => {
  const opened: FastifyInstance[] = []
  const sockets: Socket[] = []

  const listen = async (options: HttpInterfaceOptions): Promise<number> => {
    const app = httpInterface({ checkIntervalMs: 20, ...options })
    opened.push(app)
    await app.listen({ host: '127.0.0.1', port: 0 })
    const bound = app.server.address()
    if (bound === null || typeof bound === 'string') throw new Error('the node has no port')
    return bound.port
  }
  /** A connection, and what comes over it until the node closes it. */
  const dial = (port: number): { socket: Socket; answer: Promise<string> } => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', () => {})
    return { socket, answer: once(socket, 'close').then(() => text) }
  }

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const app of opened.splice(0)) await app.close()
  })

  it('ends where the headers do not end', async () => {
    const { socket, answer } = dial(
      await listen({ headersTimeoutMs: 100, requestTimeoutMs: 600_000 })
    )
    socket.write('GET /healthz HTTP/1.1\r\n')
    const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 10)
    expect(await answer).toMatch(/^HTTP\/1.1 408 [^]*application\/problem\+json/)
    clearInterval(drip)
  })

  it('ends where the body does not end', async () => {
    const { socket, answer } = dial(await listen({ headersTimeoutMs: 100, requestTimeoutMs: 200 }))
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n`
    )
    const drip = setInterval(() => socket.write(' '), 10)
    expect(await answer).toMatch(/^HTTP\/1.1 408 /)
    clearInterval(drip)
  })

  it('ends where nothing is sent', async () => {
    const { answer } = dial(await listen({ headersTimeoutMs: 100, requestTimeoutMs: 200 }))
    expect(await answer).toMatch(/^(HTTP\/1.1 408 |$)/)
  })

  it('ends where nothing follows an answer', async () => {
    const { socket, answer } = dial(await listen({ keepAliveTimeoutMs: 50 }))
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
  })

  it('ends where the headers are too long', async () => {
    const { socket, answer } = dial(await listen({ maxHeaderBytes: 1000 }))
    socket.write(`GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(2000)}\r\n\r\n`)
    expect(await answer).toMatch(/^HTTP\/1.1 431 [^]*registry-malformed/)
  })

  it.each([
    ['no HTTP', 'EHLO canary\r\n\r\n'],
    [
      'two lengths',
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n`
    ],
    [
      'a length and chunks',
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`
    ],
    ['a line break in a header', 'GET /healthz HTTP/1.1\r\nhost: x\r\nx: a\rb\r\n\r\n'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n']
  ])('ends where there comes %s', async (_, request) => {
    const { socket, answer } = dial(await listen({}))
    socket.write(request)
    const text = await answer
    expect(text).toMatch(/^HTTP\/1.1 400 /)
    expect(text).not.toContain('canary')
  })

  it('ends after the body became too long, without reading all of it', async () => {
    const { socket, answer } = dial(await listen({}))
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`
    )
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
    const flood = setInterval(() => socket.write(chunk), 5)
    expect(await answer).toMatch(/^HTTP\/1.1 413 /)
    clearInterval(flood)
  })

  it('that is idle makes room for new ones when there are too many', async () => {
    const port = await listen({ maxConnections: 3, keepAliveTimeoutMs: 600_000 })
    const idle = [dial(port), dial(port), dial(port)]
    for (const { socket } of idle) {
      socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
      await once(socket, 'data')
    }
    expect(await dial(port).answer).toBe('')
    await Promise.all(idle.map(async ({ answer }) => answer))
    const { socket, answer } = dial(port)
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
  })
})
