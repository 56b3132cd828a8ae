import type { Jid } from './jid.ts'
import type { ConnectionId } from './server-events.ts'
import type { ContactView, OwnPresence, Show } from './xmpp-account.ts'
import type { XmlElement } from './xml/element.ts'

/** What a client shows of the user (RFC 6121 §4.7). */
export interface ClientPresence {
  /** The stanza, its `from` the full address of the client. */
  readonly stanza: XmlElement
  /** −128 to 127; messages to the account go to clients that are not negative. */
  readonly priority: number
  readonly show?: Show
  readonly statusText?: string
  /** Grows with each presence of the account: the later one wins where priorities are equal. */
  readonly order: number
}

/** A client with a resource: a "connected resource" of RFC 6121. */
export interface BoundClient {
  readonly connection: ConnectionId
  readonly resource: string
  /** Full address as text. */
  readonly address: string
  /** Has asked for the roster and is told about its changes ("interested resource", RFC 6121 §2.2). */
  interested: boolean
  /** Undefined while the client is not available. */
  presence: ClientPresence | undefined
}

/** A message on its way and the client that is to hear of its fate. */
export interface SentMessage {
  readonly address: string
  /** The id of the stanza; absent where the client gave none. */
  readonly stanzaId: string | undefined
  readonly receiptRequested: boolean
}

/** How many messages on their way are remembered for an account. */
const maxSentMessages = 2_000

/** How many stanzas wait for a client of an account to become available. */
const maxOwedStanzas = 200

/** What the server knows of one account while it runs: its clients, its contacts and what is still to be told. */
export class AccountHub {
  /** Local part. */
  readonly name: string
  readonly jid: Jid
  readonly clients: Map<string, BoundClient> = new Map()
  /** Contacts by alias. Empty and out of date while no client is connected. */
  readonly contacts: Map<string, ContactView> = new Map()
  readonly privateXml: Map<string, string> = new Map()
  /** What the contacts were last told. */
  shownPresence: OwnPresence = { available: false }
  readonly #sent = new Map<string, SentMessage>()
  #owed: XmlElement[] = []
  #presences = 0

  constructor(name: string, domain: string) {
    this.name = name
    this.jid = { local: name, domain }
  }

  /** Number for the next presence, see {@link ClientPresence.order}. */
  nextOrder(): number {
    return ++this.#presences
  }

  /** Clients that are available. */
  availableClients(): readonly BoundClient[] {
    return [...this.clients.values()].filter(({ presence }) => presence !== undefined)
  }

  /** Clients that take messages addressed to the account (RFC 6121 §8.5.2.1.1). */
  messageTakers(): readonly BoundClient[] {
    return [...this.clients.values()].filter(({ presence }) => (presence?.priority ?? -1) >= 0)
  }

  /** Whether a message of this id to this contact is on its way. */
  isSent(alias: string, id: string): boolean {
    return this.#sent.has(sentKey(alias, id))
  }

  /** Remembers a message on its way; the oldest are forgotten beyond a limit. */
  rememberSent(alias: string, id: string, message: SentMessage): void {
    this.#sent.set(sentKey(alias, id), message)
    const [oldest] = this.#sent.keys()
    if (this.#sent.size > maxSentMessages && oldest !== undefined) this.#sent.delete(oldest)
  }

  /** Takes a message whose fate is known out of memory. */
  takeSent(alias: string, id: string): SentMessage | undefined {
    const message = this.#sent.get(sentKey(alias, id))
    this.#sent.delete(sentKey(alias, id))
    return message
  }

  /** Keeps a stanza, without `to`, for the next client that becomes available. */
  owe(stanza: XmlElement): void {
    this.#owed.push(stanza)
    if (this.#owed.length > maxOwedStanzas) this.#owed.shift()
  }

  /** Hands out what {@link owe} has kept. */
  takeOwed(): readonly XmlElement[] {
    return this.#owed.splice(0)
  }
}

function sentKey(alias: string, id: string): string {
  return `${alias}\n${id}`
}
