import { hex, utf8 } from '@hushlamp/shared'

import { jidText } from '../jid.ts'
import { ns } from '../namespaces.ts'
import { refusal } from '../stanza-errors.ts'
import type { StanzaError } from '../stanza-errors.ts'
import { dateTime } from '../time-text.ts'
import { withoutForbiddenCharacters } from '../xml/characters.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import type { ChatMessage, ContactView } from '../xmpp-account.ts'
import {
  contactAddress,
  contactFullAddress,
  forward,
  forwardToResource,
  isError,
  targetOf
} from './addressing.ts'
import type { AccountContext, ClientContext, XmppFeature } from './feature.ts'
import { tellClientOf } from './fate.ts'
import { requestsReceipt } from './receipts.ts'

/** A body has at most this many bytes: with all that belongs to it, it fits into one payload of a link. */
export const maxBodyBytes: number = 128 * 1024

/** Longer ids are replaced on the way; the client is answered under its own. */
const maxIdLength = 128

/** A message that took longer than this is marked with the time at which it was written (XEP-0203). */
const delayShownSeconds = 10

/** RFC 6121 §5 and §8.5: texts between the user and his contacts, and among his own clients. */
export const messages: XmppFeature = {
  title: 'RFC 6121 §5 Messages',
  disco: { server: [ns.delay] },
  message: (context, stanza) => {
    const type = stanza.attribute('type')
    if (type === 'error') return true
    const target = targetOf(context, stanza.attribute('to'))
    if (isError(target)) refuse(context, stanza, target)
    else if (target.kind === 'contact') send(context, stanza, target.contact)
    else if (target.kind === 'account') toOwnClients(context, stanza, target.resource)
    else refuse(context, stanza, { condition: 'service-unavailable' })
    return true
  },
  clientChanged: ({ account, client, effect }, before) => {
    const takes = (client.presence?.priority ?? -1) >= 0
    const took = (before?.priority ?? -1) >= 0
    if (takes && !took && account.messageTakers().length === 1) {
      effect({ kind: 'need-pending', account: account.name })
    }
  },
  messageArrived: (context, from, message) => {
    const stanza = incoming(context, from, message)
    const takers = context.account.messageTakers()
    for (const client of takers) forward(context, client, stanza)
    return takers.length > 0
  },
  messageFailed: (context, { to, id, reason }, sent) => {
    const from = contactAddress(context, to)
    const stanza = xml('message', ns.client, { from, type: 'error', id: sent ? sent.stanzaId : id })
    const error: StanzaError = { condition: 'recipient-unavailable', text: reason }
    tellClientOf(context, sent, refusal(stanza.withAttributes({ to: from }), undefined, error))
  }
}

/**
 * Chat states, markers, corrections and the like are not passed on yet: a message without a body ends here. What a
 * feature is to carry to the other side it will have to add to {@link ChatMessage}.
 */
function send(context: ClientContext, stanza: XmlElement, contact: ContactView): void {
  const type = stanza.attribute('type')
  if (type === 'groupchat' || type === 'headline') {
    return refuse(context, stanza, { condition: 'service-unavailable' })
  }
  const body = stanza.childText('body')
  if (body === undefined || body === '') return
  if (utf8(body).length > maxBodyBytes) {
    return refuse(context, stanza, { condition: 'not-acceptable', text: tooLong })
  }
  const { account, client, server, now } = context
  const to = contact.alias
  const stanzaId = stanza.attribute('id')
  // A client that counts its ids from 1 after each start must not have its messages mixed up.
  const usable = stanzaId && stanzaId.length <= maxIdLength && !account.isSent(to, stanzaId)
  const id = usable ? stanzaId : hex(server.random.bytes(12))
  const receiptRequested = requestsReceipt(stanza)
  account.rememberSent(to, id, { address: client.address, stanzaId, receiptRequested })
  const message: ChatMessage = { id, body, sentAt: now.unixSeconds }
  context.effect({ kind: 'send-message', account: account.name, to, message, receiptRequested })
}

const tooLong = 'This message is too long. Send it in parts of at most 128 KiB.'

function incoming(context: AccountContext, alias: string, message: ChatMessage): XmlElement {
  const { server, now } = context
  const late = now.unixSeconds - message.sentAt > delayShownSeconds
  const stamp = late ? dateTime(message.sentAt) : undefined
  return xml(
    'message',
    ns.client,
    { from: contactFullAddress(context, alias), type: 'chat', id: message.id },
    xml('body', ns.client, {}, withoutForbiddenCharacters(message.body)),
    stamp === undefined ? undefined : xml('delay', ns.delay, { from: server.domain, stamp })
  )
}

/** RFC 6121 §8.5.2.1.1 and §8.5.3.2.1, for a note to oneself or from one client to another. */
function toOwnClients(
  context: ClientContext,
  stanza: XmlElement,
  resource: string | undefined
): void {
  const { account } = context
  const type = stanza.attribute('type')
  if (resource !== undefined && forwardToResource(context, resource, stanza)) return
  const takers = account.messageTakers()
  const to = jidText(account.jid)
  if (type === 'groupchat' || takers.length === 0) {
    if (type !== 'headline') {
      refuse(context, stanza.withAttributes({ to }), { condition: 'service-unavailable' })
    }
    return
  }
  for (const client of takers) forward(context, client, stanza)
}

function refuse(context: ClientContext, stanza: XmlElement, error: StanzaError): void {
  context.write(context.client, refusal(stanza, context.client.address, error))
}
