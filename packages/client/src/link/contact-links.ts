import type { Duplex } from 'node:stream'

import { LinkMachine, LinkSelection, base64, compareBytes } from '@hushlamp/shared'
import type {
  Clock,
  Identity,
  LinkCandidate,
  LinkEnd,
  LinkSelectionEvent,
  Payload,
  Random
} from '@hushlamp/shared'

import type { ContactId } from '../contacts/contact-book.ts'
import type { ContactKeys } from '../contacts/contact-keys.ts'
import { linkPort } from '../presence/own-onion.ts'
import type { OnStage } from '../stage-timing.ts'
import type { TorProvider } from '../tor/tor-provider.ts'
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

/** One live link per contact, whoever began it: the shell around a {@link LinkSelection} for each. */
export class ContactLinks {
  readonly #components: ContactLinksComponents
  readonly #own: Identity
  readonly #listener: ContactLinksListener
  readonly #keys = new Map<ContactId, ContactKeys>()
  readonly #selections = new Map<ContactId, LinkSelection<LinkConnection<ContactId>>>()
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
    const decides = compareBytes(this.#own.fingerprint, keys.peer.fingerprint) < 0
    this.#selections.set(contact, new LinkSelection({ decides }))
  }

  /** Whether a link with the contact is up. */
  isLinked(contact: ContactId): boolean {
    return this.#selections.get(contact)?.inUse !== undefined
  }

  /** Sends a payload to every linked contact. */
  broadcast(payload: Payload): void {
    for (const { inUse } of this.#selections.values()) inUse?.send(payload)
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
        const { outgoing, begunAtMs } = link
        this.#select(contact, { type: 'established', link, outgoing, begunAtMs })
        onOutcome(true)
      },
      payload: (link, payload) => {
        if (link.contact !== undefined) this.#listener.payload(link.contact, payload)
      },
      ended: (link, reason) => {
        this.#connections.delete(link)
        if (link.contact !== undefined) this.#select(link.contact, { type: 'ended', link, reason })
        onOutcome(false)
      }
    })
    this.#connections.add(connection)
  }

  #select(contact: ContactId, event: LinkSelectionEvent<LinkConnection<ContactId>>): void {
    const selection = this.#selections.get(contact)
    for (const effect of selection?.step(event, this.#components.clock.monotonicMs()) ?? []) {
      switch (effect.type) {
        case 'use':
          this.#listener.linked(contact, (payload) => {
            effect.link.send(payload)
          })
          break
        case 'drop':
          effect.link.drop()
          break
        case 'gone':
          this.#listener.unlinked(contact, effect.reason)
      }
    }
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
