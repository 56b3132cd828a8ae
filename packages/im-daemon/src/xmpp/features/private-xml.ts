import { utf8 } from '@hushlamp/shared'

import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import { serialize } from '../xml/serializer.ts'
import { parseElement } from '../xml/stream-parser.ts'
import type { IqContext, IqReply, XmppFeature } from './feature.ts'

const maxKeys = 64
const maxBytes = 64 * 1024

/** XEP-0049: a drawer in which clients keep bookmarks and notes of their own. */
export const privateXml: XmppFeature = {
  title: 'XEP-0049 Private XML Storage',
  disco: { server: [ns.privateXml], account: [ns.privateXml] },
  iq: [
    {
      type: 'get',
      name: 'query',
      namespace: ns.privateXml,
      targets: ['server', 'account'],
      answer: read
    },
    {
      type: 'set',
      name: 'query',
      namespace: ns.privateXml,
      targets: ['server', 'account'],
      answer: store
    }
  ]
}

function read({ account, server }: IqContext, query: XmlElement): IqReply {
  const [wanted, ...more] = query.elements()
  if (wanted === undefined || more.length > 0) return { error: { condition: 'bad-request' } }
  const key = keyOf(wanted)
  const text = account.privateXml.get(key) ?? server.accounts.privateXmlOf?.(account.name, key)
  const limits = { maxStanzaLength: maxBytes, maxDepth: 64 }
  const stored = text === undefined ? undefined : parseElement(text, limits)
  return { result: xml('query', ns.privateXml, {}, stored ?? xml(wanted.name, wanted.namespace)) }
}

function store({ account, effect }: IqContext, query: XmlElement): IqReply {
  const parts = query.elements()
  if (parts.length === 0) return { error: { condition: 'bad-request' } }
  // XEP-0049 §2.1: the namespaces of XMPP itself are not for private use.
  const reserved = /^(?:$|jabber:|vcard-temp$)/
  if (parts.some((part) => reserved.test(part.namespace))) {
    return { error: { condition: 'not-acceptable' } }
  }
  const entries = parts.map((part) => ({ key: keyOf(part), text: serialize(part) }))
  const keys = new Set([...account.privateXml.keys(), ...entries.map(({ key }) => key)])
  if (keys.size > maxKeys || entries.some(({ text }) => utf8(text).length > maxBytes)) {
    return { error: { condition: 'resource-constraint' } }
  }
  for (const { key, text } of entries) {
    account.privateXml.set(key, text)
    effect({ kind: 'store-private', account: account.name, key, xml: text })
  }
  return { result: undefined }
}

function keyOf(element: XmlElement): string {
  return `{${element.namespace}}${element.name}`
}
