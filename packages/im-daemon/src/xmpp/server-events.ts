/**
 * Everything that passes between the XMPP server and the rest of the daemon. The server is a pure machine: events go
 * in, effects come out; what it has to look up while it works it asks of {@link XmppAccounts}.
 *
 * - The door (`inward-door.ts`) feeds `connection-opened`, `received`, `tls-started`, `connection-closed` and `tick`, and
 *   carries out `write`, `start-tls` and `close`.
 * - The accounts feed the other events and carry out the other effects.
 */
import type { UnixSeconds } from '@hushlamp/shared'

import type { ChatMessage, ContactView, OwnPresence, XmppCredentials } from './xmpp-account.ts'

/** Number of a connection, unique as long as the server lives. */
export type ConnectionId = number

/** What the server may know of time: the wall clock for what people read, monotonic time for its deadlines. */
export interface Moment {
  readonly unixSeconds: UnixSeconds
  /** Milliseconds since an arbitrary moment; never goes back. */
  readonly monotonicMs: number
}

/** What the server looks up while it takes a step. Lookups are immediate and change nothing. */
export interface XmppAccounts {
  /** Secrets of an account by its local part (lower-case), or undefined where there is no such account. */
  credentialsOf(account: string): XmppCredentials | undefined
  /** All contacts of an account. Read when its first client logs in; from then on `contact-changed` tells. */
  contactsOf(account: string): readonly ContactView[]
  /** XML that a `store-private` effect has stored under `key`; absent accounts keep it only while the server lives. */
  privateXmlOf?(account: string, key: string): string | undefined
}

/** What happened. */
export type XmppServerEvent =
  /** A client has connected. `secure`: it speaks TLS already. */
  | {
      readonly kind: 'connection-opened'
      readonly connection: ConnectionId
      readonly secure: boolean
    }
  | {
      readonly kind: 'received'
      readonly connection: ConnectionId
      readonly bytes: Uint8Array
    }
  /** The handshake asked for by `start-tls` is complete; what is received from now on came through TLS. */
  | { readonly kind: 'tls-started'; readonly connection: ConnectionId }
  /** The connection is gone, by whichever side. */
  | { readonly kind: 'connection-closed'; readonly connection: ConnectionId }
  /** A contact is new or differs from before in any way. Telling the same twice changes nothing. */
  | { readonly kind: 'contact-changed'; readonly account: string; readonly contact: ContactView }
  | { readonly kind: 'contact-removed'; readonly account: string; readonly alias: string }
  /**
   * A message for the user. Answered by `message-taken` in the same step if a client took it. Otherwise the account
   * keeps it and tells it again after `need-pending`.
   */
  | {
      readonly kind: 'message-arrived'
      readonly account: string
      /** Alias of the contact. */
      readonly from: string
      readonly message: ChatMessage
    }
  /** The contact's side has acknowledged a message. Telling it twice does no harm. */
  | {
      readonly kind: 'message-delivered'
      readonly account: string
      /** Alias of the contact. */
      readonly to: string
      readonly id: string
      /** What `send-message` said; lets a receipt reach the client although the daemon was restarted in between. */
      readonly receiptRequested?: boolean
    }
  /** A message will not be delivered any more. */
  | {
      readonly kind: 'message-failed'
      readonly account: string
      readonly to: string
      readonly id: string
      /** Sentence for the user: what happened, what to do. */
      readonly reason: string
    }
  /** The daemon stops: every stream is closed with `system-shutdown`. */
  | { readonly kind: 'server-stopping' }
  /** Time has passed; to be told about every second while a client is connected. */
  | { readonly kind: 'tick' }

/** What is to be done. Effects are carried out in their order. */
export type XmppServerEffect =
  | { readonly kind: 'write'; readonly connection: ConnectionId; readonly text: string }
  /** Upgrade the connection in place once everything before is written. Plain bytes that still arrive are discarded. */
  | { readonly kind: 'start-tls'; readonly connection: ConnectionId }
  /** Close the connection once everything before is written. `connection-closed` is still to be told. */
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  /** The presence that the user shows to contacts has changed. Starts as not available. */
  | {
      readonly kind: 'own-presence'
      readonly account: string
      readonly presence: OwnPresence
    }
  /** A client has sent a message to a contact; `to` is an alias out of the roster. */
  | {
      readonly kind: 'send-message'
      readonly account: string
      readonly to: string
      readonly message: ChatMessage
      /** The client asked for a delivery receipt (XEP-0184). */
      readonly receiptRequested: boolean
    }
  /** At least one client got the message of `message-arrived`. */
  | {
      readonly kind: 'message-taken'
      readonly account: string
      readonly from: string
      readonly id: string
    }
  /** A client can take messages while none could before: tell `message-arrived` for all that were not taken, in order. */
  | { readonly kind: 'need-pending'; readonly account: string }
  /** A client gave a contact another name or other groups. Answer with `contact-changed` once it is stored. */
  | {
      readonly kind: 'rename-contact'
      readonly account: string
      readonly alias: string
      /** Undefined: no name, the alias is shown. */
      readonly name: string | undefined
      readonly groups: readonly string[]
    }
  /** A client stores private XML (XEP-0049), at most 64 KiB under one key. */
  | {
      readonly kind: 'store-private'
      readonly account: string
      readonly key: string
      readonly xml: string
    }
