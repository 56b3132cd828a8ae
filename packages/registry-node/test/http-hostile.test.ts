import { base64, hex, sha1, utf8 } from '@hushlamp/shared'
import fc from 'fast-check'
import type { InjectOptions } from 'fastify'
import { afterAll, describe, expect, it } from 'vitest'

import { httpInterface } from './http-interface.ts'
import { encodeMethodCall } from './xml-rpc-calls.ts'

const key = new Uint8Array(20).fill(9)
const path = `/v1/keys/${hex(key)}/values`
const json = 'application/json'
const valid = JSON.stringify({ value: base64(utf8('red')), ttlSeconds: 60 })
const nested = (open: string, close: string): string => open.repeat(150) + close.repeat(150)

describe('the HTTP interface', () => {
  const warnings: string[] = []
  const app = httpInterface({ warn: (line) => warnings.push(line) })
  afterAll(async () => {
    await app.close()
  })

  it.each<[string, string]>([
    ['deep arrays', nested('[', ']')],
    ['deep objects', nested('{"a":', '}').replace(':}', ':1}')],
    ['a deep value', `{"value":${nested('[', ']')},"ttlSeconds":60}`],
    ['__proto__', '{"__proto__":{"value":"cmVk","ttlSeconds":60}}'],
    ['__proto__ beside what is right', '{"value":"cmVk","ttlSeconds":60,"__proto__":{"x":1}}'],
    ['an escaped __proto__', '{"\\u005f_proto__":{"value":"cmVk"},"ttlSeconds":60}'],
    ['a constructor', '{"constructor":{"prototype":{"value":"cmVk"}},"ttlSeconds":60}'],
    ['a huge number', '{"value":"cmVk","ttlSeconds":1e309}'],
    ['a number with many digits', `{"value":"cmVk","ttlSeconds":${'9'.repeat(400)}}`],
    ['a tiny number', '{"value":"cmVk","ttlSeconds":1e-300}'],
    ['a negative number', '{"value":"cmVk","ttlSeconds":-60}'],
    ['a number with a fraction', '{"value":"cmVk","ttlSeconds":60.5}'],
    ['NaN', '{"value":"cmVk","ttlSeconds":NaN}'],
    ['a boolean', '{"value":true,"ttlSeconds":60}'],
    ['an object as value', '{"value":{"length":3},"ttlSeconds":60}'],
    [
      'an owner with numbers',
      '{"value":"cmVk","ttlSeconds":60,"owner":{"publicKey":1,"expiry":2,"signature":3}}'
    ],
    ['an array as owner', '{"value":"cmVk","ttlSeconds":60,"owner":[]}'],
    ['a byte order mark and nothing else', '\u{FEFF}'],
    ['a zero byte', '{"value":"cmVk","ttlSeconds":60}\0'],
    ['two bodies', valid + valid],
    ['a text', '"cmVk"'],
    ['no JSON', 'value=cmVk']
  ])('answers a put with %s with a problem', async (_, payload) => {
    const answer = await app.inject({
      method: 'POST',
      url: path,
      payload,
      headers: { 'content-type': json }
    })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json()).toMatchObject({ status: 400, code: expect.stringMatching(/^registry-/) })
  })

  it('takes the last of two members of one name, as every reader of JSON here does', async () => {
    const payload = '{"value":"cmVk","ttlSeconds":0,"ttlSeconds":60}'
    const answer = await app.inject({
      method: 'POST',
      url: path,
      payload,
      headers: { 'content-type': json }
    })
    expect(answer.statusCode).toBe(201)
  })

  it.each([
    '/v1/keys//values',
    '/v1/keys/../values',
    '/v1/keys/%00/values',
    `/v1/keys/${'%30'.repeat(40)}0/values`,
    `/v1/keys/${hex(key).slice(1)}/values`,
    `${path}?max=1e1`,
    `${path}?max=-1`,
    `${path}?max=9999999999`,
    `${path}?max[]=1`.replace('max[]', 'max%5B%5D').replace('=1', '=1&max=x'),
    `${path}?placemark=%00`,
    `${path}?placemark=${'00'.repeat(41)}`,
    `${path}?__proto__=1&max=many`
  ])('answers a get of %s with a problem', async (url) => {
    const answer = await app.inject({ method: 'GET', url })
    expect([400, 404]).toContain(answer.statusCode)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  it('answers whatever comes with a success, a refusal or a fault, and never fails', async () => {
    const hash = hex(sha1(utf8('red')))
    const bodies = [
      valid,
      JSON.stringify({ secret: 'c2VjcmV0', ttlSeconds: 60 }),
      encodeMethodCall('put', [key, utf8('red'), 60, 'test']),
      encodeMethodCall('get', [key, 10, new Uint8Array(), 'test'])
    ]
    const damaged = fc
      .tuple(
        fc.constantFrom(...bodies),
        fc.nat(400),
        fc.nat(4),
        fc.string({ unit: 'binary', maxLength: 6 })
      )
      .map(([body, at, removed, added]) => body.slice(0, at) + added + body.slice(at + removed))
    const payload = fc.oneof(
      damaged.map((text) => Buffer.from(text)),
      fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes))
    )
    const segment = fc.oneof(
      fc.constantFrom(hex(key), hash, '__proto__', '..', '%2e%2e', '%'),
      fc
        .string({ unit: 'binary', maxLength: 50 })
        .map((text) => encodeURIComponent(text.toWellFormed()))
    )
    const url = fc.oneof(
      fc.constantFrom('/', '/RPC2', path, `${path}/${hash}`),
      fc.tuple(segment, segment).map(([one, two]) => `/v1/keys/${one}/values/${two}`),
      fc.tuple(segment, segment).map(([one, two]) => `${path}?max=${one}&placemark=${two}`),
      segment.map((one) => `/docs/static/${one}`)
    )
    const request: fc.Arbitrary<InjectOptions> = fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'),
      url,
      headers: fc.record({
        'content-type': fc.constantFrom(
          json,
          'text/xml',
          'text/plain',
          `${json}; charset=utf-7`,
          '/',
          ''
        )
      }),
      payload
    })
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        const { statusCode } = await app.inject(sent)
        expect(statusCode < 500 || statusCode === 507).toBe(true)
      }),
      { numRuns: 400 }
    )
    expect(warnings).toEqual([])
  })
})
