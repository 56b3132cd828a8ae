import type { Random } from '@hushlamp/shared'

import type { AccountHub, BoundClient, SentMessage } from '../account-hub.ts'
import type { Moment, XmppAccounts, XmppServerEffect } from '../server-events.ts'
import type { StanzaError } from '../stanza-errors.ts'
import type { ChatMessage, ContactView } from '../xmpp-account.ts'
import type { XmlElement } from '../xml/element.ts'

/** What a feature works with while something happens to an account. */
export interface AccountContext {
  readonly server: ServerView
  readonly account: AccountHub
  readonly now: Moment
  /** Sends a stanza to a client. */
  readonly write: (client: BoundClient, stanza: XmlElement) => void
  /** Asks the daemon for something. */
  readonly effect: (effect: XmppServerEffect) => void
}

/** What a feature works with while a client of the account does something. */
export interface ClientContext extends AccountContext {
  readonly client: BoundClient
}

/** What a feature may know of the server. */
export interface ServerView {
  readonly domain: string
  readonly version: string
  readonly random: Random
  readonly accounts: XmppAccounts
  readonly features: readonly XmppFeature[]
  /** Minutes by which local time is ahead of UTC at a moment. */
  utcOffsetMinutes(atUnixSeconds: number): number
}

/** Who is addressed: nobody outside of this list can be reached through this server. */
export type Target =
  | { readonly kind: 'server' }
  /** The user himself, or one of his clients. */
  | { readonly kind: 'account'; readonly resource: string | undefined }
  | {
      readonly kind: 'contact'
      readonly contact: ContactView
      readonly resource: string | undefined
    }

/** A request and where it was addressed. */
export interface IqContext extends ClientContext {
  readonly target: Target
}

/** Answer to a request: a result, with content or without, or an error. */
export type IqReply =
  | {
      readonly result: XmlElement | undefined
      /** What is to happen once the result is written. */
      readonly afterwards?: () => void
    }
  | { readonly error: StanzaError }

/** Answers one kind of request. */
export interface IqHandler {
  readonly type: 'get' | 'set'
  /** Name and namespace of the request's child. */
  readonly name: string
  readonly namespace: string
  /** Who answers it; addressed to anybody else the request is refused. */
  readonly targets: readonly Target['kind'][]
  answer(context: IqContext, payload: XmlElement): IqReply
}

/**
 * A part of XMPP that stands for itself, mostly one RFC section or XEP. All of them are listed in `feature-list.ts`;
 * where several could act, they do so in the order of that list.
 */
export interface XmppFeature {
  /** Specification and title. */
  readonly title: string
  /** Namespaces that service discovery names (XEP-0030), by who is asked. */
  readonly disco?: Readonly<Partial<Record<Target['kind'], readonly string[]>>>
  /** Stream features for clients that are logged in. */
  readonly streamFeatures?: readonly XmlElement[]
  readonly iq?: readonly IqHandler[]
  /** Takes a message of a client; true: it is dealt with. */
  message?(context: ClientContext, stanza: XmlElement): boolean
  /** Takes a presence of a client; true: it is dealt with. */
  presence?(context: ClientContext, stanza: XmlElement): boolean
  /** The presence of a client has changed from `before`. */
  clientChanged?(context: ClientContext, before: BoundClient['presence']): void
  /** A client is gone; it is no longer among the account's. */
  clientGone?(context: ClientContext): void
  contactChanged?(
    context: AccountContext,
    contact: ContactView,
    before: ContactView | undefined
  ): void
  contactRemoved?(context: AccountContext, contact: ContactView): void
  /** A message for the user; true: a client has it. */
  messageArrived?(context: AccountContext, from: string, message: ChatMessage): boolean
  /** The contact's side has a message of the user. `sent` is absent if it was sent before the server started. */
  messageDelivered?(
    context: AccountContext,
    delivery: { readonly to: string; readonly id: string; readonly receiptRequested: boolean },
    sent: SentMessage | undefined
  ): void
  /** A message of the user will not arrive. */
  messageFailed?(
    context: AccountContext,
    failure: { readonly to: string; readonly id: string; readonly reason: string },
    sent: SentMessage | undefined
  ): void
}
