import { base64, fromBase64 } from '@hushlamp/shared'

import { malformed } from './malformed.ts'
import { isInt, typeOfValue } from './value.ts'
import type { MethodCall, XmlRpcFault, XmlRpcValue } from './value.ts'
import { parseXml } from './xml-tree.ts'
import type { XmlNode } from './xml-tree.ts'

/** Most parameters of a call; OpenDHT's own methods have at most six. */
export const maxParams = 16

/** OpenDHT's calls need seven levels and some thirty elements. */
const treeLimits = { maxDepth: 16, maxElements: 256 }

const whiteSpace = /[ \t\r\n]+/g
const methodName = /^[A-Za-z0-9_.:/]{1,64}$/
const integer = /^[+-]?[0-9]{1,10}$/

/**
 * The call in the body of a request (XML-RPC specification, "Request format").
 *
 * @throws HushlampError `registry-malformed` with a message that says what is wrong and repeats nothing of the body.
 */
export function decodeMethodCall(body: Uint8Array): MethodCall {
  const call = parseXml(body, treeLimits)
  if (call.name !== 'methodCall') throw malformed('the document is not a methodCall')
  const [name, params, ...more] = childrenOf(call)
  if (name?.name !== 'methodName' || more.length > 0) {
    throw malformed('a methodCall holds a methodName and params')
  }
  return { method: nameOf(name), params: params === undefined ? [] : paramsOf(params) }
}

function nameOf(node: XmlNode): string {
  const name = leaf(node)
  if (!methodName.test(name)) throw malformed('the methodName is none')
  return name
}

function paramsOf(node: XmlNode): readonly XmlRpcValue[] {
  const params = childrenOf(node)
  if (node.name !== 'params' || params.some(({ name }) => name !== 'param')) {
    throw malformed('params holds param after param')
  }
  if (params.length > maxParams) throw malformed(`a call has at most ${maxParams} params`)
  return params.map((param) => decodeValue(onlyChild(param)))
}

function decodeValue(node: XmlNode): XmlRpcValue {
  if (node.name !== 'value') throw malformed('a value is missing')
  // Where no type is given, the type is string.
  if (node.children.length === 0) return node.text
  const content = onlyChild(node)
  switch (content.name) {
    case 'int':
    case 'i4':
      return decodeInt(leaf(content))
    case 'string':
      return leaf(content)
    case 'base64':
      return decodeBase64(leaf(content))
    case 'array':
      return decodeArray(content)
    default:
      throw malformed('a value has a type other than int, i4, string, base64 and array')
  }
}

function decodeInt(text: string): number {
  const digits = text.trim()
  const value = integer.test(digits) ? Number(digits) : NaN
  if (!isInt(value)) throw malformed('an int is not a whole number of 32 bits')
  // No negative zero: nothing else could tell it from zero.
  return value + 0
}

/** Clients break base64 into lines, and some indent them. */
function decodeBase64(text: string): Uint8Array {
  const bytes = fromBase64(text.replace(whiteSpace, ''))
  if (bytes === undefined) throw malformed('a base64 is none')
  return bytes
}

function decodeArray(node: XmlNode): readonly XmlRpcValue[] {
  const data = onlyChild(node)
  if (data.name !== 'data') throw malformed('an array holds data')
  return childrenOf(data).map(decodeValue)
}

/** The text of an element that has nothing else. */
function leaf(node: XmlNode): string {
  if (node.children.length > 0) throw malformed('there are elements where text should be')
  return node.text
}

/** The children of an element that has no text but white space. */
function childrenOf(node: XmlNode): readonly XmlNode[] {
  if (/[^ \t\r\n]/.test(node.text)) throw malformed('there is text between elements')
  return node.children
}

function onlyChild(node: XmlNode): XmlNode {
  const [child, ...more] = childrenOf(node)
  if (child === undefined || more.length > 0) throw malformed('an element does not hold one other')
  return child
}

/** The body of an answer with the result of a call. */
export function encodeMethodResponse(result: XmlRpcValue): string {
  return response(`<params><param>${encodeValue(result)}</param></params>`)
}

/** The body of an answer to a call that failed. Its HTTP status is 200 all the same, as XML-RPC demands. */
export function encodeFault({ code, text }: XmlRpcFault): string {
  const members = member('faultCode', code) + member('faultString', text)
  return response(`<fault><value><struct>${members}</struct></value></fault>`)
}

function member(name: string, value: XmlRpcValue): string {
  return `<member><name>${name}</name>${encodeValue(value)}</member>`
}

function response(content: string): string {
  return `<?xml version="1.0"?>\n<methodResponse>${content}</methodResponse>\n`
}

/** A value with its type as an element `value`. Numbers are ints; characters that XML lacks are replaced. */
export function encodeValue(value: XmlRpcValue): string {
  if (typeof value === 'number') return typed('int', String(value))
  if (typeof value === 'string') return typed('string', escaped(value))
  if (value instanceof Uint8Array) return typed('base64', base64(value))
  return typed(typeOfValue(value), `<data>${value.map(encodeValue).join('')}</data>`)
}

function typed(type: string, content: string): string {
  return `<value><${type}>${content}</${type}></value>`
}

/** Characters that XML 1.0 has not, under any escape. */
const notXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

function escaped(text: string): string {
  return text
    .replaceAll(notXml, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
}
