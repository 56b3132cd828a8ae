import type { Certificate } from '../identity/certificate.ts'
import { sameIdentity } from '../identity/identity.ts'
import type { Identity } from '../identity/identity.ts'
import type { Invite } from '../identity/invite.ts'
import type { Machine, Random } from '../ports.ts'
import type { EpochKeys } from '../presence/pair-keys.ts'
import { handshakeMessage2Bytes } from './handshake.ts'
import { FixedMessage, InviteChannel } from './invite-channel.ts'
import type { InviteEnd } from './invite-channel.ts'
import { initiateInvite } from './invite-handshake.ts'
import type { InitiatedInvite } from './invite-handshake.ts'
import type { AcceptedPayload } from './invite-payload.ts'
import { handshakeTimeoutMs } from './link-machine.ts'

/** How the guest's side starts. */
export interface GuestInit {
  readonly own: Identity
  /** The own certificate, binary, with the keys of `own`. */
  readonly ownCertificate: Uint8Array
  readonly invite: Invite
  /** Keys of the invite in the epoch whose record was found. */
  readonly keys: EpochKeys
  /** Public key of the onion service that is dialled, from that record. */
  readonly onionKey: Uint8Array
}

/** What happens to the guest's side. */
export type GuestEvent =
  | { readonly type: 'received'; readonly bytes: Uint8Array }
  | { readonly type: 'tick' }
  | { readonly type: 'disconnected' }
  /**
   * The pending contact is on the disk. `pairSecret`: if the inviter was a contact already, the secret of that pair as it
   * was in the same transaction.
   */
  | { readonly type: 'pending-stored'; readonly pairSecret?: Uint8Array }
  /** What `readCertificate` made of the bytes; undefined where it refused them. */
  | { readonly type: 'certificate-read'; readonly certificate: Certificate | undefined }
  | { readonly type: 'contact-stored' }

/** What the guest's side is to do, in order. */
export type GuestEffect =
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /**
   * Store durably that this invite was used, unless it is stored already, and answer `pending-stored`: from now on the
   * inviter may have us as a contact. Until `accepted` try again; the pair's keys under the invite's secret are good for
   * lookups as well, so that a lost answer costs nothing even after the invite has expired.
   */
  | { readonly type: 'store-pending' }
  /** Read the inviter's certificate and answer `certificate-read`. */
  | { readonly type: 'read-certificate'; readonly bytes: Uint8Array }
  /** Turn the pending contact into a contact with this secret, in one batch, and answer `contact-stored`. */
  | {
      readonly type: 'accepted'
      readonly certificate: Certificate
      readonly pairSecret: Uint8Array
      readonly onionKey?: Uint8Array
    }
  | { readonly type: 'ended'; readonly reason: InviteEnd }

type Phase =
  | {
      readonly name: 'awaiting-message-2'
      readonly handshake: InitiatedInvite
      readonly message2: FixedMessage
    }
  | { readonly name: 'storing-pending'; readonly message3: Uint8Array }
  | { readonly name: 'awaiting-accepted' }
  | { readonly name: 'reading-certificate'; readonly accepted: AcceptedPayload }
  | { readonly name: 'storing-contact' }
  | { readonly name: 'ended' }

/**
 * The side of whoever uses an invite: handshake, pending contact, own certificate, answer. `now` is monotonic
 * milliseconds. It may be stopped and begun anew at any moment: the inviter gives the same guest the same answer.
 */
export class GuestMachine implements Machine<GuestEvent, GuestEffect> {
  readonly #init: GuestInit
  #phase: Phase
  #channel: InviteChannel | undefined
  #deadlineMs: number

  private constructor(init: GuestInit, handshake: InitiatedInvite, nowMs: number) {
    this.#init = init
    const message2 = new FixedMessage(handshakeMessage2Bytes)
    this.#phase = { name: 'awaiting-message-2', handshake, message2 }
    this.#deadlineMs = nowMs + handshakeTimeoutMs
  }

  /** Begins: `firstBytes` go out together with the request to connect. Undefined where the inviter's key is unusable. */
  static start(
    components: { readonly random: Random },
    init: GuestInit,
    nowMs: number
  ): { readonly machine: GuestMachine; readonly firstBytes: Uint8Array } | undefined {
    const { own, invite, keys, onionKey } = init
    const context = { inviter: invite.inviter, expires: invite.expires, keys, onionKey }
    const handshake = initiateInvite(context, own.agreement, components.random)
    return (
      handshake && {
        machine: new GuestMachine(init, handshake, nowMs),
        firstBytes: handshake.message1
      }
    )
  }

  /** When to send the next `tick`, monotonic milliseconds; Infinity while the other side is not waited for. */
  get wakeAtMs(): number {
    return this.#awaitsPeer ? this.#deadlineMs : Infinity
  }

  step(event: GuestEvent, nowMs: number): readonly GuestEffect[] {
    switch (event.type) {
      case 'received':
        return this.#received(event.bytes)
      case 'pending-stored':
        return this.#join(event.pairSecret, nowMs)
      case 'certificate-read':
        return this.#checkInviter(event.certificate)
      case 'contact-stored':
        return this.#phase.name === 'storing-contact'
          ? [...this.#write({ kind: 'bye' }), this.#end('completed')]
          : []
      case 'tick':
        return this.#awaitsPeer && nowMs >= this.#deadlineMs ? [this.#end('timeout')] : []
      case 'disconnected':
        // Once the answer is here, it counts whatever becomes of the stream.
        return this.#awaitsPeer || this.#phase.name === 'storing-pending'
          ? [this.#end('disconnected')]
          : []
    }
  }

  get #awaitsPeer(): boolean {
    return this.#phase.name === 'awaiting-message-2' || this.#phase.name === 'awaiting-accepted'
  }

  #received(bytes: Uint8Array): readonly GuestEffect[] {
    const phase = this.#phase
    switch (phase.name) {
      case 'awaiting-message-2': {
        const taken = phase.message2.take(bytes)
        return taken ? this.#finish(phase.handshake, taken.message, taken.rest) : []
      }
      case 'storing-pending':
        // The inviter may not speak before message 3.
        return [this.#end('invalid')]
      case 'awaiting-accepted':
        return this.#receivePayloads(bytes)
      default:
        return []
    }
  }

  #finish(
    handshake: InitiatedInvite,
    message2: Uint8Array,
    rest: Uint8Array
  ): readonly GuestEffect[] {
    const finished = rest.length === 0 ? handshake.finish(message2) : undefined
    if (!finished) return [this.#end('rejected')]
    this.#channel = new InviteChannel(finished.linkKeys)
    this.#phase = { name: 'storing-pending', message3: finished.message3 }
    return [{ type: 'store-pending' }]
  }

  #join(pairSecret: Uint8Array | undefined, nowMs: number): readonly GuestEffect[] {
    if (this.#phase.name !== 'storing-pending') return []
    const { message3 } = this.#phase
    this.#phase = { name: 'awaiting-accepted' }
    this.#deadlineMs = nowMs + handshakeTimeoutMs
    const certificate = this.#init.ownCertificate
    return [
      { type: 'write', bytes: message3 },
      ...this.#write({ kind: 'join', certificate, ...(pairSecret && { pairSecret }) })
    ]
  }

  #receivePayloads(bytes: Uint8Array): readonly GuestEffect[] {
    const payloads = this.#channel?.open(bytes)
    if (!payloads) return [this.#end('invalid')]
    const [accepted] = payloads
    if (!accepted) return []
    if (accepted.kind !== 'accepted') return [this.#end('invalid')]
    this.#phase = { name: 'reading-certificate', accepted }
    return [{ type: 'read-certificate', bytes: accepted.certificate }]
  }

  /** The invite says which keys the inviter has, the handshake has proved the presence key; the certificate must agree. */
  #checkInviter(certificate: Certificate | undefined): readonly GuestEffect[] {
    if (this.#phase.name !== 'reading-certificate') return []
    const { pairSecret, onionKey } = this.#phase.accepted
    if (!certificate || !sameIdentity(certificate.identity, this.#init.invite.inviter))
      return [this.#end('invalid')]
    this.#phase = { name: 'storing-contact' }
    return [{ type: 'accepted', certificate, pairSecret, ...(onionKey && { onionKey }) }]
  }

  #write(payload: Parameters<InviteChannel['seal']>[0]): readonly GuestEffect[] {
    return this.#channel ? [{ type: 'write', bytes: this.#channel.seal(payload) }] : []
  }

  #end(reason: InviteEnd): GuestEffect {
    this.#phase = { name: 'ended' }
    this.#channel?.wipe()
    this.#channel = undefined
    return { type: 'ended', reason }
  }
}
