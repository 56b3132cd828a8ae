import { EventEmitter } from 'node:events'

import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { Certificate, LinkEnd, Payload, PresencePayload, UnixSeconds } from '@hushlamp/shared'

import { ContactBook } from './contacts/contact-book.ts'
import type { Contact, ContactId } from './contacts/contact-book.ts'
import { ContactKeys } from './contacts/contact-keys.ts'
import { ContactLinks } from './link/contact-links.ts'
import { Mailbox } from './link/mailbox.ts'
import type { ReceivedMessage } from './link/mailbox.ts'
import { OwnOnion } from './presence/own-onion.ts'
import { PresenceService } from './presence/presence-service.ts'
import type {
  ContactPresence,
  EndpointEvents,
  EndpointInit,
  EndpointState
} from './endpoint-events.ts'
import { systemClock, systemRandom } from './system-ports.ts'

/** A lost link is dialled again after a random part of this. */
const redialSpreadMs = 3_000

interface Peer {
  readonly mailbox: Mailbox
  presence: ContactPresence
  /** Where the contact was reached or published last. */
  onionKey: Uint8Array | undefined
}

/**
 * One user in the network of friends: publishes where it can be reached, finds contacts, keeps one link with each and
 * delivers messages once. Everything goes through the {@link TorProvider}; nothing else opens a connection.
 */
export class Endpoint extends EventEmitter<EndpointEvents> implements AsyncDisposable {
  readonly contacts: ContactBook
  readonly #init: Required<EndpointInit>
  readonly #peers = new Map<ContactId, Peer>()
  readonly #links: ContactLinks
  readonly #presence: PresenceService
  readonly #onion: OwnOnion
  #availability: PresencePayload = { kind: 'presence', available: true }
  #state: EndpointState = 'starting'
  readonly #unsubscribe: () => void
  readonly #redials = new Set<() => void>()

  private constructor(init: Required<EndpointInit>, contacts: ContactBook, onion: OwnOnion) {
    super()
    this.#init = init
    this.contacts = contacts
    this.#onion = onion
    this.#links = new ContactLinks(init, init.identity.identity, {
      greeting: () => this.#availability,
      dialling: (contact) => {
        this.#show(contact, { state: 'connecting' })
      },
      dialFailed: (contact) => {
        this.#show(contact, { state: 'offline' })
        this.#presence.tell({ type: 'dial-failed', contact })
      },
      linked: (contact, send) => {
        this.#linked(contact, send)
      },
      payload: (contact, payload) => {
        this.#received(contact, payload)
      },
      unlinked: (contact, reason) => {
        this.#unlinked(contact, reason)
      }
    })
    this.#presence = new PresenceService(init, init.identity.identity, {
      found: (contact, onionKey) => {
        this.#dial(contact, onionKey)
      },
      missing: (contact) => {
        if (!this.#links.isLinked(contact)) this.#show(contact, { state: 'offline' })
      },
      failed: (error) => {
        this.#trouble(error)
      }
    })
    this.#unsubscribe = init.tor.onStatus((status) => {
      if (status.phase === 'lost' || status.phase === 'stopped') this.#lost()
    })
  }

  /**
   * Opens an endpoint on its storage and brings its onion service up. Fulfilled at once, with the endpoint `starting`;
   * the event `state` tells when it is `online`.
   */
  static async open(given: EndpointInit): Promise<Endpoint> {
    const init: Required<EndpointInit> = {
      clock: systemClock,
      random: systemRandom,
      onStage: () => undefined,
      ...given
    }
    const contacts = await ContactBook.open(init, init.identity.identity)
    const endpoint = new Endpoint(init, contacts, await OwnOnion.open(init))
    for (const contact of contacts.list()) await endpoint.#begin(contact)
    endpoint.#startOnion()
    return endpoint
  }

  /** How far the endpoint is. */
  get state(): EndpointState {
    return this.#state
  }

  /** Accepts a contact by certificate and begins to publish for it and to look for it. Errors: see {@link ContactBook.add}. */
  async addContact(certificate: Certificate, alias?: string): Promise<Contact> {
    const keys = new ContactKeys(this.#init.identity.identity, certificate.identity)
    const contact = await this.contacts.add(certificate, alias)
    await this.#begin(contact, keys)
    return contact
  }

  /** What is known of a contact. Throws `contact-unknown`. */
  presenceOf(contact: ContactId): ContactPresence {
    return this.#peer(contact).presence
  }

  /** What we show of ourselves to linked contacts. */
  setAvailability(availability: Omit<PresencePayload, 'kind'>): void {
    this.#availability = { kind: 'presence', ...availability }
    this.#links.broadcast(this.#availability)
  }

  /**
   * Takes a message for a contact. Fulfilled once it is on the disk; it is delivered once, when both are online. The event
   * `delivered` carries `id`. Errors: `contact-unknown`, `storage-failed`.
   */
  async send(
    contact: ContactId,
    message: { readonly id: string; readonly body: string; readonly sentAt?: UnixSeconds }
  ): Promise<void> {
    const sentAt = message.sentAt ?? this.#init.clock.unixSeconds()
    await this.#peer(contact).mailbox.submit({ ...message, sentAt })
  }

  /** Messages of a contact that nobody has taken yet, in order of arrival. */
  untaken(contact: ContactId): Promise<readonly ReceivedMessage[]> {
    return this.#peer(contact).mailbox.untaken()
  }

  /** The user has got the message with that key. */
  taken(contact: ContactId, key: string): Promise<void> {
    return this.#peer(contact).mailbox.taken(key)
  }

  /** Logs out: tells linked contacts, takes the onion service down, waits for the disk. Records stay until they expire. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#unsubscribe()
    for (const cancel of this.#redials) cancel()
    this.#presence.close()
    this.#links.close()
    this.#setState('closed')
    await this.#onion.close()
    for (const { mailbox } of this.#peers.values()) await mailbox.settled()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #begin(contact: Contact, given?: ContactKeys): Promise<void> {
    const { identity } = this.#init.identity
    const keys = given ?? new ContactKeys(identity, contact.certificate.identity)
    const { id } = contact
    const mailbox = await Mailbox.open(this.#init, id, {
      received: (message) => {
        this.#emitFor(id, (current) => this.emit('message', current, message))
      },
      delivered: (message) => {
        this.#emitFor(id, (current) => this.emit('delivered', current, message))
      },
      failed: (error) => {
        this.#trouble(error)
      }
    })
    const presence = { state: 'unknown', since: this.#init.clock.unixSeconds() } as const
    this.#peers.set(id, { mailbox, presence, onionKey: undefined })
    this.#links.add(id, keys)
    this.#presence.add(id, keys)
  }

  #startOnion(): void {
    const started = this.#onion.start({
      stream: (stream, first) => {
        const onionKey = this.#onion.publicKey
        if (onionKey && this.#state !== 'closed') this.#links.accept(stream, first, onionKey)
        else stream.destroy()
      },
      reachable: (onionKey) => {
        if (this.#state === 'closed') return
        this.#setState('online')
        this.#presence.reachable(onionKey)
      }
    })
    started.catch((error: unknown) => {
      if (this.#state !== 'closed') this.#trouble(error)
    })
  }

  #lost(): void {
    if (this.#state === 'closed') return
    this.#setState('lost')
    this.#presence.tell({ type: 'unreachable' })
    for (const contact of this.#peers.keys())
      if (!this.#links.isLinked(contact)) this.#show(contact, { state: 'unknown' })
  }

  #dial(contact: ContactId, onionKey: Uint8Array): void {
    this.#peer(contact).onionKey = onionKey
    this.#links.dial(contact, onionKey).catch((error: unknown) => {
      this.#trouble(error)
    })
  }

  #linked(contact: ContactId, send: (payload: Payload) => void): void {
    this.#presence.tell({ type: 'linked', contact })
    this.#peer(contact).mailbox.linked(send)
  }

  #unlinked(contact: ContactId, reason: LinkEnd): void {
    const peer = this.#peer(contact)
    peer.mailbox.unlinked()
    const lost = reason !== 'peer-bye'
    this.#presence.tell({ type: 'unlinked', contact, lost })
    if (this.#state !== 'online') this.#show(contact, { state: 'unknown' })
    else if (lost && peer.onionKey) this.#redial(contact, peer.onionKey)
    else this.#show(contact, { state: 'offline' })
  }

  /** After a random moment, so that two sides that have lost each other do not keep crossing. */
  #redial(contact: ContactId, onionKey: Uint8Array): void {
    this.#show(contact, { state: 'connecting' })
    const [byte = 0] = this.#init.random.bytes(1)
    const cancel = this.#init.clock.after((byte * redialSpreadMs) / 255, () => {
      this.#redials.delete(cancel)
      this.#dial(contact, onionKey)
    })
    this.#redials.add(cancel)
  }

  /** The first payload of a link is the contact's presence: it decides what is shown. */
  #received(contact: ContactId, payload: Payload): void {
    if (payload.kind === 'presence') {
      const { available, show, text } = payload
      this.#show(contact, {
        state: available ? 'online' : 'offline',
        ...(show === undefined ? {} : { show }),
        ...(text === undefined ? {} : { text })
      })
    } else this.#peer(contact).mailbox.receive(payload)
  }

  #show(id: ContactId, seen: Omit<ContactPresence, 'since'>): void {
    const peer = this.#peer(id)
    const { state, show, text, since } = peer.presence
    if (state === seen.state && show === seen.show && text === seen.text) return
    const now = this.#init.clock.unixSeconds()
    peer.presence = { ...seen, since: state === seen.state ? since : now }
    this.#emitFor(id, (contact) => this.emit('presence', contact, peer.presence))
  }

  #emitFor(id: ContactId, emit: (contact: Contact) => void): void {
    const contact = this.contacts.get(id)
    if (contact) emit(contact)
  }

  #setState(state: EndpointState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }

  #trouble(error: unknown): void {
    if (isHushlampError(error)) this.emit('trouble', error)
    else this.emit('trouble', new HushlampError('storage-failed', undefined, { cause: error }))
  }

  #peer(contact: ContactId): Peer {
    const peer = this.#peers.get(contact)
    if (!peer) throw new HushlampError('contact-unknown')
    return peer
  }
}
