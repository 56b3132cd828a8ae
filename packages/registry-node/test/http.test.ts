import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  base64,
  decodeGetResult,
  decodeNodes,
  decodeResult,
  encodeGet,
  encodePut,
  encodeRemove,
  hex,
  sha1,
  utf8
} from '@hushlamp/shared'
import type { RestRequest } from '@hushlamp/shared'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { configFrom, RegistryNode } from '../src/index.ts'
import { loopback } from './loopback-network.ts'

const key = new Uint8Array(20).fill(9)
const value = utf8('red')
const path = `/v1/keys/${hex(key)}/values`
const put = { value: base64(value), ttlSeconds: 60 }

describe('the REST interface', () => {
  let dataDir: string
  let node: RegistryNode
  const send = async ({ method, path: target, body }: RestRequest) => {
    const answer = await fetch(node.httpAddress + target, {
      method,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } })
    })
    return { status: answer.status, body: await answer.text(), headers: answer.headers }
  }

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hushlamp-http-'))
    node = await RegistryNode.start(configFrom({ ...loopback, dataDir }))
  })
  afterAll(async () => {
    await node?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  describe('refuses, with a problem and without storing anything,', () => {
    const json = 'application/json'
    const bad: [string, string, string, unknown, number, string?][] = [
      ['a short key', 'POST', '/v1/keys/00ff/values', put, 400],
      ['a key that is not hexadecimal', 'POST', `/v1/keys/${'zz'.repeat(20)}/values`, put, 400],
      ['an endless key', 'POST', `/v1/keys/${'00'.repeat(500)}/values`, put, 400],
      ['an empty value', 'POST', path, { ...put, value: '' }, 400],
      ['a long value', 'POST', path, { ...put, value: base64(new Uint8Array(129)) }, 400],
      ['base64 that is none', 'POST', path, { ...put, value: '%%%' }, 400],
      ['base64 without its padding', 'POST', path, { ...put, value: 'cmVkZA' }, 400],
      ['a value that is a number', 'POST', path, { ...put, value: 5 }, 400],
      ['a TTL of 0', 'POST', path, { ...put, ttlSeconds: 0 }, 400],
      ['a TTL above 7 days', 'POST', path, { ...put, ttlSeconds: 604_801 }, 400],
      ['a TTL that is a text', 'POST', path, { ...put, ttlSeconds: '60' }, 400],
      ['no TTL', 'POST', path, { value: put.value }, 400],
      ['a short secret hash', 'POST', path, { ...put, secretHash: 'AAAA' }, 400],
      ['a secret hash of null', 'POST', path, { ...put, secretHash: null }, 400],
      ['an owner that is none', 'POST', path, { ...put, owner: {} }, 400],
      [
        'an ownership that does not verify',
        'POST',
        path,
        {
          ...put,
          owner: {
            publicKey: base64(new Uint8Array(32).fill(1)),
            expiry: 2_000_000_000,
            signature: base64(new Uint8Array(64))
          }
        },
        400
      ],
      ['an array', 'POST', path, [], 400],
      ['null', 'POST', path, null, 400],
      ['no body', 'POST', path, undefined, 400],
      ['half a body', 'POST', path, '{"value":"cmVk"', 400],
      ['a poisoned body', 'POST', path, '{"__proto__":{"value":"cmVk"},"ttlSeconds":60}', 400],
      ['a body beyond measure', 'POST', path, { ...put, more: 'x'.repeat(5000) }, 413],
      ['another content type', 'POST', path, put, 415, 'text/plain'],
      ['a form', 'POST', path, 'value=red', 415, 'application/x-www-form-urlencoded'],
      ['an unknown resource', 'POST', '/v1/keys', put, 404],
      ['an unknown method', 'PATCH', path, put, 404],
      ['too many values', 'GET', `${path}?max=257`, undefined, 400],
      ['no values', 'GET', `${path}?max=0`, undefined, 400],
      ['a number of values that is none', 'GET', `${path}?max=many`, undefined, 400],
      ['two numbers of values', 'GET', `${path}?max=1&max=2`, undefined, 400],
      ['half a placemark', 'GET', `${path}?placemark=00ff`, undefined, 400],
      ['a placemark that is not hexadecimal', 'GET', `${path}?placemark=xx`, undefined, 400],
      ['a short value hash', 'DELETE', `${path}/00ff`, { secret: 'AAAA', ttlSeconds: 60 }, 400],
      [
        'a long secret',
        'DELETE',
        `${path}/${hex(sha1(value))}`,
        { secret: base64(new Uint8Array(41)), ttlSeconds: 60 },
        400
      ],
      ['a path that cannot be decoded', 'GET', '/v1/keys/%zz/values', undefined, 400]
    ]
    it.each(bad)('%s', async (_, method, target, body, status, type = json) => {
      const before = node.usage
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
      const answer = await fetch(node.httpAddress + target, {
        method,
        headers: { 'content-type': type },
        ...(text !== undefined && { body: text })
      })
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      const problem: Record<string, unknown> = Object(await answer.json())
      expect(answer.status).toBe(status)
      expect(problem['status']).toBe(status)
      expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'detail', 'code'])
      expect(JSON.stringify(problem)).not.toContain(hex(key))
      expect(node.usage).toEqual(before)
    })
  })

  it('puts, gets and removes', async () => {
    const secret = utf8('secret')
    const created = await send(encodePut({ key, value, ttlSeconds: 60, secretHash: sha1(secret) }))
    expect(created.status).toBe(201)
    expect(decodeResult(created.status, created.body)).toBe(0)

    const page = await send(encodeGet({ key, maxValues: 3 }))
    const { values, placemark } = decodeGetResult(page.status, page.body)
    expect(values).toMatchObject([{ value, secretHash: sha1(secret) }])
    expect(placemark).toHaveLength(0)
    expect(page.headers.get('cache-control')).toBe('no-store')

    const removed = await send(
      encodeRemove({ key, valueHash: sha1(value), secret, ttlSeconds: 60 })
    )
    expect(removed.status).toBe(200)
    const empty = await send(encodeGet({ key }))
    expect(decodeGetResult(empty.status, empty.body).values).toEqual([])
  })

  it('pages', async () => {
    const crowded = new Uint8Array(20).fill(8)
    for (const one of ['red', 'green', 'blue']) {
      await send(encodePut({ key: crowded, value: utf8(one), ttlSeconds: 60 }))
    }
    const first = await send(encodeGet({ key: crowded, maxValues: 2 }))
    const { values, placemark } = decodeGetResult(first.status, first.body)
    expect(values).toHaveLength(2)
    const second = await send(encodeGet({ key: crowded, maxValues: 2, placemark }))
    expect(decodeGetResult(second.status, second.body).values).toHaveLength(1)
  })

  it('tells where nodes are, and that this one lives and works', async () => {
    const nodes = await send({ method: 'GET', path: '/v1/nodes' })
    expect(decodeNodes(nodes.status, nodes.body)).toEqual([node.httpAddress])
    for (const target of ['/healthz', '/readyz']) {
      expect((await send({ method: 'GET', path: target })).status).toBe(200)
    }
  })

  it('does not wait for ever for the rest of a request', async () => {
    const { hostname, port } = new URL(node.httpAddress)
    const unfinished = httpRequest({
      hostname,
      port,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 100 }
    })
    unfinished.on('error', () => {})
    unfinished.write('{')
    // The node still serves others meanwhile.
    expect((await send({ method: 'GET', path: '/healthz' })).status).toBe(200)
    unfinished.destroy()
  })
})

describe('the REST interface of a registry that has no room', () => {
  let dataDir: string
  let node: RegistryNode
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hushlamp-http-'))
    node = await RegistryNode.start({ ...configFrom({ ...loopback, dataDir }), maxBytes: 10 })
  })
  afterAll(async () => {
    await node?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('answers 507 with code 1', async () => {
    const { method, path: target, body } = encodePut({ key, value, ttlSeconds: 60 })
    const answer = await fetch(node.httpAddress + target, {
      method,
      body: body ?? '',
      headers: { 'content-type': 'application/json' }
    })
    expect(answer.status).toBe(507)
    expect(decodeResult(answer.status, await answer.text())).toBe(1)
  })
})
