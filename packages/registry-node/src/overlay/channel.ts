import { HushlampError } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import { decodeReply } from './wire.ts'

/** A stream of frames in both directions. */
export interface FrameStream {
  /** The next frame. Rejects when the stream has ended or a frame is too long. */
  read(): Promise<Uint8Array>
  write(frame: Uint8Array): Promise<void>
  /** Breaks the stream off. */
  abort(): void
}

interface Waiting {
  resolve(body: readonly unknown[]): void
  reject(error: HushlampError): void
}

/** Why a request was not answered. */
export type ChannelFailure = 'unreachable' | 'closed' | 'late' | 'refused'

/** A request that a peer did not answer. */
export class ChannelError extends HushlampError {
  override readonly name = 'ChannelError'
  readonly failure: ChannelFailure

  constructor(failure: ChannelFailure) {
    super('registry-unreachable')
    this.failure = failure
  }
}

/**
 * The asking side of a persistent stream: many requests at a time, told apart by numbers. Whatever is not the answer to
 * a waiting request breaks the stream off.
 */
export class Channel {
  readonly #stream: FrameStream
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 0
  #closed = false

  /** Called once when the channel can no longer be used. */
  onClose: () => void = () => {}

  constructor(components: { stream: FrameStream; clock: Clock }) {
    this.#stream = components.stream
    this.#clock = components.clock
    void this.#readAll()
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Sends the frame that `frameOf` makes for a fresh number and waits for the body of the answer.
   *
   * @throws ChannelError
   */
  async request(
    frameOf: (id: number) => Uint8Array,
    timeoutMs: number
  ): Promise<readonly unknown[]> {
    if (this.#closed) throw new ChannelError('closed')
    const id = this.#nextId++
    const answer = Promise.withResolvers<readonly unknown[]>()
    // In two steps: a busy process finds timers due before it has read what has long arrived.
    let cancel = this.#clock.after(timeoutMs * 0.8, () => {
      cancel = this.#clock.after(timeoutMs * 0.2, () => answer.reject(new ChannelError('late')))
    })
    this.#waiting.set(id, answer)
    try {
      this.#stream.write(frameOf(id)).catch(() => this.close())
      return await answer.promise
    } finally {
      cancel()
      // A late answer must still find its number, or else it would break off the stream.
      if (this.#waiting.size > 4096) this.close()
    }
  }

  /** Breaks the stream off; whatever waits is rejected. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stream.abort()
    for (const waiting of this.#waiting.values()) waiting.reject(new ChannelError('closed'))
    this.#waiting.clear()
    this.onClose()
  }

  async #readAll(): Promise<void> {
    try {
      while (!this.#closed) {
        const { id, body } = decodeReply(await this.#stream.read())
        const waiting = this.#waiting.get(id)
        if (waiting === undefined) break
        this.#waiting.delete(id)
        if (body === undefined) waiting.reject(new ChannelError('refused'))
        else waiting.resolve(body)
      }
    } catch {
      // An unreadable frame and the end of the stream mean the same: nothing more will come.
    }
    this.close()
  }
}

const maxRequestsAtATime = 32

/**
 * The answering side: hands each frame to `answer` and writes what that makes of it. Reads on only while few requests
 * are being worked on. Ends when the stream ends or `answer` rejects, which breaks the stream off.
 */
export async function serveFrames(
  stream: FrameStream,
  answer: (frame: Uint8Array) => Promise<Uint8Array>
): Promise<void> {
  const running = new Set<Promise<void>>()
  for (;;) {
    const frame = await stream.read().catch(() => undefined)
    if (frame === undefined) break
    const task = answer(frame)
      .then(async (reply) => stream.write(reply))
      .catch(() => stream.abort())
      .finally(() => running.delete(task))
    running.add(task)
    if (running.size >= maxRequestsAtATime) await Promise.race(running)
  }
  await Promise.allSettled(running)
  stream.abort()
}
