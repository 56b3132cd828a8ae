import type { Clock } from '@hushlamp/shared'

import { Channel, ChannelError } from './channel.ts'
import type { FrameStream } from './channel.ts'
import { encodeRequest } from './wire.ts'
import type { StoreRequest } from './wire.ts'

/** What channels are made with. */
export interface ChannelsComponents {
  readonly clock: Clock
  /** Opens a stream of the store protocol to a peer. */
  open(id: string, signal: AbortSignal): Promise<FrameStream>
  /** A channel to a peer was opened. */
  opened(id: string): void
}

/** Times of channels. */
export interface ChannelsInit {
  readonly dialTimeoutMs: number
}

/** One channel to each peer, opened when it is needed and kept: a stream per request would cost six times as much. */
export class Channels {
  readonly #components: ChannelsComponents
  readonly #init: ChannelsInit
  readonly #channels = new Map<string, Promise<Channel>>()
  #closed = false

  constructor(components: ChannelsComponents, init: ChannelsInit) {
    this.#components = components
    this.#init = init
  }

  /**
   * Asks a peer and waits up to `timeoutMs` for the answer, the time of connecting not counted. A channel that turns out
   * to be closed is opened once more; all requests may be repeated.
   *
   * @throws ChannelError
   */
  async request(id: string, request: StoreRequest, timeoutMs: number): Promise<readonly unknown[]> {
    const reused = this.#channels.has(id)
    try {
      return await this.#requestOnce(id, request, timeoutMs)
    } catch (error) {
      const closed = error instanceof ChannelError && error.failure === 'closed'
      if (!closed || !reused || this.#closed) throw error
      return this.#requestOnce(id, request, timeoutMs)
    }
  }

  /** Whether there is a channel to a peer, or one is being opened. */
  has(id: string): boolean {
    return this.#channels.has(id)
  }

  /** Opens the channel to a peer. */
  async prepare(id: string): Promise<void> {
    await this.#channel(id)
  }

  /** Closes the channel to a peer. */
  drop(id: string): void {
    const channel = this.#channels.get(id)
    this.#channels.delete(id)
    channel?.then(
      (open) => open.close(),
      () => {}
    )
  }

  /** Closes all channels for good. */
  close(): void {
    this.#closed = true
    for (const id of this.#channels.keys()) this.drop(id)
  }

  async #requestOnce(
    id: string,
    request: StoreRequest,
    timeoutMs: number
  ): Promise<readonly unknown[]> {
    const { clock } = this.#components
    const channel = await this.#channel(id)
    return channel.request(
      (number) => encodeRequest(number, request, clock.unixSeconds()),
      timeoutMs
    )
  }

  async #channel(id: string): Promise<Channel> {
    if (this.#closed) throw new ChannelError('closed')
    let channel = this.#channels.get(id)
    if (channel === undefined) {
      channel = this.#open(id)
      this.#channels.set(id, channel)
      const forget = (): void => {
        if (this.#channels.get(id) === channel) this.#channels.delete(id)
      }
      channel.then((open) => {
        open.onClose = forget
        if (open.closed) forget()
        this.#components.opened(id)
      }, forget)
    }
    return channel
  }

  async #open(id: string): Promise<Channel> {
    const { clock } = this.#components
    const abort = new AbortController()
    const cancel = clock.after(this.#init.dialTimeoutMs, () => abort.abort())
    try {
      return new Channel({ stream: await this.#components.open(id, abort.signal), clock })
    } catch {
      throw new ChannelError('unreachable')
    } finally {
      cancel()
    }
  }
}
