import { createCipheriv } from 'node:crypto'

import {
  FrameReceiver,
  FrameSender,
  concat,
  frameBuckets,
  maxPayloadBytes,
  utf8
} from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import {
  changed,
  digits,
  expects,
  mustEqual,
  mustExist,
  mustNotExist,
  refuses,
  uint
} from './cases.ts'
import type { Case, Value, VectorFile } from './cases.ts'

interface Plain {
  /** Number of the key: 0 is the first, 1 the one after a rekey. */
  readonly key: number
  readonly counter: number
  readonly kind: number
  readonly length: number
  readonly bucket: number
}

const firstKey = testSecret('frames')
const maxFragmentBytes = 16_365
const kinds = { 'keep-alive': 0, last: 1, more: 2, rekey: 3 } as const

function nonceOf(counter: number): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64LE(BigInt(counter), 4)
  return new Uint8Array(nonce)
}

/** ChaCha20-Poly1305, which the core does not export, under a nonce of twelve bytes. */
function chachaSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array
): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  cipher.setAAD(associated, { plaintextLength: plaintext.length })
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

const greatestNonce = digits('00000000ffffffffffffffff')
const none = new Uint8Array(0)
const secondKey = chachaSeal(firstKey, greatestNonce, none, new Uint8Array(32)).subarray(0, 32)
const keysInTurn = [firstKey, secondKey]

/** Seals a frame by hand, good or bad; the content is zeros where none is given. */
function sealFrame(
  { key, counter, kind, length, bucket }: Plain,
  content: Uint8Array = none
): { readonly plaintext: Uint8Array; readonly frame: Uint8Array } {
  const header = uint(2, bucket)
  const plaintext = new Uint8Array(bucket - 16)
  plaintext.set([kind, length >> 8, length & 255])
  plaintext.set(content, 3)
  const sealed = chachaSeal(mustExist(keysInTurn[key]), nonceOf(counter), header, plaintext)
  return { plaintext, frame: concat(header, sealed) }
}

function bucketFor(length: number): number {
  return frameBuckets.find((bucket) => length + 19 <= bucket) ?? frameBuckets[3]
}

type Step = Uint8Array | 'keep-alive' | 'rekey'

/** What a receiver makes of the frames of some steps, sealed by hand beside the core's sender, which must make the same. */
function framesOf(steps: readonly Step[]): {
  readonly stream: Uint8Array
  readonly frames: readonly Value[]
  readonly payloads: readonly Uint8Array[]
  /** The key of the next frame. */
  readonly key: Uint8Array
} {
  const sender = new FrameSender(firstKey)
  const frames: Value[] = []
  const made: Uint8Array[] = []
  let key = 0
  for (const step of steps) {
    const sealed = plainFrames(step, key, frames.length).map(({ plain, content }) => {
      const { plaintext, frame } = sealFrame(plain, content)
      const { counter, bucket, kind, length } = plain
      const nonce = nonceOf(counter)
      frames.push({
        key: mustExist(keysInTurn[key]),
        counter,
        nonce,
        bucket,
        kind,
        length,
        plaintext
      })
      return frame
    })
    mustEqual(send(sender, step), concat(...sealed))
    made.push(...sealed)
    if (step === 'rekey') key++
  }
  const stream = concat(...made)
  const payloads = steps.filter((step) => typeof step !== 'string')
  const received = mustExist(new FrameReceiver(firstKey).receive(stream))
  const arrived = received.flatMap((each) => (each.kind === 'payload' ? [each.payload] : []))
  mustEqual(concat(...arrived), concat(...payloads))
  return { stream, frames, payloads, key: mustExist(keysInTurn[key]) }
}

function plainFrames(
  step: Step,
  key: number,
  firstCounter: number
): readonly { readonly plain: Plain; readonly content: Uint8Array }[] {
  const payload = typeof step === 'string' ? none : step
  const parts = Math.max(1, Math.ceil(payload.length / maxFragmentBytes))
  return Array.from({ length: parts }, (_, part) => {
    const content = payload.subarray(part * maxFragmentBytes, (part + 1) * maxFragmentBytes)
    const payloadKind = part === parts - 1 ? kinds.last : kinds.more
    const plain = {
      key,
      counter: firstCounter + part,
      kind: typeof step === 'string' ? kinds[step] : payloadKind,
      length: content.length,
      bucket: bucketFor(content.length)
    }
    return { plain, content }
  })
}

function send(sender: FrameSender, step: Step): Uint8Array {
  if (step === 'keep-alive') return sender.keepAlive()
  return step === 'rekey' ? sender.rekey() : sender.payload(step)
}

/** `frames.json`: a stream with everything that a link sends, payloads at the limits of a frame, and bad streams. */
export function framesFile(): VectorFile {
  const { stream, ...opened } = framesOf([
    utf8('hello'),
    'keep-alive',
    none,
    'rekey',
    utf8('after the change of key')
  ])
  const lengths = [237, 238, maxFragmentBytes, maxFragmentBytes + 1]
  return {
    receive: [expects({ key: firstKey, stream }, opened), ...rejectedStreams()],
    receiveLong: [
      ...lengths.map((length) =>
        expects({ key: firstKey, length }, framesOf([new Uint8Array(length)]))
      ),
      tooLong()
    ]
  }
}

function refusedStream(reason: string, stream: Uint8Array): Case {
  mustNotExist(new FrameReceiver(firstKey).receive(stream))
  return refuses(reason, { key: firstKey, stream })
}

function rejectedStreams(): readonly Case[] {
  const plain = { key: 0, counter: 0, kind: 1, length: 5, bucket: 256 }
  const { frame } = sealFrame(plain)
  const sealed = (changes: Partial<Plain>): Uint8Array => sealFrame({ ...plain, ...changes }).frame
  return [
    refusedStream('length', changed(frame, { at: 1, xor: 1 })),
    refusedStream('length', changed(frame, { at: 0, xor: 1 })),
    refusedStream('tag', changed(frame, { at: 2, xor: 1 })),
    refusedStream('tag', changed(frame, { at: 257, xor: 128 })),
    refusedStream('tag', concat(frame, frame)),
    refusedStream('tag', sealed({ counter: 1 })),
    refusedStream('tag', concat(sealed({ kind: 3, length: 0 }), sealed({ counter: 1 }))),
    refusedStream('kind', sealed({ kind: 4 })),
    refusedStream('content-length', sealed({ length: 238 })),
    refusedStream('fragment', sealed({ kind: 2 }))
  ]
}

/** One byte more than a payload may have. */
function tooLong(): Case {
  const length = maxPayloadBytes + 1
  const frames = plainFrames(new Uint8Array(length), 0, 0).map(
    ({ plain }) => sealFrame(plain).frame
  )
  mustNotExist(new FrameReceiver(firstKey).receive(concat(...frames)))
  return refuses('payload-length', { key: firstKey, length })
}
