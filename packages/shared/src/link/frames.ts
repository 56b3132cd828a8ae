import { concat, uint16 } from '../crypto/bytes.ts'
import { chachaOpen, chachaRekey, chachaSeal, tagBytes } from '../crypto/chacha-poly.ts'
import { HushlampError } from '../errors.ts'

/** Sizes that the sealed part of a frame may have: the length of a message shows only as one of four. */
export const frameBuckets = [256, 1_024, 4_096, 16_384] as const

/** Longest payload; longer than a frame, it travels in several. */
export const maxPayloadBytes = 262_144

/** A sender changes its key after this many frames at the latest. */
export const rekeyAfterFrames = 65_536

const lengthBytes = 2
const innerHeaderBytes = 3
const noPayload = new Uint8Array(0)
const largestBucket = frameBuckets[3]
const maxFragmentBytes = largestBucket - tagBytes - innerHeaderBytes

/** What a frame holds. `more` is a part of a payload that goes on in the next frame, `last` its end. */
const frameKind = { keepAlive: 0, last: 1, more: 2, rekey: 3 } as const

type FrameKind = (typeof frameKind)[keyof typeof frameKind]

/** Something that arrived in frames. */
export type ReceivedFrame =
  | { readonly kind: 'keep-alive' }
  | { readonly kind: 'payload'; readonly payload: Uint8Array }

/** Seals the frames of one direction: u16 length ‖ ChaChaPoly(kind u8 ‖ length u16 ‖ content ‖ zeros). */
export class FrameSender {
  #key: Uint8Array
  #counter = 0
  #framesUnderKey = 0

  /** @param key 32 bytes, `send` of {@link LinkKeys}. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** Frames of one payload. Throws `message-too-long` above {@link maxPayloadBytes}. */
  payload(payload: Uint8Array): Uint8Array {
    if (payload.length > maxPayloadBytes) throw new HushlampError('message-too-long')
    const frames: Uint8Array[] = []
    let offset = 0
    do {
      const end = Math.min(offset + maxFragmentBytes, payload.length)
      const kind = end === payload.length ? frameKind.last : frameKind.more
      frames.push(this.#frame(kind, payload.subarray(offset, end)))
      offset = end
    } while (offset < payload.length)
    return concat(...frames)
  }

  /** A frame that says nothing but that the link is alive, in size like a short message. */
  keepAlive(): Uint8Array {
    return this.#frame(frameKind.keepAlive, noPayload)
  }

  /** Announces and makes the change of this direction's key. */
  rekey(): Uint8Array {
    const frame = this.#seal(frameKind.rekey, noPayload)
    this.#changeKey()
    return frame
  }

  #frame(kind: FrameKind, content: Uint8Array): Uint8Array {
    const rekey = this.#framesUnderKey >= rekeyAfterFrames - 1 ? this.rekey() : noPayload
    return concat(rekey, this.#seal(kind, content))
  }

  #seal(kind: FrameKind, content: Uint8Array): Uint8Array {
    const needed = innerHeaderBytes + content.length + tagBytes
    const bucket = frameBuckets.find((size) => size >= needed) ?? largestBucket
    const plaintext = new Uint8Array(bucket - tagBytes)
    plaintext[0] = kind
    plaintext.set(uint16(content.length), 1)
    plaintext.set(content, innerHeaderBytes)
    const header = uint16(bucket)
    this.#framesUnderKey++
    return concat(header, chachaSeal(this.#key, this.#counter++, header, plaintext))
  }

  #changeKey(): void {
    this.#key = chachaRekey(this.#key)
    this.#framesUnderKey = 0
  }
}

/** Opens the frames of the other direction, however the stream cuts them. */
export class FrameReceiver {
  #key: Uint8Array
  #counter = 0
  #framesUnderKey = 0
  #buffered: Uint8Array = noPayload
  #fragments: Uint8Array[] = []
  #fragmentBytes = 0

  /** @param key 32 bytes, `receive` of {@link LinkKeys}. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  /**
   * Takes bytes of the stream and answers with what is complete. Undefined where anything is wrong (impossible length,
   * failing check, unknown kind, over-long payload, key used too long): the link is then to be closed, nothing after it counts.
   */
  receive(bytes: Uint8Array): readonly ReceivedFrame[] | undefined {
    this.#buffered = concat(this.#buffered, bytes)
    const received: ReceivedFrame[] = []
    for (;;) {
      const sealed = this.#takeSealed()
      if (sealed === 'invalid') return undefined
      if (sealed === undefined) return received
      const opened = chachaOpen(this.#key, this.#counter++, uint16(sealed.length), sealed)
      if (!opened || ++this.#framesUnderKey > rekeyAfterFrames) return undefined
      const frame = this.#accept(opened)
      if (frame === 'invalid') return undefined
      if (frame) received.push(frame)
    }
  }

  #takeSealed(): Uint8Array | 'invalid' | undefined {
    if (this.#buffered.length < lengthBytes) return undefined
    const length = readUint16(this.#buffered, 0)
    if (!frameBuckets.some((bucket) => bucket === length)) return 'invalid'
    if (this.#buffered.length < lengthBytes + length) return undefined
    const sealed = this.#buffered.subarray(lengthBytes, lengthBytes + length)
    this.#buffered = this.#buffered.slice(lengthBytes + length)
    return sealed
  }

  #accept(plaintext: Uint8Array): ReceivedFrame | 'invalid' | undefined {
    const length = readUint16(plaintext, 1)
    if (length > plaintext.length - innerHeaderBytes) return 'invalid'
    const content = plaintext.subarray(innerHeaderBytes, innerHeaderBytes + length)
    switch (plaintext[0]) {
      case frameKind.keepAlive:
        return { kind: 'keep-alive' }
      case frameKind.rekey:
        this.#key = chachaRekey(this.#key)
        this.#framesUnderKey = 0
        return undefined
      case frameKind.more:
        return this.#collect(content) ? undefined : 'invalid'
      case frameKind.last: {
        if (!this.#collect(content)) return 'invalid'
        const payload = concat(...this.#fragments)
        this.#fragments = []
        this.#fragmentBytes = 0
        return { kind: 'payload', payload }
      }
      default:
        return 'invalid'
    }
  }

  #collect(fragment: Uint8Array): boolean {
    this.#fragments.push(fragment)
    this.#fragmentBytes += fragment.length
    return this.#fragmentBytes <= maxPayloadBytes
  }
}

function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
}
