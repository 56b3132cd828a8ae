import { concat, uint16, wipe } from '../crypto/bytes.ts'
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
    this.#key = new Uint8Array(key)
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

  /** Forgets the key; nothing can be sealed afterwards that the other side would open. */
  wipe(): void {
    wipe(this.#key)
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
    this.#key = nextKey(this.#key)
    this.#framesUnderKey = 0
  }
}

/**
 * Opens the frames of the other direction, however the stream cuts them. It holds one unfinished frame and one unfinished
 * payload at most, whatever the other side sends and in however small pieces.
 */
export class FrameReceiver {
  #key: Uint8Array
  #counter = 0
  #framesUnderKey = 0
  readonly #header: Uint8Array = new Uint8Array(lengthBytes)
  #headerFilled = 0
  /** The sealed part of the present frame, once its length is known. */
  #sealed: Uint8Array | undefined
  #sealedFilled = 0
  #fragments: Uint8Array[] = []
  #fragmentBytes = 0

  /** @param key 32 bytes, `receive` of {@link LinkKeys}. */
  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key)
  }

  /**
   * Takes bytes of the stream and answers with what is complete. Undefined where anything is wrong (impossible length,
   * failing check, unknown kind, unfilled fragment, over-long payload, key used too long): the link is then to be closed,
   * nothing after it counts.
   */
  receive(bytes: Uint8Array): readonly ReceivedFrame[] | undefined {
    const received: ReceivedFrame[] = []
    for (let rest = bytes; rest.length > 0;) {
      const taken = this.#sealed ? this.#fillSealed(this.#sealed, rest) : this.#fillHeader(rest)
      if (taken === undefined) return undefined
      rest = rest.subarray(taken)
      if (!this.#sealed || this.#sealedFilled < this.#sealed.length) continue
      const frame = this.#open(this.#sealed)
      if (frame === 'invalid') return undefined
      if (frame) received.push(frame)
    }
    return received
  }

  /** Forgets the key and everything unfinished. */
  wipe(): void {
    wipe(this.#key)
    this.#sealed = undefined
    this.#fragments = []
  }

  /** How many bytes were taken; undefined where the length is none that a frame can have. */
  #fillHeader(bytes: Uint8Array): number | undefined {
    const taken = bytes.subarray(0, lengthBytes - this.#headerFilled)
    this.#header.set(taken, this.#headerFilled)
    this.#headerFilled += taken.length
    if (this.#headerFilled < lengthBytes) return taken.length
    const length = readUint16(this.#header, 0)
    if (!frameBuckets.some((bucket) => bucket === length)) return undefined
    this.#sealed = new Uint8Array(length)
    this.#sealedFilled = 0
    return taken.length
  }

  #fillSealed(sealed: Uint8Array, bytes: Uint8Array): number {
    const taken = bytes.subarray(0, sealed.length - this.#sealedFilled)
    sealed.set(taken, this.#sealedFilled)
    this.#sealedFilled += taken.length
    return taken.length
  }

  #open(sealed: Uint8Array): ReceivedFrame | 'invalid' | undefined {
    this.#sealed = undefined
    this.#headerFilled = 0
    const opened = chachaOpen(this.#key, this.#counter++, this.#header, sealed)
    if (!opened || ++this.#framesUnderKey > rekeyAfterFrames) return 'invalid'
    return this.#accept(opened)
  }

  #accept(plaintext: Uint8Array): ReceivedFrame | 'invalid' | undefined {
    const length = readUint16(plaintext, 1)
    if (length > plaintext.length - innerHeaderBytes) return 'invalid'
    const content = plaintext.subarray(innerHeaderBytes, innerHeaderBytes + length)
    switch (plaintext[0]) {
      case frameKind.keepAlive:
        return { kind: 'keep-alive' }
      case frameKind.rekey:
        this.#key = nextKey(this.#key)
        this.#framesUnderKey = 0
        return undefined
      case frameKind.more:
        // Only the last fragment may be short: whole frames for single bytes would fill the memory.
        return content.length === maxFragmentBytes && this.#collect(content) ? undefined : 'invalid'
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
    this.#fragmentBytes += fragment.length
    if (this.#fragmentBytes > maxPayloadBytes) return false
    this.#fragments.push(fragment)
    return true
  }
}

function nextKey(key: Uint8Array): Uint8Array {
  const next = chachaRekey(key)
  wipe(key)
  return next
}

function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
}
