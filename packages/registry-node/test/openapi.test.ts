import {
  base64,
  hex,
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  sha1,
  utf8
} from '@hushlamp/shared'
import fc from 'fast-check'
import { fastify } from 'fastify'
import type { InjectOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { httpInterface } from './http-interface.ts'
import { openApiSchema } from './openapi-schema.ts'

type Json = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

const key = hex(new Uint8Array(20).fill(9))
const path = `/v1/keys/${key}/values`
const put = { value: base64(utf8('red')), ttlSeconds: 60 }

/** Schemas of the document as functions, by the validator that Fastify brings. */
async function compiler(components: unknown): Promise<(schema: Json) => Check> {
  const app = fastify({
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        strict: false
      }
    }
  })
  let compile: ((schema: Json) => Check) | undefined
  app.get('/', async (request) => {
    compile = (schema) => {
      const validate = request.compileValidationSchema({ ...schema, components })
      return (value) => validate(value)
    }
    return ''
  })
  await app.inject('/')
  if (compile === undefined) throw new Error('Fastify gave no validator')
  return compile
}

function at(value: unknown, ...names: readonly string[]): Json {
  let found = value
  for (const name of names) found = Object(found)[name]
  if (typeof found !== 'object' || found === null) throw new Error(`no ${names.join(' ')}`)
  return { ...found }
}

describe('the description of the interface', () => {
  const routes: string[] = []
  const app = httpInterface()
  let document: Json
  let compile: (schema: Json) => Check

  beforeAll(async () => {
    app.addHook('onRoute', ({ method, url, schema }) => {
      // Pages for people are no part of the description.
      const hidden: unknown = Object(schema).hide
      if (hidden !== true && !/^\/(docs|openapi\.json)/.test(url))
        routes.push(...[method].flat().map((one) => `${one} ${url}`))
    })
    document = at((await app.inject('/openapi.json')).json())
    compile = await compiler(document['components'])
  })
  afterAll(async () => {
    await app.close()
  })

  const operations = (): [string, string, Json][] =>
    Object.entries(at(document, 'paths')).flatMap(([url, item]) =>
      Object.entries(at(item)).map(([method, operation]): [string, string, Json] => [
        method,
        url,
        at(operation)
      ])
    )

  it('is one of OpenAPI 3.1', () => {
    const check = compile(openApiSchema)
    expect(check(document)).toBe(true)
    expect(check({ ...document, openapi: '3.0.0' })).toBe(false)
    expect(check({ ...document, paths: { '/x': { get: { responses: { 200: {} } } } } })).toBe(false)
  })

  it('names every operation and every parameter of a path once', () => {
    const names = operations().map(([, , operation]) => operation['operationId'])
    expect(new Set(names).size).toBe(names.length)
    for (const [, url, operation] of operations()) {
      const inPath = [...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const parameters = Object.values(at({ list: operation['parameters'] ?? [] }, 'list')).map(
        (one) => at(one)
      )
      expect(parameters.filter((one) => one['in'] === 'path').map((one) => one['name'])).toEqual(
        inPath
      )
    }
  })

  it('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(
      ([, to]) => to ?? ''
    )
    expect(references.length).toBeGreaterThan(5)
    for (const reference of references) {
      expect(reference).toMatch(/^#\//)
      expect(() => at(document, ...reference.slice(2).split('/'))).not.toThrow()
    }
  })

  it('has every route, and no other', () => {
    const described = operations().map(
      ([method, url]) => `${method.toUpperCase()} ${url.replaceAll(/\{(\w+)\}/g, ':$1')}`
    )
    expect(described.sort()).toEqual(routes.sort())
    expect(routes).toContain('POST /RPC2')
  })

  describe('fits the answer to', () => {
    const owner = ownerKeyFromSeed(new Uint8Array(32).fill(7))
    const proof = proveOwnership(owner, utf8('red'), 60, 0)
    const owned = `/v1/keys/${hex(ownedRegistryKey(owner.publicKey))}/values`
    const ownedPut = {
      ...put,
      owner: {
        publicKey: base64(owner.publicKey),
        expiry: 4_000_000_000,
        signature: base64(proof.signature)
      }
    }
    const json = 'application/json'
    const valueUrl = '/v1/keys/{key}/values'
    const removeUrl = `${valueUrl}/{valueHash}`
    const hash = hex(sha1(utf8('red')))
    const call = '<methodCall><methodName>system.listMethods</methodName></methodCall>'
    const xml = { 'content-type': 'text/xml' }
    const failing = { put: async () => 1 as const, remove: async () => 2 as const }
    const broken = {
      get: async () => {
        throw new Error('broken')
      }
    }
    const cases: [string, string, number, InjectOptions, Parameters<typeof httpInterface>[0]?][] = [
      ['a put', valueUrl, 201, { method: 'POST', url: path, payload: put }],
      [
        'a put that breaks a rule',
        valueUrl,
        400,
        { method: 'POST', url: path, payload: { ...put, ttlSeconds: 0 } }
      ],
      ['a put whose proof fails', valueUrl, 400, { method: 'POST', url: owned, payload: ownedPut }],
      [
        'a long put',
        valueUrl,
        413,
        { method: 'POST', url: path, payload: { ...put, more: 'x'.repeat(9999) } }
      ],
      [
        'a put of text',
        valueUrl,
        415,
        { method: 'POST', url: path, payload: 'red', headers: { 'content-type': 'text/plain' } }
      ],
      [
        'a put without room',
        valueUrl,
        507,
        { method: 'POST', url: path, payload: put },
        { registry: failing }
      ],
      ['a get', valueUrl, 200, { method: 'GET', url: `${path}?max=1` }],
      ['a get that breaks a rule', valueUrl, 400, { method: 'GET', url: `${path}?max=0` }],
      ['a get that fails', valueUrl, 500, { method: 'GET', url: path }, { registry: broken }],
      [
        'a get too many',
        valueUrl,
        503,
        { method: 'GET', url: path },
        {
          budgets: {
            gets: { maxRunning: 0, maxWaiting: 0 },
            puts: { maxRunning: 1, maxWaiting: 0 }
          }
        }
      ],
      [
        'a remove',
        removeUrl,
        200,
        { method: 'DELETE', url: `${path}/${hash}`, payload: { secret: 'AAAA', ttlSeconds: 60 } }
      ],
      [
        'a remove for later',
        removeUrl,
        503,
        { method: 'DELETE', url: `${path}/${hash}`, payload: { secret: 'AAAA', ttlSeconds: 60 } },
        { registry: failing }
      ],
      ['a question for nodes', '/v1/nodes', 200, { method: 'GET', url: '/v1/nodes' }],
      ['a question for servers', '/servers.txt', 200, { method: 'GET', url: '/servers.txt' }],
      ['a call', '/RPC2', 200, { method: 'POST', url: '/RPC2', payload: call, headers: xml }],
      ['a call at the root', '/', 200, { method: 'POST', url: '/', payload: call, headers: xml }],
      [
        'a call that is none',
        '/RPC2',
        200,
        { method: 'POST', url: '/RPC2', payload: 'red', headers: xml }
      ],
      [
        'a call in JSON',
        '/RPC2',
        415,
        { method: 'POST', url: '/RPC2', payload: '{}', headers: { 'content-type': json } }
      ],
      ['a question for the status', '/v1/status', 200, { method: 'GET', url: '/v1/status' }],
      ['whether it lives', '/healthz', 200, { method: 'GET', url: '/healthz' }],
      ['whether it is ready', '/readyz', 200, { method: 'GET', url: '/readyz' }],
      [
        'whether it is ready while it is not',
        '/readyz',
        503,
        { method: 'GET', url: '/readyz' },
        { ready: false }
      ]
    ]
    it.each(cases)('%s', async (_, url, status, request, options) => {
      const server = httpInterface(options)
      // Something to answer gets with.
      if (options === undefined) await server.inject({ method: 'POST', url: path, payload: put })
      const answer = await server.inject(request)
      await server.close()
      expect(answer.statusCode).toBe(status)
      const operation = at(document, 'paths', url, (request.method ?? 'GET').toLowerCase())
      const type = (answer.headers['content-type'] ?? '').replace(/;.*/, '')
      const schema = at(operation, 'responses', String(status), 'content', type, 'schema')
      const body: unknown = type.endsWith('json') ? answer.json() : answer.body
      expect(compile(schema)(body)).toBe(true)
    })
  })

  it('refuses what the interface refuses, and takes what it takes', async () => {
    const operation = at(document, 'paths', '/v1/keys/{key}/values', 'post')
    const described = compile(at(operation, 'requestBody', 'content', 'application/json', 'schema'))
    const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map(base64)
    const wrong = fc.oneof(
      fc.constantFrom<unknown[]>(
        null,
        true,
        [],
        {},
        1.5,
        -1,
        2 ** 53,
        'cmVkZB==',
        'cmV',
        '%%%%',
        ' cmVk'
      ),
      fc.string({ maxLength: 8 })
    )
    const mostly = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof({ arbitrary: right, weight: 6 }, { arbitrary: wrong, weight: 1 })
    const owner = fc.record(
      {
        publicKey: mostly(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(base64)),
        expiry: mostly(fc.integer({ min: 0, max: 0xffffffff })),
        signature: mostly(fc.uint8Array({ minLength: 64, maxLength: 64 }).map(base64))
      },
      { requiredKeys: [] }
    )
    const body = mostly(
      fc.record(
        {
          value: mostly(bytes(140)),
          ttlSeconds: mostly(fc.integer({ min: -1, max: 604_801 })),
          secretHash: mostly(fc.uint8Array({ minLength: 20, maxLength: 20 }).map(base64)),
          owner: mostly(owner),
          more: fc.anything({ maxDepth: 1 })
        },
        { requiredKeys: ['value', 'ttlSeconds'] }
      )
    )
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const payload = JSON.stringify(sent)
        const answer = await app.inject({
          method: 'POST',
          url: path,
          payload,
          headers: { 'content-type': 'application/json' }
        })
        const code: unknown = at(answer.json())['code']
        const taken = code !== 'registry-malformed'
        const fits = described(JSON.parse(payload))
        expect([fits, fits ? taken : answer.statusCode === 400]).toEqual([fits, true])
      }),
      { numRuns: 300 }
    )
  })
})

describe('the page of the description', () => {
  it('needs nothing from elsewhere, and allows nothing from elsewhere', async () => {
    const app = httpInterface()
    const page = await app.inject('/docs/')
    expect(page.statusCode).toBe(200)
    const policy = page.headers['content-security-policy']
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url ?? '')
    expect(assets.length).toBeGreaterThan(3)
    for (const asset of assets) {
      expect(asset).toMatch(/^\.\/static\//)
      expect(
        (
          await app.inject(
            new URL(asset, 'http://localhost/docs').pathname.replace(/^\/static/, '/docs/static')
          )
        ).statusCode
      ).toBe(200)
    }
    const script = await app.inject('/docs/static/swagger-initializer.js')
    expect(script.body).toContain('"validatorUrl":null')
    await app.close()
  })
})
