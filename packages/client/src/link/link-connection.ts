import type { Duplex } from 'node:stream'

import type {
  Clock,
  LinkEffect,
  LinkEnd,
  LinkEvent,
  LinkMachine,
  Payload,
  Random
} from '@hushlamp/shared'

/** What a {@link LinkConnection} tells. */
export interface LinkListener<C> {
  established(connection: LinkConnection<C>, contact: C): void
  payload(connection: LinkConnection<C>, payload: Payload): void
  ended(connection: LinkConnection<C>, reason: LinkEnd): void
}

/** A peer that does not read is cut off when this much waits for it. */
const maxUnsentBytes = 1_048_576

/**
 * The shell around one {@link LinkMachine}: feeds it what the stream brings and the clock, carries out what it says. A
 * stranger's stream is closed only after a random delay, so that rejection cannot be told from any other failure.
 */
export class LinkConnection<C> {
  readonly #clock: Clock
  readonly #random: Random
  readonly #machine: LinkMachine<C>
  readonly #stream: Duplex
  readonly #listener: LinkListener<C>
  #cancelTimer: () => void = () => undefined
  #ended = false
  /** The contact, once the link is established. */
  contact: C | undefined
  /** Whether we began the link. */
  readonly outgoing: boolean
  /** Monotonic milliseconds at which the handshake began. */
  readonly begunAtMs: number

  constructor(
    components: { readonly clock: Clock; readonly random: Random },
    init: {
      readonly machine: LinkMachine<C>
      readonly stream: Duplex
      readonly outgoing: boolean
      readonly begunAtMs: number
    },
    listener: LinkListener<C>
  ) {
    this.#clock = components.clock
    this.#random = components.random
    this.#machine = init.machine
    this.#stream = init.stream
    this.outgoing = init.outgoing
    this.begunAtMs = init.begunAtMs
    this.#listener = listener
    init.stream.on('data', (chunk: Uint8Array) => {
      this.#step({ type: 'received', bytes: chunk })
    })
    const gone = (): void => {
      this.#step({ type: 'disconnected' })
    }
    init.stream.on('end', gone).on('close', gone).on('error', gone)
    // The stream may have been paused while it was decided whose it is.
    init.stream.resume()
    this.#arm()
  }

  /** Sends a payload; does nothing once the link has ended. */
  send(payload: Payload): void {
    this.#step({ type: 'send', payload })
  }

  /** Logs out: the peer is told that we go. */
  bye(): void {
    this.#step({ type: 'bye' })
  }

  /** Ends the link without a word, for instance because another one has taken its place. */
  drop(): void {
    this.#step({ type: 'disconnected' })
  }

  #step(event: LinkEvent): void {
    if (this.#ended) return
    for (const effect of this.#machine.step(event, this.#clock.monotonicMs()))
      this.#carryOut(effect)
    this.#arm()
  }

  #carryOut(effect: LinkEffect<C>): void {
    switch (effect.type) {
      case 'write':
        this.#stream.write(effect.bytes)
        if (this.#stream.writableLength > maxUnsentBytes) this.#stream.destroy()
        break
      case 'established':
        this.contact = effect.contact
        this.#listener.established(this, effect.contact)
        break
      case 'payload':
        this.#listener.payload(this, effect.payload)
        break
      case 'ended':
        this.#end(effect.reason)
    }
  }

  #end(reason: LinkEnd): void {
    this.#ended = true
    this.#cancelTimer()
    if (reason === 'own-bye') this.#closeWhenWritten()
    else if (reason === 'rejected' && !this.outgoing) this.#closeLater(this.#randomDelayMs())
    else this.#stream.destroy()
    this.#listener.ended(this, reason)
  }

  /** The last frame still has to leave; a peer that does not take it does not keep us. */
  #closeWhenWritten(): void {
    this.#closeLater(2_000)
    this.#stream.end(() => this.#stream.destroy())
  }

  #closeLater(delayMs: number): void {
    const cancel = this.#clock.after(delayMs, () => this.#stream.destroy())
    this.#stream.once('close', cancel)
  }

  #randomDelayMs(): number {
    const [byte = 0] = this.#random.bytes(1)
    return 500 + byte * 20
  }

  #arm(): void {
    this.#cancelTimer()
    if (this.#ended) return
    const delayMs = this.#machine.wakeAtMs - this.#clock.monotonicMs()
    this.#cancelTimer = this.#clock.after(Math.max(0, delayMs), () => {
      this.#step({ type: 'tick' })
    })
  }
}
