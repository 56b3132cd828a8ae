import { hex } from '@hushlamp/shared'
import type { Machine, Random, UnixSeconds } from '@hushlamp/shared'

import { AccountHub } from './account-hub.ts'
import type { BoundClient } from './account-hub.ts'
import type { AccountContext, ClientContext, ServerView } from './features/feature.ts'
import { features } from './features/feature-list.ts'
import { tcpFraming } from './framing.ts'
import { routeIq } from './iq-router.ts'
import { jidText, parseJid } from './jid.ts'
import { decoyCredentials } from './sasl/credentials.ts'
import type { ResolvedName } from './sasl/sasl-exchange.ts'
import type {
  ConnectionId,
  Moment,
  XmppAccounts,
  XmppServerEffect,
  XmppServerEvent
} from './server-events.ts'
import { XmppSession } from './session.ts'
import type { SessionEffect, SessionEvent } from './session-events.ts'
import type { XmlElement } from './xml/element.ts'

/** What the server needs from others. */
export interface XmppServerComponents {
  readonly random: Random
  readonly accounts: XmppAccounts
  /** Minutes by which local time is ahead of UTC at a moment; without it people read UTC. */
  utcOffsetMinutes?(at: UnixSeconds): number
}

/** How the server is configured. */
export interface XmppServerInit {
  /** The one domain: accounts and contacts are `…@domain`. */
  readonly domain: string
  /** Version of the program, for clients that ask. */
  readonly version: string
  /** STARTTLS is offered unless this is false; the door then needs a certificate. */
  readonly offerStartTls?: boolean
  /**
   * Secret of at least 16 bytes from which answers for unknown names are made up. Without it they change with each
   * start, which tells somebody who compares them that there is no such account.
   */
  readonly decoyKey?: Uint8Array
}

/** Clients that one account may have connected at a time. */
export const maxClientsPerAccount = 32

/** A connection and who has logged in through it. */
interface Connection {
  readonly session: XmppSession
  bound: { readonly account: AccountHub; readonly client: BoundClient } | undefined
}

/**
 * The XMPP server for the few accounts of this computer, as one pure machine. It connects the clients of a user with
 * each other and, by events and effects, with the user's contacts; it never connects two accounts.
 */
export class XmppServer implements Machine<XmppServerEvent, XmppServerEffect, Moment> {
  readonly #components: XmppServerComponents
  readonly #init: XmppServerInit
  readonly #view: ServerView
  readonly #decoyKey: Uint8Array
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #hubs = new Map<string, AccountHub>()
  #now: Moment = { unixSeconds: 0, monotonicMs: 0 }
  #effects: XmppServerEffect[] = []

  constructor(components: XmppServerComponents, init: XmppServerInit) {
    this.#components = components
    this.#init = init
    this.#decoyKey = init.decoyKey ?? components.random.bytes(32)
    this.#view = {
      domain: init.domain,
      version: init.version,
      random: components.random,
      accounts: components.accounts,
      features,
      utcOffsetMinutes: (at) => components.utcOffsetMinutes?.(at) ?? 0
    }
  }

  /** @inheritdoc */
  step(event: XmppServerEvent, now: Moment): readonly XmppServerEffect[] {
    this.#now = now
    this.#effects = []
    this.#take(event)
    return this.#effects
  }

  #take(event: XmppServerEvent): void {
    switch (event.kind) {
      case 'connection-opened':
        return this.#connect(event.connection, event.secure)
      case 'received':
      case 'tls-started':
      case 'connection-closed':
        return this.#stepSession(event.connection, event)
      case 'server-stopping':
        return this.#stepAll({ kind: 'end', condition: 'system-shutdown' })
      case 'tick':
        return this.#stepAll({ kind: 'tick' })
      case 'contact-changed':
      case 'contact-removed':
      case 'message-arrived':
      case 'message-delivered':
      case 'message-failed':
        return this.#takeOfAccount(event, this.#hub(event.account))
    }
  }

  #takeOfAccount(
    event: Extract<XmppServerEvent, { readonly account: string }>,
    account: AccountHub
  ): void {
    const context = this.#contextOf(account)
    switch (event.kind) {
      case 'contact-changed': {
        // While no client is connected nothing is kept: the next one reads the contacts anew.
        if (account.clients.size === 0) return
        const before = account.contacts.get(event.contact.alias)
        account.contacts.set(event.contact.alias, event.contact)
        for (const feature of features) feature.contactChanged?.(context, event.contact, before)
        return
      }
      case 'contact-removed': {
        const contact = account.contacts.get(event.alias)
        if (contact === undefined) return
        account.contacts.delete(event.alias)
        for (const feature of features) feature.contactRemoved?.(context, contact)
        return
      }
      case 'message-arrived': {
        const { from, message } = event
        const taken = features.some((feature) => feature.messageArrived?.(context, from, message))
        if (taken)
          context.effect({ kind: 'message-taken', account: account.name, from, id: message.id })
        return
      }
      case 'message-delivered': {
        const { to, id, receiptRequested = false } = event
        const sent = account.takeSent(to, id)
        for (const feature of features) {
          feature.messageDelivered?.(context, { to, id, receiptRequested }, sent)
        }
        return
      }
      case 'message-failed': {
        const sent = account.takeSent(event.to, event.id)
        for (const feature of features) feature.messageFailed?.(context, event, sent)
        return
      }
    }
  }

  #connect(connection: ConnectionId, secure: boolean): void {
    const session = new XmppSession(
      {
        random: this.#components.random,
        framing: tcpFraming,
        resolve: (name) => this.#resolve(name)
      },
      {
        domain: this.#init.domain,
        secure,
        offerStartTls: this.#init.offerStartTls ?? true,
        streamFeatures: features.flatMap((feature) => feature.streamFeatures ?? []),
        openedAt: this.#now
      }
    )
    this.#connections.set(connection, { session, bound: undefined })
  }

  /** A client may write its name with or without the domain. */
  #resolve(name: string): ResolvedName {
    const jid = parseJid(name.includes('@') ? name : `${name}@${this.#init.domain}`)
    const local =
      jid?.domain === this.#init.domain && jid.resource === undefined ? jid.local : undefined
    const credentials =
      local === undefined ? undefined : this.#components.accounts.credentialsOf(local)
    return credentials === undefined
      ? { account: undefined, credentials: decoyCredentials(local ?? name, this.#decoyKey) }
      : { account: local, credentials }
  }

  #stepAll(event: SessionEvent): void {
    for (const connection of this.#connections.keys()) this.#stepSession(connection, event)
  }

  #stepSession(id: ConnectionId, event: SessionEvent): void {
    const connection = this.#connections.get(id)
    if (connection === undefined) return
    for (const effect of connection.session.step(event, this.#now)) {
      this.#carryOut(id, connection, effect)
    }
  }

  #carryOut(id: ConnectionId, connection: Connection, effect: SessionEffect): void {
    switch (effect.kind) {
      case 'write':
        return this.#write(id, effect.text)
      case 'start-tls':
      case 'close':
        this.#effects.push({ kind: effect.kind, connection: id })
        return
      case 'bind-requested':
        return this.#bind(id, connection, effect.account, effect.resource)
      case 'stanza':
        return this.#route(connection, effect.stanza)
      case 'ended':
        return this.#forget(id, connection)
    }
  }

  /** RFC 6120 §7.7.2.2: a resource in use stays with its client; the newcomer gets one like it. */
  #bind(
    id: ConnectionId,
    connection: Connection,
    accountName: string,
    wanted: string | undefined
  ): void {
    const account = this.#hub(accountName)
    if (account.clients.size >= maxClientsPerAccount) {
      const error = { condition: 'resource-constraint', text: 'Too many clients.' } as const
      return this.#stepSession(id, { kind: 'bind-refused', error })
    }
    if (account.clients.size === 0) this.#loadContacts(account)
    let resource = wanted ?? this.#randomName()
    while (account.clients.has(resource)) {
      resource = `${resource.slice(0, 200)}.${this.#randomName()}`
    }
    const address = jidText({ ...account.jid, resource })
    const client = { connection: id, resource, address, interested: false, presence: undefined }
    account.clients.set(resource, client)
    connection.bound = { account, client }
    this.#stepSession(id, { kind: 'resource-bound', resource })
  }

  #loadContacts(account: AccountHub): void {
    account.contacts.clear()
    for (const contact of this.#components.accounts.contactsOf(account.name)) {
      account.contacts.set(contact.alias, contact)
    }
  }

  #randomName(): string {
    return hex(this.#components.random.bytes(4))
  }

  #route({ bound }: Connection, stanza: XmlElement): void {
    if (bound === undefined) return
    const context: ClientContext = { ...this.#contextOf(bound.account), client: bound.client }
    switch (stanza.name) {
      case 'iq':
        return routeIq(context, stanza)
      case 'presence':
        features.some((feature) => feature.presence?.(context, stanza))
        return
      default:
        features.some((feature) => feature.message?.(context, stanza))
    }
  }

  #forget(id: ConnectionId, { bound }: Connection): void {
    this.#connections.delete(id)
    if (bound === undefined) return
    const { account, client } = bound
    account.clients.delete(client.resource)
    const context: ClientContext = { ...this.#contextOf(account), client }
    for (const feature of features) feature.clientGone?.(context)
  }

  #hub(name: string): AccountHub {
    const hub = this.#hubs.get(name) ?? new AccountHub(name, this.#init.domain)
    this.#hubs.set(name, hub)
    return hub
  }

  #contextOf(account: AccountHub): AccountContext {
    return {
      server: this.#view,
      account,
      now: this.#now,
      write: (client, stanza) => this.#write(client.connection, tcpFraming.element(stanza)),
      effect: (effect) => {
        this.#effects.push(effect)
      }
    }
  }

  /** What goes to one connection in a row is written at once. */
  #write(connection: ConnectionId, text: string): void {
    const last = this.#effects.at(-1)
    if (last?.kind === 'write' && last.connection === connection) {
      this.#effects[this.#effects.length - 1] = { ...last, text: last.text + text }
    } else {
      this.#effects.push({ kind: 'write', connection, text })
    }
  }
}
