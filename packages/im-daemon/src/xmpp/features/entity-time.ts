import { ns } from '../namespaces.ts'
import { dateTime, zoneOffset } from '../time-text.ts'
import { xml } from '../xml/element.ts'
import type { XmppFeature } from './feature.ts'

/** XEP-0202: the time of this computer, for clients on this computer. Contacts are never asked for theirs. */
export const entityTime: XmppFeature = {
  title: 'XEP-0202 Entity Time',
  disco: { server: [ns.time] },
  iq: [
    {
      type: 'get',
      name: 'time',
      namespace: ns.time,
      targets: ['server', 'account'],
      answer: ({ server, now }) => {
        const { unixSeconds } = now
        const offset = zoneOffset(server.utcOffsetMinutes(unixSeconds))
        return {
          result: xml(
            'time',
            ns.time,
            {},
            xml('tzo', ns.time, {}, offset),
            xml('utc', ns.time, {}, dateTime(unixSeconds))
          )
        }
      }
    }
  ]
}
