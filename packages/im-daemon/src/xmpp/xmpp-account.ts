import type { UnixSeconds } from '@hushlamp/shared'

/**
 * What is known of a contact. `connecting`: a link is being made. `unknown`: this side has lost Tor or cannot tell;
 * shown as unavailable with a text that says so.
 */
export type ContactState = 'online' | 'connecting' | 'offline' | 'unknown'

/** RFC 6121 §4.7.2.1; absent means simply available. */
export type Show = 'away' | 'chat' | 'dnd' | 'xa'

/** A contact as a roster shows it: `alias@localhost`. */
export interface ContactView {
  /** Local part of the contact's address: lower-case letters, digits, `.`, `-`, `_`. */
  readonly alias: string
  /** Name in the roster, chosen by the user. */
  readonly name?: string
  readonly groups: readonly string[]
  readonly state: ContactState
  /** Since when the state holds. */
  readonly since?: UnixSeconds
  readonly show?: Show
  readonly statusText?: string
}

/** A message on its way to or from a contact. */
export interface ChatMessage {
  /** The id that the sending client gave its stanza, or one made by the daemon. */
  readonly id: string
  readonly body: string
  /** When the sender wrote it. */
  readonly sentAt: UnixSeconds
}

/** SCRAM secrets of one hash (RFC 5802 §3). */
export interface ScramSecrets {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** What a server keeps of a password. */
export interface XmppCredentials {
  readonly sha1: ScramSecrets
  readonly sha256: ScramSecrets
}

/** What the user shows of himself: the most available of his connected clients. */
export interface OwnPresence {
  readonly available: boolean
  readonly show?: Show
  readonly statusText?: string
}
