import type { BoundClient, ClientPresence } from '../account-hub.ts'
import { ns } from '../namespaces.ts'
import { refusal } from '../stanza-errors.ts'
import { localTime } from '../time-text.ts'
import { withoutForbiddenCharacters } from '../xml/characters.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import { serialize } from '../xml/serializer.ts'
import type { ContactView, OwnPresence, Show } from '../xmpp-account.ts'
import { contactFullAddress, forward, forwardToResource, isError, targetOf } from './addressing.ts'
import { capabilities } from './capabilities.ts'
import type { AccountContext, ClientContext, XmppFeature } from './feature.ts'

const shows: readonly string[] = ['away', 'chat', 'dnd', 'xa'] satisfies readonly Show[]

/** Contacts are sent no longer text than this, in characters. */
const maxStatusLength = 500

/**
 * RFC 6121 §4: what a client shows goes to the user's other clients and, through the daemon, to the contacts; what
 * contacts show comes back. Contacts never learn of single clients, of their names or how many there are.
 */
export const presence: XmppFeature = {
  title: 'RFC 6121 §4 Presence',
  presence: (context, stanza) => {
    if (stanza.attribute('to') === undefined) broadcast(context, stanza)
    else direct(context, stanza)
    return true
  },
  clientChanged: (context, before) => {
    const { client } = context
    if (before === undefined && client.presence !== undefined) greet(context, client)
    tellOwnPresence(context)
    if (client.presence !== undefined) return forwardToAvailable(context, client.presence.stanza)
    if (before !== undefined) forwardToAvailable(context, unavailableFrom(client))
  },
  clientGone: (context) => {
    const { client } = context
    if (client.presence === undefined) return
    forwardToAvailable(context, unavailableFrom(client))
    tellOwnPresence(context)
  },
  contactChanged: (context, contact, before) => {
    const stanza = contactPresence(context, contact)
    const told = before === undefined ? silence(context, contact) : contactPresence(context, before)
    if (serialize(told) !== serialize(stanza)) forwardToAvailable(context, stanza)
  },
  contactRemoved: (context, contact) => forwardToAvailable(context, silence(context, contact))
}

/** Tells a client of all contacts that there is something to tell about. Who is offline is not mentioned. */
export function sendContactPresences(
  context: ClientContext,
  contacts: Iterable<ContactView>
): void {
  for (const contact of contacts) {
    if (contact.state !== 'offline') {
      forward(context, context.client, contactPresence(context, contact))
    }
  }
}

/**
 * How a contact appears. Only a contact with a live link is available; what is not known for certain is shown as
 * unavailable, and the text says why.
 */
export function contactPresence(context: AccountContext, contact: ContactView): XmlElement {
  const { alias, state, show, statusText } = contact
  const from = contactFullAddress(context, alias)
  if (state !== 'online') {
    return xml(
      'presence',
      ns.client,
      { from, type: 'unavailable' },
      status(doubt(context, contact))
    )
  }
  return xml(
    'presence',
    ns.client,
    { from },
    show === undefined ? undefined : xml('show', ns.client, {}, show),
    status(statusText),
    capabilities(context.server)
  )
}

function doubt(context: AccountContext, { state, since }: ContactView): string | undefined {
  if (state === 'connecting') return 'connecting…'
  if (state !== 'unknown') return undefined
  const { now, server } = context
  const time =
    since === undefined
      ? undefined
      : localTime(since, now.unixSeconds, (at) => server.utcOffsetMinutes(at))
  return time === undefined ? 'unknown' : `unknown since ${time}`
}

function status(text: string | undefined): XmlElement | undefined {
  return text === undefined || text === '' ? undefined : xml('status', ns.client, {}, text)
}

/** What a client assumes of a contact that it has heard nothing of. */
function silence(context: AccountContext, { alias }: ContactView): XmlElement {
  return contactPresence(context, { alias, groups: [], state: 'offline' })
}

/** A client says how available it is (RFC 6121 §4.2, §4.4, §4.5). */
function broadcast(context: ClientContext, stanza: XmlElement): void {
  const type = stanza.attribute('type')
  if (type !== undefined && type !== 'unavailable') {
    if (type !== 'error' && type !== 'probe') refuse(context, stanza)
    return
  }
  const { client } = context
  const before = client.presence
  client.presence = type === undefined ? readPresence(context, stanza) : undefined
  for (const feature of context.server.features) feature.clientChanged?.(context, before)
}

function readPresence({ account }: ClientContext, stanza: XmlElement): ClientPresence {
  const priority = Number(stanza.childText('priority')?.trim() ?? '0')
  const show = stanza.childText('show')?.trim()
  const text = stanza.childText('status')
  return {
    stanza,
    // RFC 6121 §4.7.2.3
    priority: Number.isInteger(priority) && Math.abs(priority) <= 128 ? priority : 0,
    ...(show !== undefined && isShow(show) ? { show } : {}),
    ...(text === undefined || text === '' ? {} : { statusText: shortened(text) }),
    order: account.nextOrder()
  }
}

function isShow(text: string): text is Show {
  return shows.includes(text)
}

function shortened(text: string): string {
  return withoutForbiddenCharacters(withoutForbiddenCharacters(text).slice(0, maxStatusLength))
}

/** A client that becomes available learns of the contacts and of the user's other clients. */
function greet(context: ClientContext, client: BoundClient): void {
  sendContactPresences(context, context.account.contacts.values())
  for (const other of context.account.availableClients()) {
    if (other !== client && other.presence !== undefined) {
      forward(context, client, other.presence.stanza)
    }
  }
  for (const stanza of context.account.takeOwed()) forward(context, client, stanza)
}

function forwardToAvailable(context: AccountContext, stanza: XmlElement): void {
  for (const client of context.account.availableClients()) forward(context, client, stanza)
}

function unavailableFrom(client: BoundClient): XmlElement {
  return xml('presence', ns.client, { from: client.address, type: 'unavailable' })
}

/** The daemon shows contacts one presence: that of the client with the highest priority, of equals the latest. */
function tellOwnPresence({ account, effect }: AccountContext): void {
  const [best] = account
    .availableClients()
    .flatMap((client) => client.presence ?? [])
    .sort((a, b) => b.priority - a.priority || b.order - a.order)
  const shown: OwnPresence =
    best === undefined
      ? { available: false }
      : {
          available: true,
          ...(best.show === undefined ? {} : { show: best.show }),
          ...(best.statusText === undefined ? {} : { statusText: best.statusText })
        }
  const before = account.shownPresence
  if (
    before.available === shown.available &&
    before.show === shown.show &&
    before.statusText === shown.statusText
  ) {
    return
  }
  account.shownPresence = shown
  effect({ kind: 'own-presence', account: account.name, presence: shown })
}

/**
 * Presence addressed to somebody (RFC 6121 §4.6). Contacts see the user's presence anyway and are not shown another one,
 * so it goes nowhere; a probe is answered with what is known.
 */
function direct(context: ClientContext, stanza: XmlElement): void {
  const type = stanza.attribute('type')
  const target = targetOf(context, stanza.attribute('to'))
  if (type === 'error') return
  if (isError(target)) {
    // Leaving a place that one never entered needs no answer.
    if (type !== 'unavailable')
      context.write(context.client, refusal(stanza, context.client.address, target))
    return
  }
  if (type !== undefined && type !== 'unavailable' && type !== 'probe') {
    return refuse(context, stanza)
  }
  if (target.kind === 'contact' && type === 'probe') {
    forward(context, context.client, contactPresence(context, target.contact))
  }
  if (target.kind === 'account' && target.resource !== undefined && type !== 'probe') {
    forwardToResource(context, target.resource, stanza)
  }
}

function refuse(context: ClientContext, stanza: XmlElement): void {
  const { client } = context
  context.write(client, refusal(stanza, client.address, { condition: 'bad-request' }))
}
