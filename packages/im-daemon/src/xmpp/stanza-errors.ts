import { ns } from './namespaces.ts'
import { xml } from './xml/element.ts'
import type { XmlElement } from './xml/element.ts'

/** What the sender of a refused stanza may do about it (RFC 6120 §8.3.2). */
type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

/** A defined condition of RFC 6120 §8.3.3, those that this server uses. */
export type StanzaErrorCondition =
  | 'bad-request'
  | 'internal-server-error'
  | 'item-not-found'
  | 'jid-malformed'
  | 'not-acceptable'
  | 'not-allowed'
  | 'recipient-unavailable'
  | 'remote-server-not-found'
  | 'resource-constraint'
  | 'service-unavailable'

/** The type that goes with each condition (RFC 6120 §8.3.3). */
const errorTypes: Readonly<Record<StanzaErrorCondition, StanzaErrorType>> = {
  'bad-request': 'modify',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'recipient-unavailable': 'wait',
  'remote-server-not-found': 'cancel',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel'
}

/** Why a stanza is refused, with a sentence for people where that helps. */
export interface StanzaError {
  readonly condition: StanzaErrorCondition
  readonly text?: string
}

/** The `<error/>` child of a stanza (RFC 6120 §8.3.2). */
export function stanzaError({ condition, text }: StanzaError): XmlElement {
  return xml(
    'error',
    ns.client,
    { type: errorTypes[condition] },
    xml(condition, ns.stanzaErrors),
    text === undefined ? undefined : xml('text', ns.stanzaErrors, { 'xml:lang': 'en' }, text)
  )
}

/**
 * The error that answers a stanza: back to `to` (its sender, absent before it has an address), from where it was addressed. The content of the stanza is
 * not repeated. Whoever calls this has checked that the stanza is not an error itself (RFC 6120 §8.3.1).
 */
export function refusal(
  stanza: XmlElement,
  to: string | undefined,
  error: StanzaError
): XmlElement {
  return xml(
    stanza.name,
    ns.client,
    { type: 'error', id: stanza.attribute('id'), from: stanza.attribute('to'), to },
    stanzaError(error)
  )
}
