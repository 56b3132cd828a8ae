import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { base64, encodeGet, encodePut, encodeRemove, hex, sha1, utf8 } from '@hushlamp/shared'
import type { RestRequest } from '@hushlamp/shared'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { encodeMethodCall } from './xml-rpc-calls.ts'

const program = fileURLToPath(new URL('../bin/hushlamp-node.js', import.meta.url))
/** An address of this computer that nothing else uses, so that it can be found again. */
const clientAddress = '127.83.71.9'
const userAgent = `canary-agent/${hex(randomBytes(8))}`
const key = new Uint8Array(randomBytes(20))
const value = utf8(`canary value ${hex(randomBytes(8))}`)
const secret = utf8(`canary secret ${hex(randomBytes(8))}`)
const application = `canary-application-${hex(randomBytes(8))}`
const stray = `canary-stray-${hex(randomBytes(8))}`

/** A form in which something of a request could be written down. */
type Canary = readonly [name: string, bytes: Uint8Array]

/** The bytes themselves and every text in which they could be written. */
function formsOf(name: string, bytes: Uint8Array): Canary[] {
  const text = base64(bytes).replace(/=+$/, '')
  return [
    [`${name} itself`, bytes],
    [`${name} in hexadecimal`, utf8(hex(bytes))],
    [`${name} in upper-case hexadecimal`, utf8(hex(bytes).toUpperCase())],
    [`${name} in base64`, utf8(text)],
    [`${name} in base64 for the Web`, utf8(text.replaceAll('+', '-').replaceAll('/', '_'))],
    [`${name} as a list of numbers`, utf8([...bytes].join(','))]
  ]
}

describe('a node that says all it can', () => {
  let folder: string
  let output = ''
  let outputBefore = ''
  let ports: number[] = []
  const files = new Map<string, Buffer>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hushlamp-privacy-'))
    const local = [
      '--http',
      '127.0.0.1:0',
      '--overlay',
      '127.0.0.1:0',
      '--admin',
      'off',
      '--no-onion',
      '--data-dir',
      join(folder, 'node')
    ]
    const node = spawn(
      process.execPath,
      [program, 'start', ...local, '--log-level', 'debug', '--json'],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe']
      }
    )
    const ended = once(node, 'close')
    for (const stream of [node.stdout, node.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('latin1')
      })
    }
    const [line] = await once(createInterface(node.stdout), 'line')
    const { http }: { http: string } = JSON.parse(String(line))
    outputBefore = output
    ports = await useTheNode(http)
    node.kill('SIGTERM')
    await ended
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile()) files.set(path.slice(folder.length), await readFile(path))
    }
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const everything = (): [string, Buffer][] => [
    ['its output', Buffer.from(output, 'latin1')],
    ...files
  ]

  it('has answered, and has kept what it should', () => {
    expect(ports.length).toBeGreaterThan(10)
    const stored = [...files].filter(([, bytes]) => bytes.includes(Buffer.from(value)))
    expect(stored.map(([path]) => path).every((path) => path.startsWith('/node/store/'))).toBe(true)
    expect(stored.length).toBeGreaterThan(0)
  })

  it('writes nowhere who sent a request', () => {
    const address = clientAddress.split('.').map(Number)
    const canaries: Canary[] = [
      ...formsOf('the address', utf8(clientAddress)),
      ['the address in bytes', Uint8Array.from(address)],
      ['the address in hexadecimal', utf8(hex(Uint8Array.from(address)))],
      ...formsOf('the program', utf8(userAgent)),
      ...formsOf('the application', utf8(application)),
      ...ports.map((port): Canary => ['the port', utf8(`:${port}`)])
    ]
    for (const [place, bytes] of everything()) {
      for (const [name, canary] of canaries)
        expect([place, name, bytes.includes(Buffer.from(canary))]).toEqual([place, name, false])
    }
  })

  it('writes nowhere but in its store which key and value a request was about', () => {
    const canaries = [
      ...formsOf('the key', key),
      ...formsOf('the value', value),
      ...formsOf('the hash of the value', sha1(value)),
      ...formsOf('the secret', secret),
      ...formsOf('the hash of the secret', sha1(secret)),
      ...formsOf('what was wrong in a request', utf8(stray))
    ]
    for (const [place, bytes] of everything()) {
      if (place.startsWith('/node/store/')) continue
      for (const [name, canary] of canaries)
        expect([place, name, bytes.includes(Buffer.from(canary))]).toEqual([place, name, false])
    }
  })

  it('writes nothing when a request comes, so that nobody learns when', () => {
    expect(output.slice(outputBefore.length)).toMatch(/^(info stopping\n)?$/)
  })
})

/** Right and wrong requests of every kind; answers with the ports that they came from. */
async function useTheNode(http: string): Promise<number[]> {
  const usedPorts = new Set<number>()
  const send = async (
    method: string,
    path: string,
    body?: string,
    type = 'application/json'
  ): Promise<number> => {
    const { hostname, port } = new URL(http)
    const answered = Promise.withResolvers<number>()
    const sent = httpRequest({
      hostname,
      port,
      path,
      method,
      localAddress: clientAddress,
      agent: false,
      headers: {
        'user-agent': userAgent,
        'content-type': type,
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) })
      }
    })
    sent.on('socket', (socket) => {
      socket.on('connect', () => usedPorts.add(socket.localPort ?? 0))
    })
    sent.on('error', answered.reject)
    sent.on('response', (response) => {
      response.resume()
      response.on('end', () => answered.resolve(response.statusCode ?? 0))
    })
    sent.end(body)
    return answered.promise
  }
  const rest = async ({ method, path, body }: RestRequest): Promise<number> =>
    send(method, path, body)
  const call = async (
    method: string,
    ...params: Parameters<typeof encodeMethodCall>[1]
  ): Promise<number> => send('POST', '/RPC2', encodeMethodCall(method, params), 'text/xml')

  const ttlSeconds = 3600
  expect(await rest(encodePut({ key, value, ttlSeconds }))).toBe(201)
  expect(await rest(encodePut({ key, value, ttlSeconds, secretHash: sha1(secret) }))).toBe(201)
  expect(await rest(encodeGet({ key }))).toBe(200)
  expect(await call('put', key, value, ttlSeconds, application)).toBe(200)
  expect(await call('get_details', key, 10, new Uint8Array(), application)).toBe(200)
  expect(await call('rm', key, sha1(value), 'SHA', secret, ttlSeconds, application)).toBe(200)
  expect(await rest(encodeRemove({ key, valueHash: sha1(value), secret, ttlSeconds }))).toBe(200)
  for (const target of [
    '/readyz',
    '/healthz',
    '/v1/nodes',
    '/servers.txt',
    '/openapi.json',
    '/docs/'
  ]) {
    expect(await send('GET', target)).toBe(200)
  }
  const bad: [string, string, string?, string?][] = [
    ['POST', `/v1/keys/${hex(key)}/values`, `{"value":"${stray}`],
    ['POST', `/v1/keys/${hex(key)}/values`, JSON.stringify({ value: stray, ttlSeconds: 60 })],
    ['POST', `/v1/keys/${hex(key)}/values`, stray.repeat(1000)],
    ['POST', `/v1/keys/${stray}/values`, '{}'],
    ['GET', `/v1/keys/${hex(key)}/values?placemark=${stray}`],
    ['GET', `/${stray}`],
    ['GET', `/v1/keys/%zz${stray}/values`],
    ['PATCH', `/v1/keys/${hex(key)}/values`, stray],
    ['POST', '/RPC2', `<${stray}/>`, 'text/xml'],
    ['POST', '/', encodeMethodCall(stray.replaceAll('-', '.'), [key]), 'text/xml'],
    ['POST', '/RPC2', stray, 'text/plain']
  ]
  for (const [method, path, body, type] of bad) await send(method, path, body, type)
  await send('GET', '/', stray.repeat(2000)).catch(() => {})
  for (const target of [`/v1/keys/${hex(key)}/values`, '/RPC2', `/${stray}`]) {
    await breakOff(http, target)
  }
  return [...usedPorts]
}

/** Begins a request, and is gone in the middle of it. */
async function breakOff(http: string, path: string): Promise<void> {
  const { hostname, port } = new URL(http)
  const socket = connect({ host: hostname, port: Number(port), localAddress: clientAddress })
  await once(socket, 'connect')
  const type = path === '/RPC2' ? 'text/xml' : 'application/json'
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nuser-agent: ${userAgent}\r\ncontent-type: ${type}\r\n`
  socket.write(`${head}content-length: 500\r\n\r\n${stray}`)
  socket.destroySoon()
  await once(socket, 'close')
}
