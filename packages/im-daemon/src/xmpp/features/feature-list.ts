import { disco } from './disco.ts'
import { entityTime } from './entity-time.ts'
import type { XmppFeature } from './feature.ts'
import { legacySession } from './legacy-session.ts'
import { messages } from './messages.ts'
import { ping } from './ping.ts'
import { presence } from './presence.ts'
import { privateXml } from './private-xml.ts'
import { receipts } from './receipts.ts'
import { roster } from './roster.ts'
import { softwareVersion } from './software-version.ts'
import { subscriptions } from './subscriptions.ts'
import { vcard } from './vcard.ts'

/**
 * Everything that a logged-in client finds here. One file for each; to add one, write the file and name it here. Order
 * matters where several act on the same thing: a contact is in the roster before its presence comes, and a message is
 * looked at by the features that may take it before the one that takes all.
 */
export const features: readonly XmppFeature[] = [
  legacySession, // RFC 3921 §3
  roster, // RFC 6121 §2
  subscriptions, // RFC 6121 §3
  presence, // RFC 6121 §4
  receipts, // XEP-0184
  messages, // RFC 6121 §5, §8.5
  disco, // XEP-0030, XEP-0115
  privateXml, // XEP-0049
  vcard, // XEP-0054
  softwareVersion, // XEP-0092
  ping, // XEP-0199
  entityTime // XEP-0202
]
