import type { BoundClient } from '../account-hub.ts'
import { bareJid, jidText, parseJid } from '../jid.ts'
import type { StanzaError } from '../stanza-errors.ts'
import type { XmlElement } from '../xml/element.ts'
import type { AccountContext, ClientContext, Target } from './feature.ts'

/** Resource under which a contact's side appears. Nothing is told of how many devices a contact has. */
export const contactResource = 'hushlamp'

/** Finds out who is addressed; without an address it is the account itself (RFC 6120 §10.3). */
export function targetOf(
  { server, account }: AccountContext,
  to: string | undefined
): Target | StanzaError {
  if (to === undefined) return { kind: 'account', resource: undefined }
  const jid = parseJid(to)
  if (jid === undefined) return { condition: 'jid-malformed' }
  if (jid.domain !== server.domain) {
    return {
      condition: 'remote-server-not-found',
      text: `Hushlamp has no connection to other servers. Your contacts are …@${server.domain}.`
    }
  }
  if (jid.local === undefined) return { kind: 'server' }
  if (jid.local === account.name) return { kind: 'account', resource: jid.resource }
  const contact = account.contacts.get(jid.local)
  return contact === undefined
    ? { condition: 'item-not-found', text: howToAddContact }
    : { kind: 'contact', contact, resource: jid.resource }
}

/** Whether {@link targetOf} has found nobody. */
export function isError(target: Target | StanzaError): target is StanzaError {
  return 'condition' in target
}

const howToAddContact =
  'There is no such contact. Add one with "hushlamp contacts add" and the certificate file of your friend, while Hushlamp is stopped.'

/** `alias@domain`. */
export function contactAddress({ server }: AccountContext, alias: string): string {
  return bareJid({ local: alias, domain: server.domain })
}

/** `alias@domain/hushlamp`: where a contact's presence and messages come from. */
export function contactFullAddress({ server }: AccountContext, alias: string): string {
  return jidText({ local: alias, domain: server.domain, resource: contactResource })
}

/** Sends a copy of a stanza to a client, addressed to it. */
export function forward(context: AccountContext, client: BoundClient, stanza: XmlElement): void {
  context.write(client, stanza.withAttributes({ to: client.address }))
}

/** Passes a stanza to another client of the same user; false where there is none of this resource. */
export function forwardToResource(
  context: ClientContext,
  resource: string,
  stanza: XmlElement
): boolean {
  const client = context.account.clients.get(resource)
  if (client !== undefined) forward(context, client, stanza)
  return client !== undefined
}
