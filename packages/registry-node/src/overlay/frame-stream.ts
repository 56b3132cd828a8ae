import { concat } from '@hushlamp/shared'
import type { Stream } from '@libp2p/interface'

import type { FrameStream } from './channel.ts'
import { maxFrameBytes } from './wire.ts'

/** Frames that wait to be read hold the peer up when they are more than this. */
const maxWaitingBytes = 2 * maxFrameBytes

/** Most bytes of a length: enough for {@link maxFrameBytes}. */
const maxLengthBytes = 3

/**
 * A libp2p stream as frames, each behind its length as a varint. libp2p's own reader of such streams takes them byte by
 * byte, which costs more than all the rest of a request; and what is written in one turn of the event loop leaves as one
 * message, because each message is encrypted and handed to the system for itself.
 */
export function frameStream(stream: Stream): FrameStream {
  return new LengthPrefixedStream(stream)
}

class LengthPrefixedStream implements FrameStream {
  readonly #stream: Stream
  readonly #frames: Uint8Array[] = []
  #waitingBytes = 0
  #reader: PromiseWithResolvers<Uint8Array> | undefined
  #ended = false
  #chunks: Uint8Array[] = []
  /** How many bytes the chunks have, and how many they need before it is worth looking. */
  #have = 0
  #need = 1
  #outgoing: Uint8Array[] = []
  #flush: Promise<void> | undefined

  constructor(stream: Stream) {
    this.#stream = stream
    grantWindowByHalves(stream)
    stream.addEventListener('message', ({ data }) => this.#take(data.subarray()))
    for (const event of ['remoteCloseWrite', 'close'] as const) {
      stream.addEventListener(event, () => this.#end())
    }
    if (stream.status !== 'open') this.#end()
  }

  async read(): Promise<Uint8Array> {
    const frame = this.#frames.shift()
    if (frame !== undefined) {
      this.#waitingBytes -= frame.length
      if (this.#waitingBytes <= maxWaitingBytes && this.#stream.readStatus === 'paused') {
        this.#stream.resume()
      }
      return frame
    }
    if (this.#ended) throw new Error('the stream has ended')
    this.#reader = Promise.withResolvers()
    return this.#reader.promise
  }

  async write(frame: Uint8Array): Promise<void> {
    this.#outgoing.push(lengthOf(frame), frame)
    this.#flush ??= Promise.resolve().then(async () => {
      this.#flush = undefined
      const bytes = concat(...this.#outgoing)
      this.#outgoing = []
      if (!this.#stream.send(bytes)) await this.#stream.onDrain()
    })
    return this.#flush
  }

  abort(): void {
    this.#stream.abort(new Error('the stream is no longer needed'))
    this.#end()
  }

  #end(): void {
    this.#ended = true
    this.#reader?.reject(new Error('the stream has ended'))
    this.#reader = undefined
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#have += chunk.length
    if (this.#have < this.#need || this.#ended) return
    const bytes = this.#chunks.length === 1 ? chunk : concat(...this.#chunks)
    let offset = 0
    for (;;) {
      const head = readLength(bytes, offset)
      if (head === 'too long') {
        this.abort()
        return
      }
      const end = head === 'incomplete' ? bytes.length + 1 : head.start + head.length
      if (end > bytes.length) {
        this.#need = end - offset
        break
      }
      // A copy: the bytes may lie in a buffer that is used again, or that is far greater.
      if (head !== 'incomplete') this.#deliver(new Uint8Array(bytes.subarray(head.start, end)))
      offset = end
    }
    this.#have = bytes.length - offset
    this.#chunks = this.#have === 0 ? [] : [bytes.subarray(offset)]
  }

  #deliver(frame: Uint8Array): void {
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      reader.resolve(frame)
      return
    }
    this.#frames.push(frame)
    this.#waitingBytes += frame.length
    if (this.#waitingBytes > maxWaitingBytes && this.#stream.readStatus === 'readable') {
      this.#stream.pause()
    }
  }
}

function lengthOf(frame: Uint8Array): Uint8Array {
  const bytes: number[] = []
  let rest = frame.length
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Uint8Array.of(...bytes, rest)
}

function readLength(
  bytes: Uint8Array,
  offset: number
): { readonly length: number; readonly start: number } | 'incomplete' | 'too long' {
  let length = 0
  for (let i = 0; i < maxLengthBytes; i++) {
    const byte = bytes[offset + i]
    if (byte === undefined) return 'incomplete'
    length |= (byte & 0x7f) << (7 * i)
    if (byte <= 0x7f) {
      return length > maxFrameBytes ? 'too long' : { length, start: offset + i + 1 }
    }
  }
  return 'too long'
}

/** The parts of a yamux stream that its published types leave out. */
interface WindowedStream {
  state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

const established = 3

/**
 * Yamux answers every message with one that grants the window anew, which doubles the messages of a protocol of small
 * requests. Half a window is early enough.
 */
function grantWindowByHalves(stream: object): void {
  if (!isWindowed(stream)) return
  const grant = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const { state, recvWindow, recvWindowCapacity } = stream
    if (state !== established || recvWindowCapacity < recvWindow / 2) grant()
  }
}

function isWindowed(stream: object): stream is WindowedStream {
  return ['state', 'recvWindow', 'recvWindowCapacity', 'sendWindowUpdate'].every(
    (name) => name in stream
  )
}
