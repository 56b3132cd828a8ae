import { ns } from './namespaces.ts'
import type { AttributeInit, XmlElement } from './xml/element.ts'
import { xml } from './xml/element.ts'
import { serialize } from './xml/serializer.ts'
import type { NamespaceScope } from './xml/serializer.ts'
import { XmlStreamParser } from './xml/stream-parser.ts'
import type { XmlLimits } from './xml/stream-parser.ts'

/**
 * How a stream and its elements become text on a transport. TCP has one long document (RFC 6120 §4); a transport with
 * messages of its own (RFC 7395) would be another value of this type.
 */
export interface Framing {
  /** A reader for one stream; after a restart a new one is made. */
  parser(limits: XmlLimits): XmlStreamParser
  /** The opening of the server's stream. */
  opening(attributes: AttributeInit): string
  element(element: XmlElement): string
  /** The end of the server's stream. */
  closing(): string
}

const streamScope: NamespaceScope = {
  defaultNamespace: ns.client,
  prefixes: new Map([[ns.stream, 'stream']])
}

/** RFC 6120 §4: one XML document in each direction. */
export const tcpFraming: Framing = {
  parser: (limits) => new XmlStreamParser(limits),
  opening: (attributes) => {
    const root = xml('stream', ns.stream, {
      xmlns: ns.client,
      'xmlns:stream': ns.stream,
      ...attributes
    })
    return `<?xml version='1.0'?>${serialize(root, streamScope).replace(/\/>$/, '>')}`
  },
  element: (element) => serialize(element, streamScope),
  closing: () => '</stream:stream>'
}
