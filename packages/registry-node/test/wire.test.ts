import {
  defaultLimits,
  HushlampError,
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  rowFromPut,
  rowFromRemove,
  sha1,
  utf8
} from '@hushlamp/shared'
import type { RegistryRow } from '@hushlamp/shared'
import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  compareReplyOf,
  decodeReply,
  decodeRequestHead,
  encodeCompareReply,
  encodeFetchReply,
  encodeHelloReply,
  encodeRefusal,
  encodeRequest,
  encodeStoreReply,
  fetchReplyOf,
  helloReplyOf,
  maxFrameBytes,
  requestOf,
  storeReplyOf
} from '../src/overlay/wire.ts'

const now = 1_800_000_000
const owner = ownerKeyFromSeed(new Uint8Array(32).fill(7))
const key = ownedRegistryKey(owner.publicKey)
const value = utf8('owned')
const rows: RegistryRow[] = [
  rowFromPut({ key, value: utf8('plain'), ttlSeconds: 60 }, now),
  rowFromPut({ key, value: utf8('removable'), ttlSeconds: 70, secretHash: sha1(value) }, now),
  rowFromPut({ key, value, ttlSeconds: 80, owner: proveOwnership(owner, value, 80, now) }, now),
  rowFromRemove({ key, valueHash: sha1(value), secret: utf8('secret'), ttlSeconds: 90 }, now)
]
const ring = new Uint8Array(8)
const contact = { id: '12D3KooW', addresses: ['/ip4/127.0.0.1/tcp/1'] }

/** What decoding throws that is not a HushlampError. */
function stranger(decode: () => unknown): unknown {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof HushlampError)) return error
  }
  return undefined
}

function readRequest(frame: Uint8Array, at = now) {
  const head = decodeRequestHead(frame)
  return { id: head.id, request: requestOf(head, defaultLimits, at) }
}

describe('the store protocol', () => {
  it('carries rows of every kind', () => {
    const request = { op: 'store', key, rows, ring } as const
    expect(readRequest(encodeRequest(5, request, now))).toEqual({ id: 5, request })
    const reply = decodeReply(encodeFetchReply(6, { rows, closest: [contact] }, now))
    expect(reply.id).toBe(6)
    expect(fetchReplyOf(reply.body ?? [], key, defaultLimits, now)).toEqual({
      rows,
      closest: [contact]
    })
  })

  it('carries times to live, not moments', () => {
    const frame = encodeRequest(5, { op: 'store', key, rows: rows.slice(0, 1), ring }, now + 10)
    const { request } = readRequest(frame, now + 1000)
    expect(request.op === 'store' && request.rows[0]?.expiry).toBe(now + 1050)
  })

  it('carries codes, hellos and refusals', () => {
    const store = decodeReply(encodeStoreReply(1, { codes: [0, 1, 2], closest: [contact] }))
    expect(storeReplyOf(store.body ?? [], 3)).toEqual({ codes: [0, 1, 2], closest: [contact] })
    expect(() => storeReplyOf(store.body ?? [], 2)).toThrow(HushlampError)
    const hello = { op: 'hello', httpAddresses: ['http://127.0.0.1:5851'] } as const
    expect(readRequest(encodeRequest(2, hello, now)).request).toEqual(hello)
    const reply = { httpAddresses: hello.httpAddresses, closest: [contact] }
    expect(helloReplyOf(decodeReply(encodeHelloReply(4, reply)).body ?? [])).toEqual(reply)
    expect(decodeReply(encodeRefusal(3))).toEqual({ id: 3, body: undefined })
  })

  it('takes an owned row that has expired by this clock as one that is not live', () => {
    const frame = encodeRequest(1, { op: 'store', key, rows: [rows[2] ?? rows[0]!], ring }, now)
    const { request } = readRequest(frame, now + 100_000)
    expect(request.op === 'store' && (request.rows[0]?.expiry ?? 0) <= now + 100_000).toBe(true)
  })

  it('accepts no row that breaks a rule', () => {
    const [plain, , owned] = rows
    if (plain?.kind !== 'put' || owned?.kind !== 'owned') throw new Error('rows are as above')
    const { publicKey, expiry, signature } = owned.owner
    const none = new Uint8Array()
    const bad: [string, Uint8Array, unknown][] = [
      ['a short key', key.subarray(1), [0, 60, value, none]],
      ['a long value', key, [0, 60, new Uint8Array(129), none]],
      ['no time to live', key, [0, 0, value, none]],
      ['too long a time to live', key, [0, 604_801, value, none]],
      ['a short secret hash', key, [0, 60, value, new Uint8Array(19)]],
      ['another value than signed', key, [1, 60, utf8('other'), publicKey, expiry, signature]],
      ['another key than the owner’s', sha1(key), [1, 60, value, publicKey, expiry, signature]],
      ['a longer expiry than signed', key, [1, 60, value, publicKey, expiry + 600, signature]],
      ['a long secret', key, [2, 60, new Uint8Array(41), sha1(value)]],
      ['an unknown kind', key, [9, 60, value, none]],
      ['a text for bytes', key, [0, 60, 'value', none]]
    ]
    for (const [what, at, row] of bad) {
      expect(() => readRequest(encode([1, 1, at, [row]])), what).toThrow(HushlampError)
    }
    expect(() =>
      readRequest(encode([1, 1, key, Array.from({ length: 73 }, () => [0, 60, value, none])]))
    ).toThrow(HushlampError)
  })

  it('accepts no address that is not one', () => {
    for (const address of ['ftp://x', 'http://a/path', `http://${'a'.repeat(200)}`, 5]) {
      expect(() => readRequest(encode([1, 0, [address]]))).toThrow(HushlampError)
    }
    expect(() => readRequest(encode([1, 0, Array(5).fill('http://a')]))).toThrow(HushlampError)
  })

  it('carries comparisons', () => {
    const keys = [{ key, digest: new Uint8Array(16).fill(4) }]
    const frame = encodeRequest(6, { op: 'compare', keys }, now)
    expect(readRequest(frame)).toEqual({ id: 6, request: { op: 'compare', keys } })
    const comparison = { differing: [2], absent: [0, 1] }
    const { body = [] } = decodeReply(encodeCompareReply(6, comparison))
    expect(compareReplyOf(body, 3)).toEqual(comparison)
  })

  it('does not accept indices that were not asked about, or twice', () => {
    for (const [differing, absent] of [
      [[3], []],
      [[0], [0]],
      [[1, 1], []]
    ]) {
      expect(() => compareReplyOf([differing, absent], 3)).toThrow(HushlampError)
    }
  })

  it('meets arbitrary bytes and arbitrary CBOR with nothing but a HushlampError', () => {
    const anyCbor = fc
      .array(
        fc.oneof(
          { depthSize: 'small' },
          fc.nat(3),
          fc.constant(key),
          fc.uint8Array(),
          fc.array(fc.array(fc.oneof(fc.nat(100), fc.uint8Array(), fc.string()))),
          fc.jsonValue()
        )
      )
      .map((items) => encode(items))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), anyCbor), (frame) => {
        expect(stranger(() => readRequest(frame))).toBeUndefined()
        expect(
          stranger(() => {
            const body = decodeReply(frame).body ?? []
            expect(stranger(() => helloReplyOf(body))).toBeUndefined()
            expect(stranger(() => storeReplyOf(body, 1))).toBeUndefined()
            expect(stranger(() => fetchReplyOf(body, key, defaultLimits, now))).toBeUndefined()
          })
        ).toBeUndefined()
      }),
      { numRuns: 500 }
    )
  })

  it('meets nesting without end and frames without measure with a HushlampError', () => {
    expect(() => decodeReply(new Uint8Array(100_000).fill(0x81))).toThrow(HushlampError)
    expect(() => decodeReply(new Uint8Array(maxFrameBytes + 1))).toThrow(HushlampError)
    expect(() => decodeReply(Uint8Array.of(0x9b, 0, 0, 0, 255, 255, 255, 255, 255))).toThrow(
      HushlampError
    )
  })
})
