import { describe, expect, test } from 'vitest'

import {
  FrameReceiver,
  FrameSender,
  concat,
  frameBuckets,
  maxPayloadBytes,
  rekeyAfterFrames,
  utf8
} from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { chachaSeal } from '../src/crypto/chacha-poly.ts'

const key = testSecret('frames')
const largest = frameBuckets[3]
const fragmentBytes = largest - 19

/** Frames that no sender of ours would make: content of any kind in any bucket. */
class ForeignSender {
  #counter = 0

  frame(kind: number, content: Uint8Array, options: { bucket?: number; length?: number } = {}) {
    const { bucket = largest, length = content.length } = options
    const plaintext = new Uint8Array(bucket - 16)
    plaintext.set([kind, length >> 8, length & 0xff])
    plaintext.set(content, 3)
    const header = new Uint8Array([bucket >> 8, bucket & 0xff])
    return concat(header, chachaSeal(key, this.#counter++, header, plaintext))
  }
}

describe('A sender of frames', () => {
  test('changes its key with the last frame that a key may seal, and is understood', () => {
    const sender = new FrameSender(key)
    const receiver = new FrameReceiver(key)
    const written = Array.from({ length: rekeyAfterFrames + 5 }, () => {
      const frame = sender.keepAlive()
      expect(receiver.receive(frame)).toEqual([{ kind: 'keep-alive' }])
      return frame.length / (2 + 256)
    })
    expect(written.slice(0, rekeyAfterFrames - 1).every((frames) => frames === 1)).toBe(true)
    expect(written.slice(rekeyAfterFrames - 1)).toEqual([2, 1, 1, 1, 1, 1])
    expect(receiver.receive(sender.payload(utf8('still here')))).toEqual([
      { kind: 'payload', payload: utf8('still here') }
    ])
  })

  test('does not change the key that it was given, nor does the receiver', () => {
    const given = new Uint8Array(key)
    const [sender, receiver] = [new FrameSender(given), new FrameReceiver(given)]
    receiver.receive(sender.rekey())
    sender.wipe()
    receiver.wipe()
    expect(given).toEqual(key)
  })

  test('cannot be understood once its key is wiped', () => {
    const [sender, receiver] = [new FrameSender(key), new FrameReceiver(key)]
    sender.wipe()
    expect(receiver.receive(sender.keepAlive())).toBeUndefined()
  })

  test('sends the longest payload in full frames, and the receiver puts it together', () => {
    const payload = new Uint8Array(maxPayloadBytes).map((_, i) => i % 251)
    const stream = new FrameSender(key).payload(payload)
    expect(new FrameReceiver(key).receive(stream)).toEqual([{ kind: 'payload', payload }])
  })
})

describe('A receiver of frames', () => {
  test('understands a stream that drips in byte by byte', () => {
    const stream = new FrameSender(key).payload(new Uint8Array(20_000).fill(5))
    const receiver = new FrameReceiver(key)
    const received = Array.from(stream, (byte) => receiver.receive(new Uint8Array([byte])) ?? [])
    expect(received.flat()).toEqual([{ kind: 'payload', payload: new Uint8Array(20_000).fill(5) }])
  })

  test('does not keep the bytes that it was given', () => {
    const stream = new FrameSender(key).payload(utf8('hello'))
    const receiver = new FrameReceiver(key)
    const chunk = new Uint8Array(stream.subarray(0, 100))
    receiver.receive(chunk)
    chunk.fill(0)
    expect(receiver.receive(stream.subarray(100))).toEqual([
      { kind: 'payload', payload: utf8('hello') }
    ])
  })

  test('ends the link at a payload above the limit, when the fragment comes that exceeds it', () => {
    const foreign = new ForeignSender()
    const receiver = new FrameReceiver(key)
    const fragment = new Uint8Array(fragmentBytes)
    const fitting = Math.floor(maxPayloadBytes / fragmentBytes)
    for (let i = 0; i < fitting; i++)
      expect(receiver.receive(foreign.frame(2, fragment))).toEqual([])
    expect(receiver.receive(foreign.frame(2, fragment))).toBeUndefined()
  })

  test('ends the link when the end of a payload exceeds the limit', () => {
    const foreign = new ForeignSender()
    const receiver = new FrameReceiver(key)
    const fragment = new Uint8Array(fragmentBytes)
    for (let i = 0; i < Math.floor(maxPayloadBytes / fragmentBytes); i++)
      receiver.receive(foreign.frame(2, fragment))
    const left = maxPayloadBytes % fragmentBytes
    expect(receiver.receive(foreign.frame(1, new Uint8Array(left + 1)))).toBeUndefined()
  })

  test.each([0, 1, fragmentBytes - 1])(
    'takes no fragment of %i bytes: whole frames for a few bytes would fill the memory',
    (length) => {
      const frame = new ForeignSender().frame(2, new Uint8Array(length))
      expect(new FrameReceiver(key).receive(frame)).toBeUndefined()
    }
  )

  test('ends the link at an unknown kind of frame', () => {
    expect(
      new FrameReceiver(key).receive(new ForeignSender().frame(4, utf8('new')))
    ).toBeUndefined()
  })

  test('ends the link at a length that exceeds the frame', () => {
    const [bucket, length] = [256, 238]
    const frame = new ForeignSender().frame(1, utf8('short'), { bucket, length })
    expect(new FrameReceiver(key).receive(frame)).toBeUndefined()
    const fits = new ForeignSender().frame(1, utf8('short'), { bucket, length: length - 1 })
    expect(new FrameReceiver(key).receive(fits)).toHaveLength(1)
  })

  test('ends the link at the second byte of a length that no frame has', () => {
    const receiver = new FrameReceiver(key)
    expect(receiver.receive(new Uint8Array([0xff]))).toEqual([])
    expect(receiver.receive(new Uint8Array([0xff]))).toBeUndefined()
  })

  test('ends the link when a key seals more frames than it may', () => {
    const foreign = new ForeignSender()
    const receiver = new FrameReceiver(key)
    const none = new Uint8Array(0)
    for (let i = 0; i < rekeyAfterFrames; i++)
      if (!receiver.receive(foreign.frame(0, none, { bucket: 256 }))) throw new Error(`at ${i}`)
    expect(receiver.receive(foreign.frame(0, none, { bucket: 256 }))).toBeUndefined()
  })
})
