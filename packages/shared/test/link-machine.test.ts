import { describe, expect, test } from 'vitest'

import {
  FrameSender,
  LinkMachine,
  concat,
  handshakeTimeoutMs,
  keepAliveMs,
  maxPayloadBytes,
  rekeyIntervalMs,
  silenceTimeoutMs,
  utf8
} from '@hushlamp/shared'
import type { LinkEvent, Payload } from '@hushlamp/shared'
import { seededRandom, testSecret } from '@hushlamp/shared/test-inputs'

import {
  alice,
  bob,
  keysFor,
  linkPair,
  onionKey,
  open,
  received,
  types,
  written
} from './link-pair.ts'
import type { LinkEnds } from './link-pair.ts'

const hello: Payload = { kind: 'presence', available: true, text: 'hello' }
const send = (payload: Payload): LinkEvent => ({ type: 'send', payload })

/** Lets both ends live until `untilMs`, each waking when it wants to, and what they write arriving at once. */
function live({ initiator, responder }: LinkEnds, untilMs: number): { frames: number } {
  let frames = 0
  for (;;) {
    const nowMs = Math.min(initiator.wakeAtMs, responder.wakeAtMs)
    if (nowMs > untilMs) return { frames }
    for (const [from, to] of [
      [initiator, responder],
      [responder, initiator]
    ] as const) {
      const effects = from.step({ type: 'tick' }, nowMs)
      frames += effects.length
      expect(types(effects)).not.toContain('ended')
      expect(types(to.step(received(written(effects)), nowMs))).not.toContain('ended')
    }
  }
}

describe('An open link', () => {
  test('lives through a day of keep-alives and hourly changes of key', () => {
    const ends = open()
    const day = 24 * 3_600_000
    const { frames } = live(ends, day)
    const beats = 2 * (day / keepAliveMs.from)
    expect(frames).toBeGreaterThan(2 * (day / keepAliveMs.to) + 2 * 23)
    expect(frames).toBeLessThan(beats + 2 * 24)
    const effects = ends.initiator.step(send(hello), day)
    expect(ends.responder.step(received(written(effects)), day)).toEqual([
      { type: 'payload', payload: hello }
    ])
  })

  test('changes the keys of both directions on the hour', () => {
    const ends = open()
    live(ends, rekeyIntervalMs - 1)
    expect(live(ends, rekeyIntervalMs).frames).toBe(2)
    const effects = ends.responder.step(send(hello), rekeyIntervalMs)
    expect(ends.initiator.step(received(written(effects)), rekeyIntervalMs)).toHaveLength(1)
  })

  test('is dead when nothing but parts of a frame arrives for three minutes', () => {
    const { initiator, responder } = open()
    const frame = written(initiator.step(send(hello), 0))
    for (let i = 0; i < 17; i++) {
      const drip = responder.step(received(frame.subarray(i, i + 1)), i * 10_000)
      expect(drip).toEqual([])
    }
    expect(responder.step({ type: 'tick' }, silenceTimeoutMs)).toEqual([
      { type: 'ended', reason: 'silence' }
    ])
  })

  test('ends when the stream does', () => {
    const { initiator } = open()
    expect(initiator.step({ type: 'disconnected' }, 1)).toEqual([
      { type: 'ended', reason: 'disconnected' }
    ])
  })

  test('answers nothing after its end', () => {
    const { initiator, responder } = open()
    const late = written(responder.step(send(hello), 1))
    initiator.step({ type: 'disconnected' }, 1)
    const events: LinkEvent[] = [
      received(late),
      send(hello),
      { type: 'tick' },
      { type: 'bye' },
      { type: 'disconnected' }
    ]
    for (const event of events) expect(initiator.step(event, 2)).toEqual([])
    expect(initiator.wakeAtMs).toBe(Infinity)
  })

  test('says nothing after a bye, though more has arrived behind it', () => {
    const { initiator, responder } = open()
    const bye = concat(
      written(initiator.step(send(hello), 1)),
      written(initiator.step({ type: 'bye' }, 1))
    )
    expect(responder.step(received(concat(bye, utf8('more'))), 1)).toEqual([
      { type: 'ended', reason: 'invalid' }
    ])
    const again = open()
    const bytes = concat(
      written(again.initiator.step(send(hello), 1)),
      written(again.initiator.step({ type: 'bye' }, 1))
    )
    expect(again.responder.step(received(bytes), 1)).toEqual([
      { type: 'payload', payload: hello },
      { type: 'ended', reason: 'peer-bye' }
    ])
  })

  test('sends no payload that no frame can carry, and lives on', () => {
    const { initiator, responder } = open()
    const tooLong = send({ ...hello, text: 'x'.repeat(maxPayloadBytes) })
    expect(initiator.step(tooLong, 1)).toEqual([])
    expect(responder.step(received(written(initiator.step(send(hello), 1))), 1)).toHaveLength(1)
  })

  test('ends at a payload that breaks the rules of its kind', () => {
    const { initiator, responder } = open()
    const broken = { ...hello, text: 'x'.repeat(2_000) }
    const bytes = written(initiator.step(send(broken), 1))
    expect(responder.step(received(bytes), 1)).toEqual([{ type: 'ended', reason: 'invalid' }])
  })

  test('ignores payloads of kinds that it does not know', () => {
    const { initiator, responder } = open()
    const novel: Payload = Object.assign({ ...hello }, { kind: 'novel' })
    expect(responder.step(received(written(initiator.step(send(novel), 1))), 1)).toEqual([])
    expect(responder.step(received(written(initiator.step(send(hello), 1))), 1)).toHaveLength(1)
  })
})

describe('A link that is not open yet', () => {
  test('is given up by either side when the handshake takes too long', () => {
    const { initiator, responder } = linkPair()
    for (const machine of [initiator, responder]) {
      expect(machine.wakeAtMs).toBe(handshakeTimeoutMs)
      expect(machine.step({ type: 'tick' }, handshakeTimeoutMs - 1)).toEqual([])
      expect(machine.step({ type: 'tick' }, handshakeTimeoutMs)).toEqual([
        { type: 'ended', reason: 'rejected' }
      ])
    }
  })

  test('sends nothing of the user’s before the other side is confirmed', () => {
    const { initiator, responder, firstBytes } = linkPair()
    expect(initiator.step(send(hello), 0)).toEqual([])
    responder.step(received(firstBytes), 0)
    expect(responder.step(send(hello), 0)).toEqual([])
  })

  test('ends without a word at a logout before the handshake', () => {
    const { initiator } = linkPair()
    expect(initiator.step({ type: 'bye' }, 0)).toEqual([{ type: 'ended', reason: 'own-bye' }])
  })

  test('opens however the stream cuts the handshake', () => {
    const { initiator, responder, firstBytes } = linkPair()
    const answer = Array.from(firstBytes, (byte) =>
      written(responder.step(received(new Uint8Array([byte])), 0))
    )
    const confirmation = Array.from(concat(...answer), (byte) =>
      initiator.step(received(new Uint8Array([byte])), 0)
    ).flat()
    expect(types(confirmation)).toEqual(['write', 'established'])
    const opened = Array.from(written(confirmation), (byte) =>
      responder.step(received(new Uint8Array([byte])), 0)
    ).flat()
    expect(types(opened)).toEqual(['write', 'established', 'payload'])
  })

  test('takes frames that come in one piece with message 2', () => {
    const { initiator, responder, firstBytes } = linkPair()
    const answer = written(responder.step(received(firstBytes), 0))
    const bye = written(responder.step({ type: 'bye' }, 0))
    expect(types(initiator.step(received(concat(answer, bye)), 0))).toEqual([
      'write',
      'established',
      'ended'
    ])
  })

  test('is refused when anything follows message 1 at once', () => {
    const { responder, firstBytes } = linkPair()
    expect(responder.step(received(concat(firstBytes, new Uint8Array(1))), 0)).toEqual([
      { type: 'ended', reason: 'rejected' }
    ])
  })

  test('is refused when the first frame after the handshake is none', () => {
    const { responder, firstBytes } = linkPair()
    responder.step(received(firstBytes), 0)
    const junk = new FrameSender(testSecret('junk')).keepAlive()
    expect(responder.step(received(junk), 0)).toEqual([{ type: 'ended', reason: 'rejected' }])
  })

  test('is refused when message 2 is not the peer’s', () => {
    const { initiator } = linkPair()
    expect(initiator.step(received(testSecret('a').subarray(0, 32)), 0)).toEqual([])
    expect(initiator.step(received(new Uint8Array(16)), 0)).toEqual([
      { type: 'ended', reason: 'rejected' }
    ])
  })

  test('is not begun to a peer whose key is unusable', () => {
    const candidate = {
      contact: 'bob',
      peer: { ...bob, presenceKey: new Uint8Array(32) },
      keys: keysFor(bob, alice)
    }
    const init = { own: alice, onionKey, candidate, greeting: () => hello }
    expect(LinkMachine.initiate({ random: seededRandom('none') }, init, 0)).toBeUndefined()
  })
})
