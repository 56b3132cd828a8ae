import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  decodeGet,
  decodeGetResult,
  decodeNodes,
  decodeProblem,
  decodePut,
  decodeRemove,
  decodeResult,
  encodeGet,
  encodeGetResult,
  encodeNodes,
  encodeProblem,
  encodePut,
  encodeRemove,
  encodeResult,
  HushlampError
} from '../src/index.ts'
import type { PutRequest } from '../src/index.ts'

const bytesOf = (min: number, max: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: min, maxLength: max })
const ttl = fc.integer({ min: 1, max: 604_800 })
const anyPut: fc.Arbitrary<PutRequest> = fc.record(
  {
    key: bytesOf(20, 20),
    value: bytesOf(1, 128),
    ttlSeconds: ttl,
    secretHash: bytesOf(20, 20),
    owner: fc.record({
      publicKey: bytesOf(32, 32),
      expiry: fc.integer({ min: 0, max: 0xffffffff }),
      signature: bytesOf(64, 64)
    })
  },
  { requiredKeys: ['key', 'value', 'ttlSeconds'] }
)
const segments = (path: string): string[] => path.split(/[/?]/)
const query = (path: string): unknown =>
  Object.fromEntries(new URLSearchParams(path.split('?')[1] ?? ''))

/** What `decode` throws that is not a HushlampError. */
function stranger(decode: () => unknown): unknown {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof HushlampError)) return error
  }
  return undefined
}

describe('the REST schema', () => {
  it('carries every put', () => {
    fc.assert(
      fc.property(anyPut, (request) => {
        const { path, body } = encodePut(request)
        expect(decodePut(segments(path)[3], JSON.parse(body ?? ''))).toEqual(request)
      })
    )
  })

  it('carries every get', () => {
    const anyGet = fc.record(
      {
        key: bytesOf(20, 20),
        maxValues: fc.integer({ min: 1, max: 256 }),
        placemark: bytesOf(40, 40)
      },
      { requiredKeys: ['key'] }
    )
    fc.assert(
      fc.property(anyGet, (request) => {
        const { path } = encodeGet(request)
        expect(decodeGet(segments(path)[3], query(path))).toEqual(request)
      })
    )
  })

  it('carries every remove', () => {
    const anyRemove = fc.record({
      key: bytesOf(20, 20),
      valueHash: bytesOf(20, 20),
      secret: bytesOf(1, 40),
      ttlSeconds: ttl
    })
    fc.assert(
      fc.property(anyRemove, (request) => {
        const { path, body } = encodeRemove(request)
        const parts = segments(path)
        expect(decodeRemove(parts[3], parts[5], JSON.parse(body ?? ''))).toEqual(request)
      })
    )
  })

  it('carries every page', () => {
    const anyPage = fc.record({
      values: fc.array(
        fc.record(
          {
            value: bytesOf(1, 128),
            ttlSeconds: ttl,
            secretHash: bytesOf(20, 20),
            ownerPublicKey: bytesOf(32, 32)
          },
          { requiredKeys: ['value', 'ttlSeconds', 'secretHash'] }
        )
      ),
      placemark: fc.oneof(bytesOf(0, 0), bytesOf(40, 40))
    })
    fc.assert(
      fc.property(anyPage, (page) => {
        const { status, body } = encodeGetResult(page)
        expect(decodeGetResult(status, body)).toEqual(page)
      })
    )
  })

  it.each([0, 1, 2] as const)('carries result code %i', (code) => {
    for (const method of ['POST', 'DELETE'] as const) {
      const answer = encodeResult(code, method)
      expect(decodeResult(answer.status, answer.body)).toBe(code)
      expect(answer.retryAfterSeconds !== undefined).toBe(code === 2)
    }
  })

  it('carries errors, and tells nothing of those that are not for the client', () => {
    const answer = encodeProblem(new HushlampError('registry-ttl-range'))
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'registry-ttl-range', status: 400 })
    expect(decodeProblem(answer.status, answer.body).code).toBe('registry-ttl-range')
    expect(encodeProblem(new Error('the secret')).body).not.toContain('secret')
    expect(decodeProblem(502, '<html>').code).toBe('registry-unreachable')
    expect(decodeProblem(404, '<html>').code).toBe('registry-malformed')
  })

  it('carries the addresses of nodes', () => {
    const nodes = ['http://127.0.0.1:5851', 'https://node.example', 'http://[::1]:5851']
    const { status, body } = encodeNodes(nodes)
    expect(decodeNodes(status, body)).toEqual(nodes)
    for (const bad of ['ftp://x', 'http://a/b', 'http://u:p@h', 'http://h:1 ', 7]) {
      expect(() => decodeNodes(200, JSON.stringify({ nodes: [bad] }))).toThrow(HushlampError)
    }
  })

  it('meets whatever it is given with nothing but a HushlampError', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.jsonValue(),
      fc.record({ value: fc.anything(), ttlSeconds: fc.anything(), owner: fc.anything() })
    )
    fc.assert(
      fc.property(anything, anything, fc.string(), fc.integer(), (a, b, text, status) => {
        expect(stranger(() => decodePut(a, b))).toBeUndefined()
        expect(stranger(() => decodePut('00'.repeat(20), b))).toBeUndefined()
        expect(stranger(() => decodeGet('00'.repeat(20), b))).toBeUndefined()
        expect(stranger(() => decodeRemove('00'.repeat(20), a, b))).toBeUndefined()
        const body = JSON.stringify(b) ?? text
        expect(stranger(() => decodeGetResult(200, body))).toBeUndefined()
        expect(stranger(() => decodeResult(status, body))).toBeUndefined()
        expect(stranger(() => decodeNodes(200, text))).toBeUndefined()
        expect(stranger(() => decodeProblem(status, text))).toBeUndefined()
      })
    )
  })
})
