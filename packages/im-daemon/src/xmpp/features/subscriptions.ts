import { ns } from '../namespaces.ts'
import { bareJid } from '../jid.ts'
import { refusal } from '../stanza-errors.ts'
import type { StanzaError } from '../stanza-errors.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import type { ContactView } from '../xmpp-account.ts'
import { contactAddress, forward, isError, targetOf } from './addressing.ts'
import type { ClientContext, XmppFeature } from './feature.ts'
import { contactPresence } from './presence.ts'
import { pushContact } from './roster.ts'

/**
 * RFC 6121 §3: who may see whom. Here every contact is mutual from the invitation to the removal, so asking a contact is
 * answered with yes at once, and taking back a part is refused with a text that says what can be done instead. Nothing
 * of this ever leaves the computer.
 */
export const subscriptions: XmppFeature = {
  title: 'RFC 6121 §3 Presence Subscriptions',
  presence: (context, stanza) => {
    const type = stanza.attribute('type') ?? ''
    if (!/^(?:un)?subscribed?$/.test(type)) return false
    const to = stanza.attribute('to')
    const target = to === undefined ? badRequest : targetOf(context, to)
    if (isError(target)) {
      // There is nobody to end anything with: the wish is fulfilled already.
      if (type === 'subscribe' || type === 'subscribed') refuse(context, stanza, target)
    } else if (target.kind !== 'contact') {
      refuse(context, stanza, { condition: 'not-allowed' })
    } else if (type === 'subscribe') {
      welcome(context, target.contact)
    } else if (type !== 'subscribed') {
      refuse(context, stanza, { condition: 'not-allowed', text: howToHide })
      pushContact(context, target.contact)
    }
    return true
  }
}

const badRequest: StanzaError = { condition: 'bad-request' }

const howToHide =
  'Contacts see each other or not at all. Hiding from one of them is not possible yet.'

function welcome(context: ClientContext, contact: ContactView): void {
  const from = contactAddress(context, contact.alias)
  const to = bareJid(context.account.jid)
  context.write(context.client, xml('presence', ns.client, { from, to, type: 'subscribed' }))
  pushContact(context, contact)
  forward(context, context.client, contactPresence(context, contact))
}

function refuse(context: ClientContext, stanza: XmlElement, error: StanzaError): void {
  context.write(context.client, refusal(stanza, context.client.address, error))
}
