import { concat, wipe } from '../crypto/bytes.ts'
import type { PublicIdentity } from '../identity/identity.ts'
import type { Identity } from '../identity/identity.ts'
import type { Machine, Random } from '../ports.ts'
import type { EpochKeys } from '../presence/pair-keys.ts'
import { FrameReceiver, FrameSender, maxPayloadBytes } from './frames.ts'
import {
  answerHandshake,
  handshakeMessage1Bytes,
  handshakeMessage2Bytes,
  initiateHandshake,
  recognise
} from './handshake.ts'
import type { InitiatedHandshake, LinkKeys } from './handshake.ts'
import { decodePayload, encodePayload } from './payload.ts'
import type { Payload } from './payload.ts'

/** A handshake that is not complete after this is given up. */
export const handshakeTimeoutMs = 30_000

/** A link on which nothing arrived for this long is dead. */
export const silenceTimeoutMs = 180_000

/** Each sender changes its key after this at the latest. */
export const rekeyIntervalMs = 3_600_000

/** Keep-alives are sent after a random time between these. */
export const keepAliveMs = { from: 60_000, to: 90_000 } as const

/** A contact that may dial, with the keys of one epoch. The machine hands `contact` back, it never looks into it. */
export interface LinkCandidate<C> {
  readonly contact: C
  readonly peer: PublicIdentity
  readonly keys: EpochKeys
}

/** What happens to a link. */
export type LinkEvent =
  | { readonly type: 'received'; readonly bytes: Uint8Array }
  | { readonly type: 'send'; readonly payload: Payload }
  | { readonly type: 'tick' }
  /** The stream has ended or failed. */
  | { readonly type: 'disconnected' }
  /** We log out: the peer is told. */
  | { readonly type: 'bye' }

/** Why a link ended. `rejected`: no handshake with us; only that is answered after a random delay. */
export type LinkEnd = 'rejected' | 'invalid' | 'silence' | 'disconnected' | 'peer-bye' | 'own-bye'

/** What is to be done. After `ended` the stream is to be closed and no effect follows. */
export type LinkEffect<C> =
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** Both sides have shown that they hold the keys: the contact is present. */
  | { readonly type: 'established'; readonly contact: C }
  | { readonly type: 'payload'; readonly payload: Payload }
  | { readonly type: 'ended'; readonly reason: LinkEnd }

type Phase<C> =
  | {
      readonly name: 'awaiting-message-2'
      readonly handshake: InitiatedHandshake
      readonly contact: C
    }
  | { readonly name: 'awaiting-message-1'; readonly candidates: () => Iterable<LinkCandidate<C>> }
  | { readonly name: 'awaiting-confirmation'; readonly contact: C }
  | { readonly name: 'open' }
  | { readonly name: 'ended' }

/** How the responder's side of a link starts. */
export interface RespondingInit<C> {
  readonly own: Identity
  /** Public key of the onion service that was dialled. */
  readonly onionKey: Uint8Array
  /** Every contact that may dial, in epochs e−1, e and e+1. Asked when message 1 is there. */
  readonly candidates: () => Iterable<LinkCandidate<C>>
  /** What to say first: our presence. */
  readonly greeting: () => Payload
}

/** How the initiator's side starts. */
export interface InitiatingInit<C> {
  readonly own: Identity
  readonly onionKey: Uint8Array
  readonly candidate: LinkCandidate<C>
  readonly greeting: () => Payload
}

const empty = new Uint8Array(0)

/**
 * One link from the first byte to the last, on either side: handshake, confirmation, frames, keep-alive, rekey, silence.
 * `now` is monotonic milliseconds; {@link wakeAtMs} tells when the next `tick` is due.
 */
export class LinkMachine<C> implements Machine<LinkEvent, LinkEffect<C>> {
  readonly #random: Random
  readonly #own: Identity
  readonly #onionKey: Uint8Array
  readonly #greeting: () => Payload
  #phase: Phase<C>
  #handshakeBytes: Uint8Array = empty
  #sender: FrameSender | undefined
  #receiver: FrameReceiver | undefined
  #handshakeHash: Uint8Array = empty
  #deadlineMs: number
  #keepAliveAtMs = Infinity
  #rekeyAtMs = Infinity

  private constructor(
    components: { readonly random: Random },
    init: Pick<RespondingInit<C>, 'own' | 'onionKey' | 'greeting'>,
    phase: Phase<C>,
    nowMs: number
  ) {
    this.#random = components.random
    this.#own = init.own
    this.#onionKey = init.onionKey
    this.#greeting = init.greeting
    this.#phase = phase
    this.#deadlineMs = nowMs + handshakeTimeoutMs
  }

  /** Waits for message 1. */
  static respond<C>(
    components: { readonly random: Random },
    init: RespondingInit<C>,
    nowMs: number
  ): LinkMachine<C> {
    const phase: Phase<C> = { name: 'awaiting-message-1', candidates: init.candidates }
    return new LinkMachine<C>(components, init, phase, nowMs)
  }

  /** Begins: `firstBytes` go out together with the request to connect. Undefined where the peer's key is unusable. */
  static initiate<C>(
    components: { readonly random: Random },
    init: InitiatingInit<C>,
    nowMs: number
  ): { readonly machine: LinkMachine<C>; readonly firstBytes: Uint8Array } | undefined {
    const { own, onionKey, candidate } = init
    const handshake = initiateHandshake(
      { own, onionKey, peer: candidate.peer, keys: candidate.keys },
      components.random
    )
    if (!handshake) return undefined
    const phase: Phase<C> = {
      name: 'awaiting-message-2',
      handshake,
      contact: candidate.contact
    }
    return {
      machine: new LinkMachine<C>(components, init, phase, nowMs),
      firstBytes: handshake.message1
    }
  }

  /** Noise's handshake hash, the same on both sides; empty before there is one. */
  get handshakeHash(): Uint8Array {
    return this.#handshakeHash
  }

  /** When to send the next `tick`, monotonic milliseconds; Infinity once ended. */
  get wakeAtMs(): number {
    return this.#phase.name === 'ended'
      ? Infinity
      : Math.min(this.#deadlineMs, this.#keepAliveAtMs, this.#rekeyAtMs)
  }

  step(event: LinkEvent, nowMs: number): readonly LinkEffect<C>[] {
    if (this.#phase.name === 'ended') return []
    switch (event.type) {
      case 'received':
        return this.#received(event.bytes, nowMs)
      case 'send':
        return this.#send(event.payload)
      case 'tick':
        return this.#tick(nowMs)
      case 'disconnected':
        return [this.#end('disconnected')]
      case 'bye':
        return this.#sender
          ? [
              this.#write(this.#sender.payload(encodePayload({ kind: 'bye' }))),
              this.#end('own-bye')
            ]
          : [this.#end('own-bye')]
    }
  }

  /** Nothing of the user's goes out before the other side has shown that it holds the keys. */
  #send(payload: Payload): readonly LinkEffect<C>[] {
    if (!this.#sender || this.#phase.name !== 'open') return []
    const bytes = encodePayload(payload)
    return bytes.length > maxPayloadBytes ? [] : [this.#write(this.#sender.payload(bytes))]
  }

  #received(bytes: Uint8Array, nowMs: number): readonly LinkEffect<C>[] {
    switch (this.#phase.name) {
      case 'awaiting-message-1':
        return this.#takeMessage(bytes, handshakeMessage1Bytes, (message, rest) =>
          this.#answer(message, rest, nowMs)
        )
      case 'awaiting-message-2':
        return this.#takeMessage(bytes, handshakeMessage2Bytes, (message, rest) =>
          this.#finish(message, rest, nowMs)
        )
      default:
        return this.#receiveFrames(bytes, nowMs)
    }
  }

  #takeMessage(
    bytes: Uint8Array,
    length: number,
    use: (message: Uint8Array, rest: Uint8Array) => readonly LinkEffect<C>[]
  ): readonly LinkEffect<C>[] {
    this.#handshakeBytes = concat(this.#handshakeBytes, bytes)
    if (this.#handshakeBytes.length < length) return []
    const all = this.#handshakeBytes
    this.#handshakeBytes = empty
    return use(all.subarray(0, length), all.subarray(length))
  }

  #answer(message1: Uint8Array, rest: Uint8Array, nowMs: number): readonly LinkEffect<C>[] {
    if (this.#phase.name !== 'awaiting-message-1') return []
    const candidate = recognise(message1, this.#phase.candidates())
    const answer =
      candidate &&
      answerHandshake(
        message1,
        { own: this.#own, onionKey: this.#onionKey, peer: candidate.peer, keys: candidate.keys },
        this.#random
      )
    // The initiator may not speak before message 2, so whatever follows message 1 at once is not from one of us.
    if (!answer || rest.length > 0) return [this.#end('rejected')]
    this.#phase = { name: 'awaiting-confirmation', contact: candidate.contact }
    this.#useKeys(answer.linkKeys, nowMs)
    this.#deadlineMs = nowMs + handshakeTimeoutMs
    return [this.#write(answer.message2)]
  }

  #finish(message2: Uint8Array, rest: Uint8Array, nowMs: number): readonly LinkEffect<C>[] {
    if (this.#phase.name !== 'awaiting-message-2') return []
    const { handshake, contact } = this.#phase
    const linkKeys = handshake.finish(message2)
    if (!linkKeys) return [this.#end('rejected')]
    this.#useKeys(linkKeys, nowMs)
    return [...this.#open(contact, nowMs), ...this.#receiveFrames(rest, nowMs)]
  }

  #useKeys(linkKeys: LinkKeys, nowMs: number): void {
    this.#sender = new FrameSender(linkKeys.send)
    this.#receiver = new FrameReceiver(linkKeys.receive)
    wipe(linkKeys.send)
    wipe(linkKeys.receive)
    this.#handshakeHash = linkKeys.handshakeHash
    this.#rekeyAtMs = nowMs + rekeyIntervalMs
  }

  /** The greeting is the first frame: for the initiator it is also the confirmation that the responder waits for. */
  #open(contact: C, nowMs: number): readonly LinkEffect<C>[] {
    this.#phase = { name: 'open' }
    this.#deadlineMs = nowMs + silenceTimeoutMs
    this.#keepAliveAtMs = this.#nextKeepAlive(nowMs)
    const greeting = this.#sender?.payload(encodePayload(this.#greeting())) ?? empty
    return [this.#write(greeting), { type: 'established', contact }]
  }

  #receiveFrames(bytes: Uint8Array, nowMs: number): readonly LinkEffect<C>[] {
    if (bytes.length === 0) return []
    const frames = this.#receiver?.receive(bytes)
    if (!frames) return [this.#end(this.#phase.name === 'open' ? 'invalid' : 'rejected')]
    if (frames.length === 0) return []
    const effects: LinkEffect<C>[] = []
    if (this.#phase.name === 'awaiting-confirmation')
      effects.push(...this.#open(this.#phase.contact, nowMs))
    this.#deadlineMs = nowMs + silenceTimeoutMs
    for (const frame of frames) {
      if (frame.kind === 'keep-alive') continue
      const payload = decodePayload(frame.payload)
      if (!payload) return [...effects, this.#end('invalid')]
      if (payload.kind === 'bye') return [...effects, this.#end('peer-bye')]
      if (payload.kind !== 'unknown') effects.push({ type: 'payload', payload })
    }
    return effects
  }

  #tick(nowMs: number): readonly LinkEffect<C>[] {
    if (nowMs >= this.#deadlineMs)
      return [this.#end(this.#phase.name === 'open' ? 'silence' : 'rejected')]
    if (!this.#sender || this.#phase.name !== 'open') return []
    const effects: LinkEffect<C>[] = []
    if (nowMs >= this.#rekeyAtMs) {
      this.#rekeyAtMs = nowMs + rekeyIntervalMs
      effects.push(this.#write(this.#sender.rekey()))
    }
    if (nowMs >= this.#keepAliveAtMs) {
      this.#keepAliveAtMs = this.#nextKeepAlive(nowMs)
      effects.push(this.#write(this.#sender.keepAlive()))
    }
    return effects
  }

  #nextKeepAlive(nowMs: number): number {
    const [a = 0, b = 0] = this.#random.bytes(2)
    return (
      nowMs + keepAliveMs.from + ((a << 8) | b) * ((keepAliveMs.to - keepAliveMs.from) / 0xffff)
    )
  }

  #write(bytes: Uint8Array): LinkEffect<C> {
    return { type: 'write', bytes }
  }

  #end(reason: LinkEnd): LinkEffect<C> {
    this.#phase = { name: 'ended' }
    this.#sender?.wipe()
    this.#receiver?.wipe()
    this.#sender = undefined
    this.#receiver = undefined
    return { type: 'ended', reason }
  }
}
