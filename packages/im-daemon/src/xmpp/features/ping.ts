import { ns } from '../namespaces.ts'
import type { XmppFeature } from './feature.ts'

/** XEP-0199: shows that the server is alive. Contacts are not pinged; their presence says what is known. */
export const ping: XmppFeature = {
  title: 'XEP-0199 XMPP Ping',
  disco: { server: [ns.ping], account: [ns.ping] },
  iq: [
    {
      type: 'get',
      name: 'ping',
      namespace: ns.ping,
      targets: ['server', 'account'],
      answer: () => ({ result: undefined })
    }
  ]
}
