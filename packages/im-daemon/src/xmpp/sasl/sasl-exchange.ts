import type { Random } from '@hushlamp/shared'

import type { XmppCredentials } from '../xmpp-account.ts'

/** Failure conditions of SASL in XMPP (RFC 6120 §6.5), those that this server uses. */
export type SaslFailure =
  | 'aborted'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'not-authorized'

/** What the server answers to one message of the client. After `success` and `failure` an exchange is over. */
export type SaslReply =
  | { readonly kind: 'challenge'; readonly data: Uint8Array }
  | { readonly kind: 'success'; readonly account: string; readonly data: Uint8Array }
  | { readonly kind: 'failure'; readonly condition: SaslFailure }

/** What a mechanism needs from the server. */
export interface SaslComponents {
  readonly random: Random
  /** Credentials of a name as the client wrote it, with the account it stands for; decoys where there is none. */
  readonly resolve: (name: string) => ResolvedName
}

/** The account that a name stands for. */
export interface ResolvedName {
  /** Undefined where there is no such account; the exchange then runs against decoys and fails at its end. */
  readonly account: string | undefined
  readonly credentials: XmppCredentials
}

/** One attempt to log in: a pure machine that is fed the decoded messages of the client. */
export interface SaslExchange {
  /** Answers the next message. Never throws. */
  respond(message: Uint8Array): SaslReply
}

/** A way to log in. */
export interface SaslMechanism {
  /** Registered name, such as `SCRAM-SHA-256`. */
  readonly name: string
  start(components: SaslComponents): SaslExchange
}

/** The exchange fails for this reason. */
export function saslFailure(condition: SaslFailure): SaslReply {
  return { kind: 'failure', condition }
}
