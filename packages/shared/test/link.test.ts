import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  FrameReceiver,
  FrameSender,
  answerHandshake,
  concat,
  decodePayload,
  encodePayload,
  frameBuckets,
  handshakeMessage1Bytes,
  handshakeTimeoutMs,
  initiateHandshake,
  keepAliveMs,
  maxPayloadBytes,
  recognise,
  silenceTimeoutMs,
  utf8
} from '@hushlamp/shared'
import type { Payload } from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import {
  alice,
  bob,
  flipped,
  keysFor,
  linkPair,
  onionKey,
  open,
  received,
  types,
  written
} from './link-pair.ts'

const carol = testIdentity('carol')
const random = seededRandom('link tests')

describe('The handshake', () => {
  const keys = keysFor(bob, alice)
  const initiator = { own: alice, peer: bob, keys, onionKey }
  const responder = { own: bob, peer: alice, keys, onionKey }

  test('gives both sides the same keys', () => {
    const initiated = initiateHandshake(initiator, random)
    const answered = answerHandshake(initiated?.message1 ?? new Uint8Array(0), responder, random)
    const linkKeys = initiated?.finish(answered?.message2 ?? new Uint8Array(0))
    expect(linkKeys?.send).toEqual(answered?.linkKeys.receive)
    expect(linkKeys?.receive).toEqual(answered?.linkKeys.send)
    expect(linkKeys?.handshakeHash).toEqual(answered?.linkKeys.handshakeHash)
    expect(linkKeys?.send).not.toEqual(linkKeys?.receive)
  })

  test('finds the contact and epoch by the mark alone', () => {
    const candidates = [
      { who: 'carol', keys: keysFor(bob, carol) },
      { who: 'alice, an epoch before', keys: keysFor(bob, alice, -1) },
      { who: 'alice', keys }
    ]
    const message1 = initiateHandshake(initiator, random)?.message1 ?? new Uint8Array(0)
    expect(recognise(message1, candidates)?.who).toBe('alice')
    expect(recognise(message1, candidates.slice(0, 2))).toBeUndefined()
  })

  test.each<[string, object]>([
    ['another onion service than the dialled one', { onionKey: testSecret('other onion') }],
    ['another epoch', { keys: keysFor(bob, alice, 1) }],
    ['another initiator', { peer: carol }],
    ['another responder', { own: carol }]
  ])('fails at %s', (_what, change) => {
    const message1 = initiateHandshake(initiator, random)?.message1 ?? new Uint8Array(0)
    expect(answerHandshake(message1, { ...responder, ...change }, random)).toBeUndefined()
  })

  test('fails with any byte of message 1 behind the mark, or of message 2, changed', () => {
    const initiated = initiateHandshake(initiator, random)
    const message1 = initiated?.message1 ?? new Uint8Array(0)
    for (let i = 16; i < message1.length; i++)
      expect(answerHandshake(flipped(message1, i), responder, random)).toBeUndefined()
    const message2 = answerHandshake(message1, responder, random)?.message2 ?? new Uint8Array(0)
    for (let i = 0; i < message2.length; i++) {
      const again = initiateHandshake(initiator, seededRandom('fixed'))
      const answer = answerHandshake(
        again?.message1 ?? new Uint8Array(0),
        responder,
        seededRandom('x')
      )
      expect(again?.finish(flipped(answer?.message2 ?? new Uint8Array(48), i))).toBeUndefined()
    }
  })
})

describe('Frames', () => {
  const key = testSecret('frames')

  test('arrive as they were sent, however the stream cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40_000, size: 'max' }), { maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9_000 })),
        (payloads, cuts) => {
          const sender = new FrameSender(key)
          const receiver = new FrameReceiver(key)
          let stream = concat(...payloads.map((payload) => sender.payload(payload)))
          const arrived: Uint8Array[] = []
          while (stream.length > 0) {
            const cut = cuts.next().value
            for (const frame of receiver.receive(stream.subarray(0, cut)) ?? [])
              if (frame.kind === 'payload') arrived.push(frame.payload)
            stream = stream.subarray(cut)
          }
          expect(arrived).toEqual(payloads)
        }
      ),
      { numRuns: 30 }
    )
  })

  test('show only four sizes', () => {
    const sizes = [0, 1, 237, 238, 1_000, 5_000, 16_365].map(
      (length) => new FrameSender(key).payload(new Uint8Array(length)).length - 2
    )
    expect(sizes).toEqual([256, 256, 256, 1_024, 1_024, 16_384, 16_384])
    expect(new FrameSender(key).keepAlive()).toHaveLength(2 + frameBuckets[0])
  })

  test('go on after a change of key', () => {
    const sender = new FrameSender(key)
    const receiver = new FrameReceiver(key)
    const stream = concat(sender.payload(utf8('a')), sender.rekey(), sender.payload(utf8('b')))
    expect(receiver.receive(stream)).toEqual([
      { kind: 'payload', payload: utf8('a') },
      { kind: 'payload', payload: utf8('b') }
    ])
  })

  test('that are damaged, repeated or left out end the link', () => {
    const sender = new FrameSender(key)
    const [first, second] = [sender.payload(utf8('1')), sender.payload(utf8('2'))]
    expect(new FrameReceiver(key).receive(flipped(first, 100))).toBeUndefined()
    expect(new FrameReceiver(key).receive(second)).toBeUndefined()
    expect(new FrameReceiver(key).receive(concat(first, first))).toBeUndefined()
  })

  test('of arbitrary bytes are never accepted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const frames = new FrameReceiver(key).receive(bytes)
        expect(frames === undefined || frames.length === 0).toBe(true)
      })
    )
  })

  test('refuse payloads above the limit on both sides', () => {
    expect(() => new FrameSender(key).payload(new Uint8Array(maxPayloadBytes + 1))).toThrow(
      expect.objectContaining({ code: 'message-too-long' })
    )
  })
})

describe('Payloads', () => {
  test('read back as they were written', () => {
    const payloads: Payload[] = [
      { kind: 'presence', available: true },
      { kind: 'presence', available: true, show: 'away', text: 'lunch' },
      {
        kind: 'message',
        incarnation: testSecret('i').subarray(0, 16),
        counter: 9,
        id: 'x',
        body: 'ü☂',
        sentAt: 5
      },
      { kind: 'receipt', incarnation: testSecret('i').subarray(0, 16), counter: 9 },
      { kind: 'bye' }
    ]
    for (const payload of payloads) expect(decodePayload(encodePayload(payload))).toEqual(payload)
  })

  test('of unknown kind are recognised as such, so that newer versions can speak', () => {
    // CBOR of [1, "novel", {}] and [2, "message", {}]
    expect(decodePayload(new Uint8Array([0x83, 1, 0x65, ...utf8('novel'), 0xa0]))).toEqual({
      kind: 'unknown'
    })
    expect(decodePayload(new Uint8Array([0x83, 2, 0x67, ...utf8('message'), 0xa0]))).toEqual({
      kind: 'unknown'
    })
  })

  test('of known kind that break its rules are not payloads', () => {
    expect(decodePayload(new Uint8Array([0x83, 1, 0x67, ...utf8('message'), 0xa0]))).toBeUndefined()
  })

  test('of arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        decodePayload(bytes)
      })
    )
    expect(decodePayload(new Uint8Array(100_000).fill(0x81))).toBeUndefined()
  })
})

describe('A link', () => {
  test('opens with presence in both directions, the responder waiting for the confirmation', () => {
    const { initiator, responder, firstBytes } = linkPair()
    expect(firstBytes).toHaveLength(handshakeMessage1Bytes)
    const answer = responder.step(received(firstBytes), 0)
    expect(types(answer)).toEqual(['write'])
    const confirmation = initiator.step(received(written(answer)), 0)
    expect(confirmation.at(-1)).toEqual({ type: 'established', contact: 'bob' })
    const opened = responder.step(received(written(confirmation)), 0)
    expect(opened).toContainEqual({ type: 'established', contact: 'alice' })
    expect(opened).toContainEqual({
      type: 'payload',
      payload: { kind: 'presence', available: true }
    })
    expect(initiator.step(received(written(opened)), 0)).toEqual([
      { type: 'payload', payload: { kind: 'presence', available: true } }
    ])
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
  })

  test('drops a stranger without a byte of answer', () => {
    const { responder, firstBytes } = linkPair({ known: false })
    expect(responder.step(received(firstBytes), 0)).toEqual([{ type: 'ended', reason: 'rejected' }])
  })

  test('does not count a replayed message 1 as presence', () => {
    const { responder, firstBytes } = linkPair()
    expect(types(responder.step(received(firstBytes), 0))).not.toContain('established')
    expect(responder.step({ type: 'tick' }, handshakeTimeoutMs)).toEqual([
      { type: 'ended', reason: 'rejected' }
    ])
  })

  test('stays alive by keep-alives and ends after three minutes of silence', () => {
    const { initiator, responder } = open()
    const at = initiator.wakeAtMs
    expect(at).toBeGreaterThanOrEqual(keepAliveMs.from)
    expect(at).toBeLessThanOrEqual(keepAliveMs.to)
    const beat = initiator.step({ type: 'tick' }, at)
    expect(types(beat)).toEqual(['write'])
    expect(responder.step(received(written(beat)), at)).toEqual([])
    expect(responder.step({ type: 'tick' }, at + silenceTimeoutMs)).toEqual([
      { type: 'ended', reason: 'silence' }
    ])
  })

  test('tells the peer when it logs out', () => {
    const { initiator, responder } = open()
    const bye = initiator.step({ type: 'bye' }, 1)
    expect(types(bye)).toEqual(['write', 'ended'])
    expect(responder.step(received(written(bye)), 1)).toEqual([
      { type: 'ended', reason: 'peer-bye' }
    ])
  })

  test('ends at the first bad byte and is silent from then on', () => {
    const { initiator, responder } = open()
    const frame = written(
      initiator.step({ type: 'send', payload: { kind: 'presence', available: true } }, 1)
    )
    expect(responder.step(received(flipped(frame, 40)), 1)).toEqual([
      { type: 'ended', reason: 'invalid' }
    ])
    expect(responder.step(received(frame), 1)).toEqual([])
    expect(responder.wakeAtMs).toBe(Infinity)
  })

  test('survives arbitrary bytes in every phase', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 })), (chunks) => {
        const { initiator, responder } = linkPair()
        for (const chunk of chunks) {
          expect(types(initiator.step(received(chunk), 0))).not.toContain('established')
          expect(types(responder.step(received(chunk), 0))).not.toContain('established')
        }
      })
    )
  })
})
