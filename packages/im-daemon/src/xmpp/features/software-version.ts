import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmppFeature } from './feature.ts'

/** XEP-0092: name and version of this program. Nothing about the computer, and nothing about contacts. */
export const softwareVersion: XmppFeature = {
  title: 'XEP-0092 Software Version',
  disco: { server: [ns.version] },
  iq: [
    {
      type: 'get',
      name: 'query',
      namespace: ns.version,
      targets: ['server', 'account'],
      answer: ({ server }) => ({
        result: xml(
          'query',
          ns.version,
          {},
          xml('name', ns.version, {}, 'Hushlamp'),
          xml('version', ns.version, {}, server.version)
        )
      })
    }
  ]
}
