import { utf8 } from '@hushlamp/shared'

import { serialize } from '../../packages/im-daemon/src/xmpp/xml/serializer.ts'
import {
  XmlStreamParser,
  parseElement
} from '../../packages/im-daemon/src/xmpp/xml/stream-parser.ts'
import { ensure, piecesOf } from '../target.ts'
import type { FuzzTarget } from '../target.ts'

const limits = { maxStanzaLength: 3_000, maxDepth: 12 }
const header = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`

const xml: FuzzTarget = {
  name: 'xml-stream',
  seeds: () => [
    utf8(
      `${header}<message to='bob@localhost' id='1'><body>h&#233;llo &amp; ☂</body></message></stream:stream>`
    ),
    utf8(
      `${header} <iq type='set' id='2'><query xmlns='jabber:iq:roster'><item jid='a@b' xml:lang='en'/></query></iq>`
    ),
    utf8(
      `${header}<presence><show>away</show><x xmlns='a:b' xmlns:p='c:d' p:q='r'><![CDATA[<&>]]></x></presence>`
    )
  ],
  run: (input) => {
    const parser = new XmlStreamParser(limits)
    const events = piecesOf(input).flatMap((piece) => parser.push(piece))
    const last = events.findIndex(({ kind }) => kind === 'failed' || kind === 'stream-closed')
    ensure(last < 0 || last === events.length - 1, 'something follows the end of the stream')
    for (const event of events) {
      if (event.kind !== 'element') continue
      const text = serialize(event.element)
      const again = parseElement(text, { maxStanzaLength: 100_000, maxDepth: 20 })
      ensure(
        again !== undefined && serialize(again) === text,
        'an element that reads back differently'
      )
    }
  }
}

/** The decoders of what programs of the user send. */
export const daemonTargets: readonly FuzzTarget[] = [xml]
