import type { StanzaError } from './stanza-errors.ts'
import type { StreamErrorCondition } from './stream-errors.ts'
import type { XmlElement } from './xml/element.ts'

/** What happens to one stream. */
export type SessionEvent =
  | { readonly kind: 'received'; readonly bytes: Uint8Array }
  | { readonly kind: 'tls-started' }
  /** Answer to `bind-requested`: the resource is the client's. */
  | { readonly kind: 'resource-bound'; readonly resource: string }
  /** Answer to `bind-requested`: it cannot have one. */
  | { readonly kind: 'bind-refused'; readonly error: StanzaError }
  /** The server ends the stream. */
  | { readonly kind: 'end'; readonly condition: StreamErrorCondition; readonly text?: string }
  | { readonly kind: 'connection-closed' }
  | { readonly kind: 'tick' }

/** What one stream asks for. */
export type SessionEffect =
  | { readonly kind: 'write'; readonly text: string }
  | { readonly kind: 'start-tls' }
  | { readonly kind: 'close' }
  /** The client, logged in to `account`, wants a resource: this one, or any. */
  | {
      readonly kind: 'bind-requested'
      readonly account: string
      readonly resource: string | undefined
    }
  /** A stanza of the bound client; its `from` is the client's full address. */
  | { readonly kind: 'stanza'; readonly stanza: XmlElement }
  /** The stream is over, for whatever reason. Comes once, and nothing after it but `write` and `close`. */
  | { readonly kind: 'ended' }
