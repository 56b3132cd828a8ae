import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmppFeature } from './feature.ts'

/** XEP-0054: cards are empty. Clients ask for them at login and some wait for the answer. */
export const vcard: XmppFeature = {
  title: 'XEP-0054 vcard-temp',
  disco: { account: [ns.vcard], contact: [ns.vcard] },
  iq: [
    {
      type: 'get',
      name: 'vCard',
      namespace: ns.vcard,
      targets: ['server', 'account', 'contact'],
      answer: () => ({ result: xml('vCard', ns.vcard) })
    },
    {
      type: 'set',
      name: 'vCard',
      namespace: ns.vcard,
      targets: ['account'],
      answer: () => ({
        error: {
          condition: 'not-allowed',
          text: 'Hushlamp keeps no card and shows none to anybody.'
        }
      })
    }
  ]
}
