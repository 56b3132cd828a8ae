import { describe, expect, test } from 'vitest'

import {
  decodeGet,
  decodeGetResult,
  decodeNodes,
  decodeRemove,
  decodeResult,
  encodeProblem,
  HushlampError
} from '@hushlamp/shared'

const key = '00'.repeat(20)
const code = (expected: string): unknown => expect.objectContaining({ code: expected })

describe('An answer of a registry that is no success', () => {
  const problem = JSON.stringify({ code: 'registry-ttl-range' })

  test('is thrown as the error that it names', () => {
    expect(() => decodeGetResult(400, problem)).toThrow(code('registry-ttl-range'))
    expect(() => decodeNodes(400, problem)).toThrow(code('registry-ttl-range'))
    expect(() => decodeResult(400, problem)).toThrow(code('registry-ttl-range'))
  })

  test('that names no error of the registry is judged by its status', () => {
    const foreign = JSON.stringify({ code: 'tor-lost' })
    expect(() => decodeNodes(500, foreign)).toThrow(code('registry-unreachable'))
    expect(() => decodeNodes(404, foreign)).toThrow(code('registry-malformed'))
    expect(() => decodeNodes(502, '<html>')).toThrow(code('registry-unreachable'))
    expect(() => decodeNodes(404, '<html>')).toThrow(code('registry-malformed'))
  })
})

describe('A list of nodes', () => {
  test('is a list, and not an endless one', () => {
    const nodes = (length: number): string =>
      JSON.stringify({ nodes: Array.from({ length }, () => 'http://127.0.0.1:5851') })
    expect(decodeNodes(200, nodes(1_000))).toHaveLength(1_000)
    expect(() => decodeNodes(200, nodes(1_001))).toThrow(code('registry-malformed'))
    expect(() => decodeNodes(200, '{"nodes":{}}')).toThrow(code('registry-malformed'))
    expect(() => decodeNodes(200, '{"nodes":["ftp://a"]}')).toThrow(code('registry-malformed'))
  })
})

describe('A problem', () => {
  test('has the status that fits its code', () => {
    const status = (error: unknown): number => encodeProblem(error).status
    expect(status(new HushlampError('registry-unreachable'))).toBe(503)
    expect(status(new HushlampError('registry-ttl-range'))).toBe(400)
    expect(status(new HushlampError('storage-failed'))).toBe(500)
    expect(status(new Error('secret'))).toBe(500)
    expect(encodeProblem(new Error('secret')).body).not.toContain('secret')
  })
})

describe('A request to a registry', () => {
  test.each(['x', '-1', '1.5', '1234567890', ['3']])('does not ask for %j values', (max) => {
    expect(() => decodeGet(key, { max })).toThrow(code('registry-malformed'))
  })

  test('is refused with the rule that it breaks', () => {
    expect(() => decodeGet('00', {})).toThrow(code('registry-key-length'))
    expect(() => decodeGet('zz', {})).toThrow(code('registry-malformed'))
    expect(() => decodeRemove(key, '00', {})).toThrow(code('registry-hash-length'))
  })
})
