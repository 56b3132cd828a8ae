import { ns } from './namespaces.ts'
import { xml } from './xml/element.ts'
import type { XmlElement } from './xml/element.ts'

/** Conditions that end a stream (RFC 6120 §4.9.3), those that this server uses. */
export type StreamErrorCondition =
  /** The XML is well-formed but makes no stream. */
  | 'bad-format'
  /** The connection did not get as far as a session in time. */
  | 'connection-timeout'
  /** The stream is addressed to a host that is not served here. */
  | 'host-unknown'
  | 'internal-server-error'
  /** A stanza claims to come from somebody else. */
  | 'invalid-from'
  /** The namespace of the stream or of its content is not that of clients. */
  | 'invalid-namespace'
  /** A stanza before the client has logged in. */
  | 'not-authorized'
  | 'not-well-formed'
  /** A limit: size, depth, number of attempts or of connections. */
  | 'policy-violation'
  /** A comment, processing instruction, DTD or entity reference (RFC 6120 §11.1). */
  | 'restricted-xml'
  | 'system-shutdown'
  | 'unsupported-encoding'
  | 'unsupported-stanza-type'
  | 'unsupported-version'

/** `<stream:error/>` (RFC 6120 §4.9.2), with a sentence for people where that helps. */
export function streamError(condition: StreamErrorCondition, text?: string): XmlElement {
  return xml(
    'error',
    ns.stream,
    {},
    xml(condition, ns.streamErrors),
    text === undefined ? undefined : xml('text', ns.streamErrors, { 'xml:lang': 'en' }, text)
  )
}
