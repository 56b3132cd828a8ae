import { base64, sha1, utf8 } from '@hushlamp/shared'

import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import type { ServerView, Target } from './feature.ts'

/** Names this program where clients remember what it can do. */
const node = 'urn:hushlamp:contact'

/** What the side of a contact calls itself in service discovery (XEP-0030 §3.1). */
export const contactIdentity: Readonly<Record<'category' | 'type' | 'name', string>> = {
  category: 'client',
  type: 'pc',
  name: 'Hushlamp'
}

/** What is offered to clients by the server, the account or a contact, in the order of code points. */
export function featuresOf(server: ServerView, kind: Target['kind']): readonly string[] {
  return [...new Set(server.features.flatMap((feature) => feature.disco?.[kind] ?? []))].sort()
}

/**
 * XEP-0115: tells in the presence of a contact what messages to it may carry; without it some clients never ask for
 * receipts. It describes this program and is the same for all contacts: nothing is told about the other computer.
 */
export function capabilities(server: ServerView): XmlElement {
  return xml('c', ns.capabilities, { hash: 'sha-1', node, ver: verification(server) })
}

/** Whether a client asks for what {@link capabilities} has announced (XEP-0115 §6.2). */
export function isCapabilitiesNode(server: ServerView, asked: string): boolean {
  return asked === `${node}#${verification(server)}`
}

/** XEP-0115 §5.1. */
function verification(server: ServerView): string {
  const { category, type, name } = contactIdentity
  const parts = [`${category}/${type}//${name}`, ...featuresOf(server, 'contact')]
  return base64(sha1(utf8(parts.map((part) => `${part}<`).join(''))))
}
