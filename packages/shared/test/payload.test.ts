import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  decodePayload,
  encodePayload,
  incarnationBytes,
  isSendableMessage,
  maxMessageBodyBytes,
  maxPayloadBytes
} from '@hushlamp/shared'
import type { Payload } from '@hushlamp/shared'

const incarnation = fc.uint8Array({ minLength: incarnationBytes, maxLength: incarnationBytes })
const counter = fc.nat(Number.MAX_SAFE_INTEGER)
const text = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', maxLength })
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('presence' as const),
      available: fc.boolean(),
      show: fc.constantFrom('away' as const, 'chat' as const, 'dnd' as const, 'xa' as const),
      text: text(20)
    },
    { requiredKeys: ['kind', 'available'] }
  ),
  fc.record({
    kind: fc.constant('message' as const),
    incarnation,
    counter,
    id: text(20),
    body: text(300),
    sentAt: counter
  }),
  fc.record({ kind: fc.constant('receipt' as const), incarnation, counter }),
  fc.constant({ kind: 'bye' as const })
)

const message = {
  incarnation: new Uint8Array(incarnationBytes),
  counter: 1,
  id: 'id',
  body: 'body',
  sentAt: 5
}
const decoded = (...parts: readonly unknown[]): unknown => decodePayload(encode(parts))

describe('A payload', () => {
  test('reads back as it was written, whatever it holds', () => {
    fc.assert(
      fc.property(payload, (any) => {
        expect(decodePayload(encodePayload(any))).toEqual(any)
      })
    )
  })

  test('of a kind or version from the future is unknown, not wrong', () => {
    expect(decoded(1, 'novel', {})).toEqual({ kind: 'unknown' })
    expect(decoded(1, 'novel')).toEqual({ kind: 'unknown' })
    expect(decoded(2, 'message', {})).toEqual({ kind: 'unknown' })
    expect(decoded(2, 'message', 'fields of another form', 'and more')).toEqual({ kind: 'unknown' })
    expect(decoded(1, 'bye', {}, 'and more')).toEqual({ kind: 'bye' })
  })

  test('may hold fields that only newer versions know', () => {
    expect(decoded(1, 'message', { ...message, novel: [1, { a: 2 }] })).toEqual({
      kind: 'message',
      ...message
    })
  })

  test.each<[string, readonly unknown[]]>([
    ['nothing', []],
    ['a version alone', [1]],
    ['a version that is no number', ['1', 'bye', {}]],
    ['a kind that is no text', [1, 2, {}]],
    ['presence without availability', [1, 'presence', {}]],
    ['presence of unclear availability', [1, 'presence', { available: 1 }]],
    ['presence with a status that is no text', [1, 'presence', { available: true, text: 7 }]],
    ['a message without fields', [1, 'message', 'none']],
    ['a message whose fields are a list', [1, 'message', [message]]],
    ['a message whose fields are bytes', [1, 'message', new Uint8Array(9)]],
    ['a message without fields at all', [1, 'message', null]],
    ['a short incarnation', [1, 'message', { ...message, incarnation: new Uint8Array(15) }]],
    [
      'an incarnation that is no bytes',
      [1, 'receipt', { incarnation: 'x'.repeat(16), counter: 1 }]
    ],
    ['a negative counter', [1, 'receipt', { ...message, counter: -1 }]],
    ['a broken counter', [1, 'receipt', { ...message, counter: 1.5 }]],
    ['a counter that is no number', [1, 'receipt', { ...message, counter: '1' }]],
    ['a body that is no text', [1, 'message', { ...message, body: new Uint8Array(3) }]],
    ['an id that is no text', [1, 'message', { ...message, id: 3 }]],
    ['a negative time', [1, 'message', { ...message, sentAt: -1 }]],
    ['a time that is no number', [1, 'message', { ...message, sentAt: 'now' }]]
  ])('is not %s', (_what, parts) => {
    expect(decoded(...parts)).toBeUndefined()
  })

  test('shows no availability that it does not know', () => {
    expect(decoded(1, 'presence', { available: true, show: 'asleep' })).toEqual({
      kind: 'presence',
      available: true
    })
  })

  test('is read from deterministic CBOR alone', () => {
    const bye = encode([1, 'bye', {}])
    expect(decodePayload(new Uint8Array([...bye, 0]))).toBeUndefined()
    expect(decodePayload(new Uint8Array([0x9f, ...bye.subarray(1), 0xff]))).toBeUndefined()
    const twice = new Uint8Array([0x83, 1, 0x63, 0x62, 0x79, 0x65, 0xa2, 0x61, 97, 1, 0x61, 97, 2])
    expect(decodePayload(twice)).toBeUndefined()
  })

  test('has no floats, not even integral ones or in fields that nobody knows', () => {
    const one = [
      [0x01],
      [0xf9, 0x3c, 0],
      [0xfa, 0x3f, 0x80, 0, 0],
      [0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]
    ]
    const versions = one.map((bytes) =>
      decodePayload(new Uint8Array([0x82, ...bytes, ...encode('bye')]))
    )
    expect(versions).toEqual([{ kind: 'bye' }, undefined, undefined, undefined])
    const before = [0x83, 0x01, ...encode('receipt'), 0xa2, ...encode('incarnation')]
    const receipts = one.map((bytes) =>
      decodePayload(
        new Uint8Array([...before, ...encode(message.incarnation), ...encode('counter'), ...bytes])
      )
    )
    expect(receipts[0]).toMatchObject({ kind: 'receipt', counter: 1 })
    expect(receipts.slice(1)).toEqual([undefined, undefined, undefined])
    expect(decoded(1, 'bye', { novel: 0.5 })).toBeUndefined()
  })

  test('keeps what it says of itself apart from what every object has', () => {
    const fields = new Map<string, unknown>([['__proto__', { available: true }]])
    expect(decoded(1, 'presence', fields)).toBeUndefined()
  })
})

describe('The limits of payloads', () => {
  test.each<[string, number, (length: number) => readonly unknown[]]>([
    [
      'a body',
      maxMessageBodyBytes,
      (length) => [1, 'message', { ...message, body: 'ü'.repeat(length / 2) }]
    ],
    ['an id', 256, (length) => [1, 'message', { ...message, id: 'x'.repeat(length) }]],
    ['a status', 1_024, (length) => [1, 'presence', { available: true, text: 'x'.repeat(length) }]]
  ])('let %s have %i bytes and no more', (_what, limit, parts) => {
    expect(decoded(...parts(limit))).toBeDefined()
    expect(decoded(...parts(limit + 2))).toBeUndefined()
  })

  test('let every message that may be sent fit into one payload', () => {
    const longest = { ...message, id: 'x'.repeat(256), body: 'x'.repeat(maxMessageBodyBytes) }
    expect(isSendableMessage(longest)).toBe(true)
    const bytes = encodePayload({ kind: 'message', ...longest, counter: Number.MAX_SAFE_INTEGER })
    expect(bytes.length).toBeLessThan(maxPayloadBytes)
  })

  test('refuse before they are stored what the other side would refuse', () => {
    expect(isSendableMessage({ ...message, body: 'x'.repeat(maxMessageBodyBytes + 1) })).toBe(false)
    expect(isSendableMessage({ ...message, body: '☂'.repeat(maxMessageBodyBytes / 2) })).toBe(false)
    expect(isSendableMessage({ ...message, body: '\ud800' })).toBe(false)
    expect(isSendableMessage({ ...message, id: 'x'.repeat(257) })).toBe(false)
    expect(isSendableMessage({ ...message, sentAt: -1 })).toBe(false)
  })
})
