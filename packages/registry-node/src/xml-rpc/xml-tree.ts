import { SaxesParser } from 'saxes'

import { malformed } from './malformed.ts'

/** An element with what it holds. Attributes, comments and white space between elements mean nothing in XML-RPC. */
export interface XmlNode {
  readonly name: string
  /** All character data directly inside. */
  readonly text: string
  readonly children: readonly XmlNode[]
}

/** How large a document may be. Its length in bytes is limited before it is read. */
export interface XmlTreeLimits {
  readonly maxDepth: number
  readonly maxElements: number
}

interface OpenNode extends XmlNode {
  text: string
  readonly children: XmlNode[]
}

const declaration = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/

/**
 * The root element of a whole document. A document type, entities of its own and processing instructions are refused:
 * XML-RPC has none, and each is a way to attack who reads them.
 *
 * @throws HushlampError `registry-malformed`
 */
export function parseXml(bytes: Uint8Array, limits: XmlTreeLimits): XmlNode {
  const reader = new TreeReader(limits)
  return reader.read(textOfDocument(bytes))
}

/** UTF-8, or what OpenDHT's Java clients declare: ISO-8859-1. */
function textOfDocument(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
  const encoding = declaration.exec(head)?.[1]?.toLowerCase() ?? 'utf-8'
  if (encoding === 'iso-8859-1') return Buffer.from(bytes).toString('latin1')
  if (encoding !== 'utf-8' && encoding !== 'us-ascii') {
    throw malformed('the encoding is none of UTF-8, US-ASCII and ISO-8859-1')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed('the document is not UTF-8')
  }
}

class TreeReader {
  readonly #limits: XmlTreeLimits
  readonly #open: OpenNode[] = []
  #elements = 0
  #root: XmlNode | undefined

  constructor(limits: XmlTreeLimits) {
    this.#limits = limits
  }

  read(text: string): XmlNode {
    const parser = new SaxesParser({
      position: false,
      defaultXMLVersion: '1.0',
      forceXMLVersion: true
    })
    parser.on('error', () => {
      throw malformed('the document is not well-formed XML')
    })
    parser.on('doctype', () => {
      throw malformed('a document type is not allowed')
    })
    parser.on('processinginstruction', () => {
      throw malformed('a processing instruction is not allowed')
    })
    parser.on('opentagstart', ({ name }) => this.#begin(name))
    parser.on('closetag', () => this.#end())
    parser.on('text', (part) => this.#append(part))
    parser.on('cdata', (part) => this.#append(part))
    parser.write(text).close()
    if (this.#root === undefined) throw malformed('the document is empty')
    return this.#root
  }

  #begin(name: string): void {
    if (this.#open.length >= this.#limits.maxDepth)
      throw malformed('elements are nested too deeply')
    if (++this.#elements > this.#limits.maxElements) throw malformed('there are too many elements')
    this.#open.push({ name, text: '', children: [] })
  }

  #end(): void {
    const node = this.#open.pop()
    if (node === undefined) return
    const parent = this.#open.at(-1)
    if (parent === undefined) this.#root = node
    else parent.children.push(node)
  }

  #append(part: string): void {
    const node = this.#open.at(-1)
    if (node !== undefined) node.text += part
  }
}
