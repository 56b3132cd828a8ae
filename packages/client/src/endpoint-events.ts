import type {
  Clock,
  HushlampError,
  PresencePayload,
  Random,
  Registry,
  SecretCertificate,
  UnixSeconds
} from '@hushlamp/shared'

import type { Contact } from './contacts/contact-book.ts'
import type { ReceivedMessage } from './link/mailbox.ts'
import type { OnStage } from './stage-timing.ts'
import type { Storage } from './storage/storage.ts'
import type { TorProvider } from './tor/tor-provider.ts'

/**
 * What is known of a contact. `unknown`: we are not connected ourselves, so we cannot tell. `connecting`: a link is
 * being made. `since`: Unix seconds.
 */
export interface ContactPresence {
  readonly state: 'online' | 'connecting' | 'offline' | 'unknown'
  readonly since: UnixSeconds
  readonly show?: NonNullable<PresencePayload['show']>
  readonly text?: string
}

/** How far the endpoint is: `online` once contacts can reach it. */
export type EndpointState = 'starting' | 'online' | 'lost' | 'closed'

/** What an endpoint needs and who it is. */
export interface EndpointInit {
  readonly identity: SecretCertificate
  readonly storage: Storage
  readonly tor: TorProvider
  readonly registry: Registry
  /** When to publish and look. `instant` hides no timing from the registry and is the only mode so far. */
  readonly mode: 'instant'
  readonly clock?: Clock
  readonly random?: Random
  readonly onStage?: OnStage
}

/** Events of an {@link Endpoint} with their arguments. */
export interface EndpointEvents {
  state: [state: EndpointState]
  presence: [contact: Contact, presence: ContactPresence]
  /** A message is stored and waits to be taken; see {@link Endpoint.untaken}. */
  message: [contact: Contact, message: ReceivedMessage]
  /** The contact's side has stored the message with this id. */
  delivered: [contact: Contact, id: string]
  /** Something that the user must know of: the disk fails, for instance. */
  trouble: [error: HushlampError]
}
