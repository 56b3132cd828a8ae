import type { Certificate } from '../identity/certificate.ts'
import { compareBytes } from '../crypto/bytes.ts'
import type { Identity } from '../identity/identity.ts'
import type { Invite } from '../identity/invite.ts'
import type { Machine, Random } from '../ports.ts'
import type { EpochKeys } from '../presence/pair-keys.ts'
import { handshakeMessage1Bytes, recognise } from './handshake.ts'
import { FixedMessage, InviteChannel } from './invite-channel.ts'
import type { InviteEnd } from './invite-channel.ts'
import { answerInvite, inviteMessage3Bytes } from './invite-handshake.ts'
import type { AnsweredInvite } from './invite-handshake.ts'
import type { JoinPayload } from './invite-payload.ts'
import { handshakeTimeoutMs } from './link-machine.ts'

/** An open invite with its keys of one epoch. The machine hands `handle` back, it never looks into it. */
export interface InviteCandidate<H> {
  readonly handle: H
  readonly invite: Invite
  readonly keys: EpochKeys
}

/** How the inviter's side starts. */
export interface InviterInit<H> {
  readonly own: Identity
  /** The own certificate, binary, with the keys of `own`. */
  readonly ownCertificate: Uint8Array
  /** Public key of the invite's onion service that was dialled. */
  readonly onionKey: Uint8Array
  /** Invites that are open now, in epochs e−1, e and e+1, used ones included. Asked when message 1 is there. */
  readonly candidates: () => Iterable<InviteCandidate<H>>
  /** Public key of the main onion service, if it is up: told to nobody but an accepted guest. */
  readonly mainOnionKey: () => Uint8Array | undefined
}

/** What happens to the inviter's side. */
export type InviterEvent =
  | { readonly type: 'received'; readonly bytes: Uint8Array }
  | { readonly type: 'tick' }
  | { readonly type: 'disconnected' }
  /** What `readCertificate` made of the bytes; undefined where it refused them. */
  | { readonly type: 'certificate-read'; readonly certificate: Certificate | undefined }
  /** Contact and use are on the disk. */
  | { readonly type: 'use-committed'; readonly pairSecret: Uint8Array }
  /** `decideInviteUse` said no, or nothing could be stored. */
  | { readonly type: 'use-refused' }

/** What the inviter's side is to do, in order. */
export type InviterEffect<H> =
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** Read the guest's certificate and answer `certificate-read`. */
  | { readonly type: 'read-certificate'; readonly bytes: Uint8Array }
  /**
   * In one transaction: `decideInviteUse`, then store the contact with its secret and who has used the invite. Then
   * answer `use-committed` or `use-refused`.
   */
  | {
      readonly type: 'commit-use'
      readonly handle: H
      readonly certificate: Certificate
      readonly guestPairSecret: Uint8Array | undefined
    }
  | { readonly type: 'ended'; readonly reason: InviteEnd }

type Phase<H> =
  | { readonly name: 'awaiting-message-1'; readonly message1: FixedMessage }
  | {
      readonly name: 'awaiting-message-3'
      readonly answered: AnsweredInvite
      readonly message3: FixedMessage
      readonly handle: H
    }
  | { readonly name: 'awaiting-join'; readonly guestKey: Uint8Array; readonly handle: H }
  | {
      readonly name: 'reading-certificate'
      readonly guestKey: Uint8Array
      readonly handle: H
      readonly join: JoinPayload
    }
  | { readonly name: 'committing' }
  | { readonly name: 'awaiting-bye' }
  | { readonly name: 'ended' }

/**
 * The side of whoever made an invite: one connection to the invite's onion service, from the first byte to the answer.
 * `now` is monotonic milliseconds. Whatever goes wrong, the guest sees the stream end and nothing else.
 */
export class InviterMachine<H> implements Machine<InviterEvent, InviterEffect<H>> {
  readonly #random: Random
  readonly #init: InviterInit<H>
  #phase: Phase<H> = {
    name: 'awaiting-message-1',
    message1: new FixedMessage(handshakeMessage1Bytes)
  }
  #channel: InviteChannel | undefined
  #deadlineMs: number

  /** Waits for message 1. */
  constructor(components: { readonly random: Random }, init: InviterInit<H>, nowMs: number) {
    this.#random = components.random
    this.#init = init
    this.#deadlineMs = nowMs + handshakeTimeoutMs
  }

  /** When to send the next `tick`, monotonic milliseconds; Infinity while the other side is not waited for. */
  get wakeAtMs(): number {
    return this.#awaitsPeer ? this.#deadlineMs : Infinity
  }

  step(event: InviterEvent, nowMs: number): readonly InviterEffect<H>[] {
    if (this.#phase.name === 'ended') return []
    switch (event.type) {
      case 'received':
        return this.#received(event.bytes, nowMs)
      case 'certificate-read':
        return this.#checkGuest(event.certificate)
      case 'use-committed':
        return this.#accept(event.pairSecret, nowMs)
      case 'use-refused':
        return this.#phase.name === 'committing' ? [this.#end('rejected')] : []
      case 'tick':
        return this.#awaitsPeer && nowMs >= this.#deadlineMs ? [this.#end('timeout')] : []
      case 'disconnected':
        return [this.#end('disconnected')]
    }
  }

  get #awaitsPeer(): boolean {
    return !['reading-certificate', 'committing', 'ended'].includes(this.#phase.name)
  }

  #received(bytes: Uint8Array, nowMs: number): readonly InviterEffect<H>[] {
    const phase = this.#phase
    switch (phase.name) {
      case 'awaiting-message-1': {
        const taken = phase.message1.take(bytes)
        return taken ? this.#answer(taken.message, taken.rest, nowMs) : []
      }
      case 'awaiting-message-3': {
        const taken = phase.message3.take(bytes)
        return taken ? this.#finish(phase, taken.message, taken.rest) : []
      }
      case 'awaiting-join':
      case 'awaiting-bye':
        return this.#receivePayloads(bytes)
      default:
        // A guest has nothing to say before it has an answer.
        return [this.#end('invalid')]
    }
  }

  #answer(message1: Uint8Array, rest: Uint8Array, nowMs: number): readonly InviterEffect<H>[] {
    const candidate = recognise(message1, this.#init.candidates())
    const answered =
      candidate &&
      rest.length === 0 &&
      answerInvite(
        message1,
        {
          inviter: candidate.invite.inviter,
          expires: candidate.invite.expires,
          keys: candidate.keys,
          onionKey: this.#init.onionKey
        },
        this.#init.own.agreement,
        this.#random
      )
    if (!answered) return [this.#end('rejected')]
    const message3 = new FixedMessage(inviteMessage3Bytes)
    this.#phase = { name: 'awaiting-message-3', answered, message3, handle: candidate.handle }
    this.#deadlineMs = nowMs + handshakeTimeoutMs
    return [{ type: 'write', bytes: answered.message2 }]
  }

  #finish(
    { answered, handle }: { readonly answered: AnsweredInvite; readonly handle: H },
    message3: Uint8Array,
    rest: Uint8Array
  ): readonly InviterEffect<H>[] {
    const finished = answered.finish(message3)
    if (!finished) return [this.#end('rejected')]
    this.#channel = new InviteChannel(finished.linkKeys)
    this.#phase = { name: 'awaiting-join', guestKey: finished.guestKey, handle }
    return this.#receivePayloads(rest)
  }

  #receivePayloads(bytes: Uint8Array): readonly InviterEffect<H>[] {
    const payloads = this.#channel?.open(bytes)
    if (!payloads || payloads.length > 1) return [this.#end('invalid')]
    const [payload] = payloads
    if (!payload) return []
    if (this.#phase.name === 'awaiting-bye' && payload.kind === 'bye')
      return [this.#end('completed')]
    if (this.#phase.name !== 'awaiting-join' || payload.kind !== 'join')
      return [this.#end('invalid')]
    const { guestKey, handle } = this.#phase
    this.#phase = { name: 'reading-certificate', guestKey, handle, join: payload }
    return [{ type: 'read-certificate', bytes: payload.certificate }]
  }

  /** The certificate must be that of the static key which the handshake has proved. */
  #checkGuest(certificate: Certificate | undefined): readonly InviterEffect<H>[] {
    if (this.#phase.name !== 'reading-certificate') return []
    const { guestKey, handle, join } = this.#phase
    if (!certificate || compareBytes(certificate.identity.presenceKey, guestKey) !== 0)
      return [this.#end('invalid')]
    this.#phase = { name: 'committing' }
    return [{ type: 'commit-use', handle, certificate, guestPairSecret: join.pairSecret }]
  }

  #accept(pairSecret: Uint8Array, nowMs: number): readonly InviterEffect<H>[] {
    if (this.#phase.name !== 'committing' || !this.#channel) return []
    this.#phase = { name: 'awaiting-bye' }
    this.#deadlineMs = nowMs + handshakeTimeoutMs
    const onionKey = this.#init.mainOnionKey()
    const certificate = this.#init.ownCertificate
    const bytes = this.#channel.seal({
      kind: 'accepted',
      certificate,
      pairSecret,
      ...(onionKey && { onionKey })
    })
    return [{ type: 'write', bytes }]
  }

  #end(reason: InviteEnd): InviterEffect<H> {
    this.#phase = { name: 'ended' }
    this.#channel?.wipe()
    this.#channel = undefined
    return { type: 'ended', reason }
  }
}
