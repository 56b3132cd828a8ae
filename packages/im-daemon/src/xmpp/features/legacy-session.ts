import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmppFeature } from './feature.ts'

/** Session establishment of RFC 3921 §3: says yes to old clients, and tells new ones that they need not ask. */
export const legacySession: XmppFeature = {
  title: 'RFC 3921 §3 Session Establishment',
  streamFeatures: [xml('session', ns.session, {}, xml('optional', ns.session))],
  iq: [
    {
      type: 'set',
      name: 'session',
      namespace: ns.session,
      targets: ['server', 'account'],
      answer: () => ({ result: undefined })
    }
  ]
}
