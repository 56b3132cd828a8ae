import type { Contact, ContactPresence, Endpoint, ReceivedMessage } from '@hushlamp/client'
import { isHushlampError } from '@hushlamp/shared'

import type { AccountEffect, AccountEvent } from '../inward-door.ts'
import type { ContactView } from '../xmpp/xmpp-account.ts'

/** What an {@link Account} needs. */
export interface AccountComponents {
  readonly endpoint: Endpoint
  /** Hands an event to the XMPP server, whose effects are carried out before this returns. */
  readonly tellServer: (event: AccountEvent) => void
  /** Told of failures that the user must see; the text names no person. */
  readonly onTrouble: (text: string) => void
}

/** One user of this daemon: stands between the network of friends and the user's XMPP clients. */
export class Account {
  readonly name: string
  readonly #endpoint: Endpoint
  readonly #tellServer: (event: AccountEvent) => void
  readonly #onTrouble: (text: string) => void
  /** Keys of messages that the server has been told of and no client has taken, by contact and message id. */
  readonly #offered = new Map<string, string[]>()
  readonly #receiptsWanted = new Set<string>()

  constructor(components: AccountComponents, init: { readonly name: string }) {
    this.name = init.name
    this.#endpoint = components.endpoint
    this.#tellServer = components.tellServer
    this.#onTrouble = components.onTrouble
    this.#endpoint.setAvailability({ available: false })
    this.#endpoint.on('presence', (contact) => {
      this.#tellContact(contact)
    })
    this.#endpoint.on('message', (contact, message) => {
      this.#offer(contact, message)
    })
    this.#endpoint.on('delivered', (contact, id) => {
      const receiptRequested = this.#receiptsWanted.delete(offerKey(contact.alias, id))
      const { name: account } = this
      this.#tellServer({
        kind: 'message-delivered',
        account,
        to: contact.alias,
        id,
        receiptRequested
      })
    })
    this.#endpoint.on('trouble', (error) => {
      this.#onTrouble(error.message)
    })
  }

  /** The roster. */
  contacts(): readonly ContactView[] {
    return this.#endpoint.contacts
      .list()
      .map((contact) => contactView(contact, this.#endpoint.presenceOf(contact.id)))
  }

  /** Carries out what the user's clients want. */
  carryOut(effect: AccountEffect): void {
    switch (effect.kind) {
      case 'own-presence': {
        const { available, show, statusText } = effect.presence
        this.#endpoint.setAvailability({
          available,
          ...(show === undefined ? {} : { show }),
          ...(statusText === undefined ? {} : { text: statusText.slice(0, 256) })
        })
        break
      }
      case 'send-message':
        this.#attempt(this.#send(effect))
        break
      case 'message-taken':
        this.#attempt(this.#taken(effect.from, effect.id))
        break
      case 'need-pending':
        this.#attempt(this.#offerPending())
        break
      case 'rename-contact':
        this.#attempt(this.#rename(effect.alias, effect.name, effect.groups))
        break
      case 'store-private':
      // Kept by the server as long as it runs: bookmarks of chat rooms, which Hushlamp does not have.
    }
  }

  async #send(effect: Extract<AccountEffect, { kind: 'send-message' }>): Promise<void> {
    const { message, to, receiptRequested } = effect
    const contact = this.#endpoint.contacts.withAlias(to)
    const account = this.name
    if (!contact) {
      const reason = 'There is no such contact.'
      this.#tellServer({ kind: 'message-failed', account, to, id: message.id, reason })
      return
    }
    if (receiptRequested) this.#receiptsWanted.add(offerKey(to, message.id))
    try {
      await this.#endpoint.send(contact.id, message)
    } catch (error) {
      if (!isHushlampError(error)) throw error
      const reason = error.message
      this.#tellServer({ kind: 'message-failed', account, to, id: message.id, reason })
    }
  }

  async #taken(alias: string, id: string): Promise<void> {
    const contact = this.#endpoint.contacts.withAlias(alias)
    const key = this.#offered.get(offerKey(alias, id))?.shift()
    if (contact && key !== undefined) await this.#endpoint.taken(contact.id, key)
  }

  async #offerPending(): Promise<void> {
    this.#offered.clear()
    for (const contact of this.#endpoint.contacts.list())
      for (const message of await this.#endpoint.untaken(contact.id)) this.#offer(contact, message)
  }

  #offer(contact: Contact, message: ReceivedMessage): void {
    const { id, body, sentAt, key } = message
    const name = offerKey(contact.alias, id)
    const offered = this.#offered.get(name) ?? []
    if (offered.includes(key)) return
    this.#offered.set(name, [...offered, key])
    this.#tellServer({
      kind: 'message-arrived',
      account: this.name,
      from: contact.alias,
      message: { id, body, sentAt }
    })
  }

  async #rename(alias: string, name: string | undefined, groups: readonly string[]): Promise<void> {
    const contact = this.#endpoint.contacts.withAlias(alias)
    if (contact) this.#tellContact(await this.#endpoint.contacts.rename(contact.id, name, groups))
  }

  #tellContact(contact: Contact): void {
    const view = contactView(contact, this.#endpoint.presenceOf(contact.id))
    this.#tellServer({ kind: 'contact-changed', account: this.name, contact: view })
  }

  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#onTrouble(error instanceof Error ? error.message : 'An operation failed.')
    })
  }
}

function contactView(contact: Contact, presence: ContactPresence): ContactView {
  const { alias, name, groups } = contact
  const { state, since, show, text } = presence
  return {
    alias,
    groups,
    state,
    since,
    ...(name === undefined ? {} : { name }),
    ...(show === undefined ? {} : { show }),
    ...(text === undefined ? {} : { statusText: text })
  }
}

function offerKey(alias: string, id: string): string {
  return `${alias}/${id}`
}
