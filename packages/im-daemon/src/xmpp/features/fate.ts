import type { SentMessage } from '../account-hub.ts'
import type { XmlElement } from '../xml/element.ts'
import { forward } from './addressing.ts'
import type { AccountContext } from './feature.ts'

/**
 * Tells what became of a message: the client that sent it; if that is gone, all that are available; if there is none,
 * the next that becomes available. A user should not have to guess because his client was restarted.
 */
export function tellClientOf(
  context: AccountContext,
  sent: SentMessage | undefined,
  stanza: XmlElement
): void {
  const { account } = context
  const sender = [...account.clients.values()].find(({ address }) => address === sent?.address)
  const listeners = sender === undefined ? account.availableClients() : [sender]
  if (listeners.length === 0) account.owe(stanza)
  for (const client of listeners) forward(context, client, stanza)
}
