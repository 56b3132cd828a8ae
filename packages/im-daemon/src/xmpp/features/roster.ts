import { base64, hex, sha256, utf8 } from '@hushlamp/shared'

import { parseJid } from '../jid.ts'
import { ns } from '../namespaces.ts'
import type { StanzaError } from '../stanza-errors.ts'
import type { ContactView } from '../xmpp-account.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import { serialize } from '../xml/serializer.ts'
import { contactAddress, isError, targetOf } from './addressing.ts'
import type { AccountContext, IqContext, IqReply, XmppFeature } from './feature.ts'
import { sendContactPresences } from './presence.ts'

const maxNameLength = 1023
const maxGroups = 64

/**
 * RFC 6121 §2: the list of contacts. Contacts come and go by invitation and removal outside of XMPP; a client may give
 * them names and groups. Results and pushes carry no `from`, as some clients take any for a forgery.
 */
export const roster: XmppFeature = {
  title: 'RFC 6121 §2 Roster',
  disco: { account: [ns.roster] },
  streamFeatures: [xml('ver', ns.rosterVersioning)],
  iq: [
    {
      type: 'get',
      name: 'query',
      namespace: ns.roster,
      targets: ['account', 'server'],
      answer: get
    },
    {
      type: 'set',
      name: 'query',
      namespace: ns.roster,
      targets: ['account', 'server'],
      answer: set
    }
  ],
  contactChanged: (context, contact, before) => {
    const item = rosterItem(context, contact)
    if (before !== undefined && serialize(rosterItem(context, before)) === serialize(item)) return
    push(context, item)
  },
  contactRemoved: (context, contact) => {
    const jid = contactAddress(context, contact.alias)
    push(context, xml('item', ns.roster, { jid, subscription: 'remove' }))
  }
}

/** Tells all interested clients again how a contact stands in the roster. */
export function pushContact(context: AccountContext, contact: ContactView): void {
  push(context, rosterItem(context, contact))
}

function get(context: IqContext, query: XmlElement): IqReply {
  const { account, client } = context
  client.interested = true
  const items = rosterItems(context)
  const version = versionOf(items)
  // RFC 6121 §2.6.3: an empty result says that the client's copy is up to date.
  const upToDate = query.attribute('ver') === version
  return {
    result: upToDate ? undefined : xml('query', ns.roster, { ver: version }, ...items),
    // A client that became available before it knew its roster may have ignored the presences it got.
    afterwards: () => {
      if (client.presence !== undefined) sendContactPresences(context, account.contacts.values())
    }
  }
}

function set(context: IqContext, query: XmlElement): IqReply {
  const [item, ...more] = query.childrenNamed('item')
  const address = item?.attribute('jid')
  const jid = parseJid(address ?? '')
  if (item === undefined || more.length > 0 || jid === undefined || jid.resource !== undefined) {
    return { error: { condition: 'bad-request' } }
  }
  const target = targetOf(context, address)
  if (isError(target)) return { error: target }
  if (target.kind !== 'contact') return { error: { condition: 'not-allowed' } }
  if (item.attribute('subscription') === 'remove') {
    return { error: { condition: 'not-allowed', text: howToRemove } }
  }
  const name = item.attribute('name')?.trim() || undefined
  const groups = item.childrenNamed('group').map((group) => group.text().trim())
  const error = checkNames(name, groups)
  if (error !== undefined) return { error }
  const { alias } = target.contact
  context.effect({ kind: 'rename-contact', account: context.account.name, alias, name, groups })
  return { result: undefined }
}

const howToRemove =
  'Contacts cannot be removed yet: it has to take away their way to see you as well.'

/** RFC 6121 §2.3.3. */
function checkNames(name: string | undefined, groups: readonly string[]): StanzaError | undefined {
  if (new Set(groups).size !== groups.length) return { condition: 'bad-request' }
  if (groups.some((group) => group === '' || group.length > maxNameLength)) {
    return { condition: 'not-acceptable' }
  }
  return (name?.length ?? 0) > maxNameLength || groups.length > maxGroups
    ? { condition: 'not-acceptable' }
    : undefined
}

function push(context: AccountContext, item: XmlElement): void {
  const interested = [...context.account.clients.values()].filter((client) => client.interested)
  if (interested.length === 0) return
  const query = xml('query', ns.roster, { ver: versionOf(rosterItems(context)) }, item)
  for (const client of interested) {
    const id = `push-${hex(context.server.random.bytes(6))}`
    context.write(client, xml('iq', ns.client, { type: 'set', id, to: client.address }, query))
  }
}

function rosterItems(context: AccountContext): readonly XmlElement[] {
  return [...context.account.contacts.values()]
    .sort((a, b) => (a.alias < b.alias ? -1 : 1))
    .map((contact) => rosterItem(context, contact))
}

/** Every contact is mutual: whoever is in the list sees the user and is seen by him. */
function rosterItem(context: AccountContext, contact: ContactView): XmlElement {
  const { alias, name } = contact
  return xml(
    'item',
    ns.roster,
    { jid: contactAddress(context, alias), name, subscription: 'both' },
    ...[...new Set(contact.groups)].map((group) => xml('group', ns.roster, {}, group))
  )
}

/** A fingerprint of the content: it needs no storage, and the same roster has the same version again. */
function versionOf(items: readonly XmlElement[]): string {
  const digest = sha256(utf8(items.map((item) => serialize(item)).join('')))
  return base64(digest.subarray(0, 12))
}
