import type { Duplex } from 'node:stream'

import { LinkMachine, base64, compareBytes } from '@hushlamp/shared'
import type { Clock, Identity, LinkCandidate, LinkEnd, Payload, Random } from '@hushlamp/shared'

import type { ContactId } from '../contacts/contact-book.ts'
import type { ContactKeys } from '../contacts/contact-keys.ts'
import { linkPort } from '../presence/own-onion.ts'
import type { OnStage } from '../stage-timing.ts'
import type { TorProvider } from '../tor/tor-provider.ts'
import { choosesNewLink } from './link-choice.ts'
import type { LinkAge } from './link-choice.ts'
import { LinkConnection } from './link-connection.ts'

/** Deadline of one attempt to reach a contact's onion service. Tor's own is two minutes. */
const dialDeadlineMs = 15_000
const dialAttempts = 3
const pauseBetweenDialsMs = 1_000

/** What {@link ContactLinks} need. */
export interface ContactLinksComponents {
  readonly tor: TorProvider
  readonly clock: Clock
  readonly random: Random
  readonly onStage: OnStage
}

/** What {@link ContactLinks} tell. */
export interface ContactLinksListener {
  /** What a new link says first. */
  greeting(): Payload
  dialling(contact: ContactId): void
  dialFailed(contact: ContactId): void
  linked(contact: ContactId, send: (payload: Payload) => void): void
  payload(contact: ContactId, payload: Payload): void
  /** The contact is gone: it logged out (`peer-bye`), or the link broke. */
  unlinked(contact: ContactId, reason: LinkEnd): void
}

interface Established extends LinkAge {
  readonly connection: LinkConnection<ContactId>
}

/** More links with one contact at a time than this make the oldest give way. */
const maxLinksPerContact = 3

/**
 * One live link per contact, whoever began it. Where two are established at once, the side with the lower fingerprint
 * decides which one stays, and it alone: if both sides decided, each could drop the link that the other one keeps. The
 * other side uses the newest that it has.
 */
export class ContactLinks {
  readonly #components: ContactLinksComponents
  readonly #own: Identity
  readonly #listener: ContactLinksListener
  readonly #keys = new Map<ContactId, ContactKeys>()
  /** Links of each contact, in the order in which they were established; the last is in use. */
  readonly #established = new Map<ContactId, readonly Established[]>()
  readonly #connections = new Set<LinkConnection<ContactId>>()
  readonly #dialling = new Set<ContactId>()
  readonly #closing = new AbortController()

  constructor(components: ContactLinksComponents, own: Identity, listener: ContactLinksListener) {
    this.#components = components
    this.#own = own
    this.#listener = listener
  }

  /** From now on the contact may dial and be dialled. */
  add(contact: ContactId, keys: ContactKeys): void {
    this.#keys.set(contact, keys)
  }

  /** Whether a link with the contact is up. */
  isLinked(contact: ContactId): boolean {
    return this.#established.has(contact)
  }

  /** Sends a payload to every linked contact. */
  broadcast(payload: Payload): void {
    for (const links of this.#established.values()) links.at(-1)?.connection.send(payload)
  }

  /** Takes a stream that somebody opened to our onion service; `first` was read from it already. */
  accept(stream: Duplex, first: Uint8Array, onionKey: Uint8Array): void {
    const { clock, random } = this.#components
    const begunAtMs = clock.monotonicMs()
    const machine = LinkMachine.respond<ContactId>(
      { random },
      {
        own: this.#own,
        onionKey,
        candidates: () => this.#candidates(),
        greeting: () => this.#listener.greeting()
      },
      begunAtMs
    )
    stream.unshift(first)
    this.#connect({ machine, stream, outgoing: false, begunAtMs })
  }

  /** Reaches for a contact, unless there is a link or an attempt already. Reports by the listener, never rejects. */
  async dial(contact: ContactId, onionKey: Uint8Array): Promise<void> {
    const keys = this.#keys.get(contact)
    if (!keys || this.#dialling.has(contact) || this.isLinked(contact)) return
    this.#dialling.add(contact)
    this.#listener.dialling(contact)
    try {
      for (let attempt = 0; attempt < dialAttempts && this.#wants(contact); attempt++) {
        if (attempt > 0) await this.#pause(pauseBetweenDialsMs)
        if (this.#wants(contact) && (await this.#dialOnce(contact, keys, onionKey))) return
      }
    } finally {
      this.#dialling.delete(contact)
    }
    if (this.#wants(contact)) this.#listener.dialFailed(contact)
  }

  /** Logs out from every contact and ends all streams. */
  close(): void {
    this.#closing.abort()
    for (const connection of this.#connections) connection.bye()
  }

  #wants(contact: ContactId): boolean {
    return !this.#closing.signal.aborted && !this.isLinked(contact)
  }

  async #dialOnce(contact: ContactId, keys: ContactKeys, onionKey: Uint8Array): Promise<boolean> {
    const { clock, random, tor, onStage } = this.#components
    const begunAtMs = clock.monotonicMs()
    const candidate = {
      contact,
      peer: keys.peer,
      keys: keys.inward.current(clock.unixSeconds())
    }
    const init = {
      own: this.#own,
      onionKey,
      candidate,
      greeting: (): Payload => this.#listener.greeting()
    }
    const started = LinkMachine.initiate<ContactId>({ random }, init, begunAtMs)
    if (!started) return false
    const circuit = { username: `link-${base64(random.bytes(12))}`, password: 'x' }
    let stream: Duplex
    try {
      stream = await tor.connect({ kind: 'onion', publicKey: onionKey, port: linkPort }, circuit, {
        deadlineMs: dialDeadlineMs,
        initialData: started.firstBytes,
        signal: this.#closing.signal
      })
    } catch {
      // Not reachable now: what to do next is the caller's and the schedule's decision.
      return false
    }
    const connectedAtMs = clock.monotonicMs()
    onStage('onion-connect', connectedAtMs - begunAtMs)
    const established = await new Promise<boolean>((resolve) => {
      this.#connect({ machine: started.machine, stream, outgoing: true, begunAtMs }, resolve)
    })
    if (established) onStage('handshake', clock.monotonicMs() - connectedAtMs)
    return established
  }

  #connect(
    init: {
      readonly machine: LinkMachine<ContactId>
      readonly stream: Duplex
      readonly outgoing: boolean
      readonly begunAtMs: number
    },
    onOutcome: (established: boolean) => void = () => undefined
  ): void {
    const connection = new LinkConnection<ContactId>(this.#components, init, {
      established: (link, contact) => {
        this.#add(link, contact)
        onOutcome(true)
      },
      payload: (link, payload) => {
        if (link.contact !== undefined) this.#listener.payload(link.contact, payload)
      },
      ended: (link, reason) => {
        this.#ended(link, reason)
        onOutcome(false)
      }
    })
    this.#connections.add(connection)
  }

  #add(connection: LinkConnection<ContactId>, contact: ContactId): void {
    const { outgoing, begunAtMs } = connection
    const establishedAtMs = this.#components.clock.monotonicMs()
    const added: Established = { connection, outgoing, begunAtMs, establishedAtMs }
    const former = this.#established.get(contact) ?? []
    const inUse = former.at(-1)
    const decides = this.#decides(contact)
    if (inUse && decides && !choosesNewLink(inUse, added)) {
      connection.drop()
      return
    }
    const kept = decides ? [] : former.slice(1 - maxLinksPerContact)
    this.#established.set(contact, [...kept, added])
    for (const link of former) if (!kept.includes(link)) link.connection.drop()
    this.#use(contact, connection)
  }

  #ended(connection: LinkConnection<ContactId>, reason: LinkEnd): void {
    this.#connections.delete(connection)
    const { contact } = connection
    const links = contact === undefined ? undefined : this.#established.get(contact)
    const ended = links?.find((link) => link.connection === connection)
    if (contact === undefined || !links || !ended) return
    const left = reason === 'peer-bye' ? [] : links.filter((link) => link !== ended)
    const next = left.at(-1)
    if (next) {
      this.#established.set(contact, left)
      if (links.at(-1) === ended) this.#use(contact, next.connection)
      return
    }
    this.#established.delete(contact)
    this.#listener.unlinked(contact, reason)
    for (const link of links) if (link !== ended) link.connection.drop()
  }

  #use(contact: ContactId, connection: LinkConnection<ContactId>): void {
    this.#listener.linked(contact, (payload) => {
      connection.send(payload)
    })
  }

  /** Whether it is ours to decide between two links. */
  #decides(contact: ContactId): boolean {
    const peer = this.#keys.get(contact)?.peer
    return peer !== undefined && compareBytes(this.#own.fingerprint, peer.fingerprint) < 0
  }

  #candidates(): readonly LinkCandidate<ContactId>[] {
    const now = this.#components.clock.unixSeconds()
    return [...this.#keys].flatMap(([contact, { peer, outward }]) =>
      outward.aroundNow(now).map((keys) => ({ contact, peer, keys }))
    )
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#components.clock.after(ms, resolve)
    })
  }
}
