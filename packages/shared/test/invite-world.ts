import {
  GuestMachine,
  InviterMachine,
  compareBytes,
  concat,
  createInvite,
  decideInviteUse,
  deriveInviteKeys,
  epochAt,
  utf8
} from '@hushlamp/shared'
import type {
  Certificate,
  EpochKeys,
  GuestEffect,
  GuestEvent,
  Identity,
  Invite,
  InviterEffect,
  InviterEvent,
  PairStanding
} from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

export const moment = 1_800_000_000
export const onionKey = testSecret('invite onion')
export const mainOnionKey = testSecret('main onion')

/** Somebody with an invite of their own and what they keep on their disk. */
export interface Person {
  readonly name: string
  readonly identity: Identity
  readonly invite: Invite
  readonly keys: EpochKeys
  usedBy: Uint8Array | undefined
  readonly contacts: Map<string, Uint8Array>
  readonly pending: Map<string, Uint8Array>
  readonly silentTo: Set<string>
}

export function person(name: string): Person {
  const identity = testIdentity(name)
  const invite = createInvite(identity, seededRandom(`${name}/invite`), moment)
  const keys = deriveInviteKeys(invite)
  return {
    name,
    identity,
    invite,
    keys: keys.epochKeys(epochAt(moment, keys.offsetSeconds)),
    usedBy: undefined,
    contacts: new Map(),
    pending: new Map(),
    silentTo: new Set()
  }
}

/** Stands for a certificate: the name alone. */
export function certificateBytes(name: string): Uint8Array {
  return utf8(`certificate of ${name}`)
}

function readTestCertificate(
  bytes: Uint8Array,
  people: readonly Person[]
): Certificate | undefined {
  const owner = people.find(({ name }) => compareBytes(certificateBytes(name), bytes) === 0)
  return owner && { identity: owner.identity, name: owner.name, bytes }
}

/** One use of an invite: both machines, what is under way between them and what each has still to do. */
export interface Session {
  readonly guest: Person
  readonly inviter: Person
  guestMachine: GuestMachine | undefined
  inviterMachine: InviterMachine<string> | undefined
  readonly toInviter: Uint8Array[]
  readonly toGuest: Uint8Array[]
  readonly guestTodo: GuestEffect[]
  readonly inviterTodo: InviterEffect<string>[]
  /** Everything that the guest ever sent. */
  sent: Uint8Array
}

/** People who use each other's invites over links that may be cut and computers that may stop at any moment. */
export class InviteWorld {
  readonly people: readonly Person[]
  readonly sessions: Session[] = []
  /** Who was told to be accepted, by whom. */
  readonly accepted: { readonly guest: string; readonly inviter: string }[] = []
  readonly #random = seededRandom('invite world')

  constructor(people: readonly Person[]) {
    this.people = people
  }

  open(guest: Person, inviter: Person): Session {
    const started = GuestMachine.start(
      { random: this.#random },
      {
        own: guest.identity,
        ownCertificate: certificateBytes(guest.name),
        invite: inviter.invite,
        keys: inviter.keys,
        onionKey
      },
      0
    )
    if (!started) throw new Error('unusable test key')
    const session: Session = {
      guest,
      inviter,
      guestMachine: started.machine,
      inviterMachine: this.answeringMachine(inviter),
      toInviter: [started.firstBytes],
      toGuest: [],
      guestTodo: [],
      inviterTodo: [],
      sent: started.firstBytes
    }
    this.sessions.push(session)
    return session
  }

  answeringMachine(inviter: Person): InviterMachine<string> {
    return new InviterMachine(
      { random: this.#random },
      {
        own: inviter.identity,
        ownCertificate: certificateBytes(inviter.name),
        onionKey,
        candidates: () => [{ handle: inviter.name, invite: inviter.invite, keys: inviter.keys }],
        mainOnionKey: () => mainOnionKey
      },
      0
    )
  }

  tellGuest(session: Session, event: GuestEvent): void {
    session.guestTodo.push(...(session.guestMachine?.step(event, 0) ?? []))
  }

  tellInviter(session: Session, event: InviterEvent): void {
    session.inviterTodo.push(...(session.inviterMachine?.step(event, 0) ?? []))
  }

  deliverToInviter(session: Session): void {
    const bytes = session.toInviter.shift()
    if (bytes) this.tellInviter(session, { type: 'received', bytes })
  }

  deliverToGuest(session: Session): void {
    const bytes = session.toGuest.shift()
    if (bytes) this.tellGuest(session, { type: 'received', bytes })
  }

  /** Carries out the guest's next effect. */
  guestActs(session: Session): void {
    const effect = session.guestTodo.shift()
    const { guest, inviter } = session
    switch (effect?.type) {
      case 'write':
        session.toInviter.push(effect.bytes)
        session.sent = concat(session.sent, effect.bytes)
        break
      case 'store-pending': {
        const pairSecret = guest.contacts.get(inviter.name)
        if (!pairSecret) guest.pending.set(inviter.name, inviter.invite.secret)
        this.tellGuest(session, { type: 'pending-stored', ...(pairSecret && { pairSecret }) })
        break
      }
      case 'read-certificate': {
        const certificate = readTestCertificate(effect.bytes, this.people)
        this.tellGuest(session, { type: 'certificate-read', certificate })
        break
      }
      case 'accepted':
        guest.contacts.set(inviter.name, effect.pairSecret)
        guest.pending.delete(inviter.name)
        this.accepted.push({ guest: guest.name, inviter: inviter.name })
        this.tellGuest(session, { type: 'contact-stored' })
        break
      case 'ended':
        this.tellInviter(session, { type: 'disconnected' })
        break
      case undefined:
    }
  }

  /** Carries out the inviter's next effect; reading, deciding and storing are one transaction. */
  inviterActs(session: Session): void {
    const effect = session.inviterTodo.shift()
    const { inviter } = session
    switch (effect?.type) {
      case 'write':
        session.toGuest.push(effect.bytes)
        break
      case 'read-certificate': {
        const certificate = readTestCertificate(effect.bytes, this.people)
        this.tellInviter(session, { type: 'certificate-read', certificate })
        break
      }
      case 'commit-use': {
        const { certificate, guestPairSecret } = effect
        const standing = standingOf(inviter, certificate.name)
        const attempt = {
          invite: inviter.invite,
          usedBy: inviter.usedBy,
          standing,
          guestPairSecret
        }
        const use = decideInviteUse({ ...attempt, guest: certificate.identity }, moment)
        if (use) {
          inviter.usedBy = use.guestId
          inviter.contacts.set(certificate.name, use.pairSecret)
          inviter.pending.delete(certificate.name)
          this.tellInviter(session, { type: 'use-committed', pairSecret: use.pairSecret })
        } else this.tellInviter(session, { type: 'use-refused' })
        break
      }
      case 'ended':
        this.tellGuest(session, { type: 'disconnected' })
        break
      case undefined:
    }
  }

  cut(session: Session): void {
    session.toGuest.length = 0
    session.toInviter.length = 0
    this.tellGuest(session, { type: 'disconnected' })
    this.tellInviter(session, { type: 'disconnected' })
  }

  /** The computer stops: only what is on the disk stays. */
  crash(stopped: Person): void {
    for (const session of this.sessions) {
      if (session.guest === stopped) {
        session.guestMachine = undefined
        session.guestTodo.length = 0
      }
      if (session.inviter === stopped) {
        session.inviterMachine = undefined
        session.inviterTodo.length = 0
      }
      if (session.guest === stopped || session.inviter === stopped) this.cut(session)
    }
  }

  /** Somebody who recorded a session sends all of it again. */
  replay(session: Session): void {
    const again: Session = {
      ...session,
      guestMachine: undefined,
      inviterMachine: this.answeringMachine(session.inviter),
      toInviter: [session.sent],
      toGuest: [],
      guestTodo: [],
      inviterTodo: []
    }
    this.settle(again)
  }

  /** Everything under way arrives and is done. */
  settle(session: Session): void {
    for (let round = 0; round < 100; round++) {
      const { toInviter, toGuest, guestTodo, inviterTodo } = session
      if ([toInviter, toGuest, guestTodo, inviterTodo].every((queue) => queue.length === 0)) return
      this.deliverToInviter(session)
      this.inviterActs(session)
      this.deliverToGuest(session)
      this.guestActs(session)
    }
    throw new Error('a session does not come to rest')
  }
}

function standingOf(owner: Person, other: string): PairStanding {
  const contact = owner.contacts.get(other)
  const pending = owner.pending.get(other)
  if (owner.silentTo.has(other)) return { type: 'silent' }
  if (contact) return { type: 'contact', pairSecret: contact }
  return pending ? { type: 'pending', pairSecret: pending } : { type: 'stranger' }
}
