import { SaxesParser } from 'saxes'
import type { SaxesTagNS, XMLDecl } from 'saxes'

import type { StreamErrorCondition } from '../stream-errors.ts'
import { XmlElement } from './element.ts'
import type { XmlNode } from './element.ts'

/** What a stream may ask of the parser. */
export interface XmlLimits {
  /** Characters (UTF-16 code units) of one child of the stream, or of the stream's own opening tag. */
  readonly maxStanzaLength: number
  /** How deeply elements may be nested; the stream itself is the first level. */
  readonly maxDepth: number
}

/** A piece of a stream. After `stream-closed` and `failed` nothing follows. */
export type XmlStreamEvent =
  | {
      readonly kind: 'stream-opened'
      /** The root element, without children. */
      readonly header: XmlElement
      /** The default namespace declared on it; empty where there is none. */
      readonly contentNamespace: string
    }
  | { readonly kind: 'element'; readonly element: XmlElement }
  | { readonly kind: 'stream-closed' }
  | { readonly kind: 'failed'; readonly condition: StreamErrorCondition }

/** Ends the work of the XML library from inside one of its callbacks. */
class ParseStop extends Error {
  override readonly name: string = 'ParseStop'
  readonly condition: StreamErrorCondition

  constructor(condition: StreamErrorCondition) {
    super(condition)
    this.condition = condition
  }
}

/** An element whose end has not been seen. */
interface OpenElement {
  readonly tag: SaxesTagNS
  readonly children: XmlNode[]
}

const saxesOptions = {
  xmlns: true,
  position: false,
  defaultXMLVersion: '1.0',
  forceXMLVersion: true
} as const

/** Pieces in which text is handed on, so that a limit is noticed before much more than it has been stored. */
const pieceLength = 8192

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/**
 * Reads one XML stream (RFC 6120 §4, §11): strictly well-formed, with namespaces, UTF-8, without the parts of XML that
 * §11.1 forbids, and within limits. Bytes may arrive cut anywhere. Never throws; what is wrong comes out as `failed`.
 */
export class XmlStreamParser {
  readonly #limits: XmlLimits
  readonly #parser: SaxesParser<typeof saxesOptions>
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #events: XmlStreamEvent[] = []
  #ended = false
  #firstBytes: number[] = []
  #stack: OpenElement[] = []
  /** Characters given to the library before the piece at hand. */
  #consumed = 0
  /** Where the last complete child of the stream ended, counted in characters. */
  #boundary = 0

  constructor(limits: XmlLimits) {
    this.#limits = limits
    const parser = new SaxesParser(saxesOptions)
    this.#parser = parser
    parser.on('error', (error) => {
      throw new ParseStop(conditionOf(error.message))
    })
    parser.on('comment', restricted)
    parser.on('doctype', restricted)
    parser.on('processinginstruction', restricted)
    parser.on('xmldecl', checkDeclaration)
    parser.on('opentagstart', () => {
      if (this.#stack.length >= this.#limits.maxDepth) throw new ParseStop('policy-violation')
    })
    parser.on('opentag', (tag) => this.#open(tag))
    parser.on('closetag', () => this.#close())
    parser.on('text', (text) => this.#text(text))
    parser.on('cdata', (text) => this.#text(text))
  }

  /** Nothing but white space has been received since the last complete element. */
  get atBoundary(): boolean {
    return this.#consumed === this.#boundary
  }

  /** Takes the next bytes and answers with what they complete. */
  push(bytes: Uint8Array): readonly XmlStreamEvent[] {
    if (this.#ended) return []
    this.#events = []
    try {
      this.#checkEncoding(bytes)
      const text = this.#decode(bytes)
      for (let start = 0; start < text.length && !this.#ended; start += pieceLength) {
        this.#feed(text.slice(start, start + pieceLength))
      }
    } catch (error) {
      if (!this.#ended) {
        const condition = error instanceof ParseStop ? error.condition : 'internal-server-error'
        this.#events.push({ kind: 'failed', condition })
      }
      this.#ended = true
    }
    return this.#events
  }

  /** RFC 6120 §11.6: UTF-8 and nothing else. UTF-16 and UTF-32 show in the first bytes. */
  #checkEncoding(bytes: Uint8Array): void {
    if (this.#firstBytes.length >= 2) return
    this.#firstBytes.push(...bytes.subarray(0, 2 - this.#firstBytes.length))
    const [first, second] = this.#firstBytes
    if (first === 0 || second === 0 || first === 0xfe || first === 0xff) {
      throw new ParseStop('unsupported-encoding')
    }
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true })
    } catch {
      throw new ParseStop('not-well-formed')
    }
  }

  #feed(piece: string): void {
    // White space between stanzas keeps a connection alive (RFC 6120 §4.6.1): it counts for nothing and is not stored.
    const text = this.atBoundary ? piece.replace(/^[ \t\r\n]+/, '') : piece
    if (text === '') return
    const boundaryBefore = this.#boundary
    this.#parser.write(text)
    if (this.#ended) return
    const start = this.#consumed
    this.#consumed += text.length
    if (
      this.#boundary !== boundaryBefore &&
      /^[ \t\r\n]*$/.test(text.slice(this.#boundary - start))
    ) {
      this.#boundary = this.#consumed
    }
    this.#checkLength(this.#consumed)
  }

  #checkLength(position: number): void {
    if (position - this.#boundary > this.#limits.maxStanzaLength) {
      throw new ParseStop('policy-violation')
    }
  }

  #markBoundary(): void {
    this.#checkLength(this.#parser.position)
    this.#boundary = this.#parser.position
  }

  #open(tag: SaxesTagNS): void {
    if (this.#stack.length === 0) {
      this.#markBoundary()
      this.#events.push({
        kind: 'stream-opened',
        header: elementOf({ tag, children: [] }),
        contentNamespace: tag.ns[''] ?? ''
      })
    }
    this.#stack.push({ tag, children: [] })
  }

  #close(): void {
    const closed = this.#stack.pop()
    const parent = this.#stack.at(-1)
    if (closed === undefined || this.#ended) return
    if (parent === undefined) {
      this.#ended = true
      this.#events.push({ kind: 'stream-closed' })
      return
    }
    const element = elementOf(closed)
    if (this.#stack.length > 1) {
      parent.children.push(element)
      return
    }
    this.#markBoundary()
    this.#events.push({ kind: 'element', element })
  }

  #text(text: string): void {
    const parent = this.#stack.at(-1)
    if (parent === undefined || text === '') return
    if (this.#stack.length === 1) {
      if (!/^[ \t\r\n]*$/.test(text)) throw new ParseStop('bad-format')
      return
    }
    const last = parent.children.at(-1)
    if (typeof last === 'string') parent.children[parent.children.length - 1] = last + text
    else parent.children.push(text)
  }
}

/** The one element that a text consists of, or undefined where it is anything else. For XML out of storage. */
export function parseElement(text: string, limits: XmlLimits): XmlElement | undefined {
  const parser = new XmlStreamParser({ ...limits, maxDepth: limits.maxDepth + 1 })
  const [opened, content, ...more] = parser.push(new TextEncoder().encode(`<document>${text}`))
  const whole = opened?.kind === 'stream-opened' && more.length === 0 && parser.atBoundary
  return whole && content?.kind === 'element' ? content.element : undefined
}

function elementOf({ tag, children }: OpenElement): XmlElement {
  const attributes = new Map<string, string>()
  for (const attribute of Object.values(tag.attributes)) {
    if (attribute.uri === xmlnsNamespace) continue
    attributes.set(attributeKey(attribute.local, attribute.uri), attribute.value)
  }
  return new XmlElement(tag.local, tag.uri, attributes, children)
}

function attributeKey(local: string, namespace: string): string {
  if (namespace === '') return local
  return namespace === xmlNamespace ? `xml:${local}` : `{${namespace}}${local}`
}

function restricted(): never {
  throw new ParseStop('restricted-xml')
}

function checkDeclaration(declaration: XMLDecl): void {
  const { encoding, version } = declaration
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
    throw new ParseStop('unsupported-encoding')
  }
  if (version !== '1.0') throw new ParseStop('not-well-formed')
}

/** An entity that is not one of the five is restricted XML (RFC 6120 §11.1); the rest is not well-formed. */
function conditionOf(message: string): StreamErrorCondition {
  return message.includes('undefined entity') ? 'restricted-xml' : 'not-well-formed'
}
