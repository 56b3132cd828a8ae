import { utf8 } from '@hushlamp/shared'

import { ControlReplyParser } from '../../packages/client/src/tor/control-reply-parser.ts'
import { HttpResponseParser } from '../../packages/client/src/tor/http-response-parser.ts'
import { socksDestination } from '../../packages/client/src/tor/socks5-address.ts'
import { Socks5Handshake } from '../../packages/client/src/tor/socks5-handshake.ts'
import { ensure, piecesOf } from '../target.ts'
import type { FuzzInput, FuzzTarget } from '../target.ts'

/** A parser of streams gives the same for the same bytes, wherever they are cut. */
function sameHoweverCut(input: FuzzInput, parse: (pieces: readonly Uint8Array[]) => unknown): void {
  const [whole, cut] = [parse([input.bytes]), parse(piecesOf(input))].map((result) =>
    JSON.stringify(result)
  )
  ensure(whole === cut, 'the cuts of the stream make a difference')
}

const control: FuzzTarget = {
  name: 'control-port',
  seeds: () => [
    utf8('250-version=0.4.8.10\r\n250 OK\r\n'),
    utf8('250+info/names=\r\nconfig -- a\r\n..dot\r\n.\r\n250 OK\r\n650 HS_DESC UPLOADED a b\r\n'),
    utf8('551 Unknown option\r\n650-STATUS_CLIENT NOTICE\r\n650 BOOTSTRAP PROGRESS=100\r\n')
  ],
  run: (input) => {
    sameHoweverCut(input, (pieces) => {
      const parser = new ControlReplyParser({ maxLineBytes: 200, maxReplyBytes: 1_000 })
      const items = pieces.flatMap((piece) => parser.push(piece))
      const at = items.findIndex(({ kind }) => kind === 'malformed')
      ensure(at < 0 || at === items.length - 1, 'something follows a malformed reply')
      return items
    })
  }
}

const socks: FuzzTarget = {
  name: 'socks-reply',
  seeds: () => [
    new Uint8Array([5, 2, 1, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80, 9, 9]),
    new Uint8Array([5, 2, 1, 0, 5, 0xf4, 0, 3, 3, 97, 98, 99, 0, 80]),
    new Uint8Array([5, 0xff]),
    new Uint8Array([5, 2, 1, 0, 5, 0, 0, 4, ...new Uint8Array(18)])
  ],
  run: (input) => {
    sameHoweverCut(input, (pieces) => {
      const handshake = new Socks5Handshake({
        destination: socksDestination({ kind: 'host', host: 'example.com', port: 80 }),
        circuit: { username: 'u', password: 'p' }
      })
      const effects = [...handshake.start(), ...pieces.flatMap((piece) => handshake.push(piece))]
      return effects.map(({ kind }) => kind)
    })
  }
}

const http: FuzzTarget = {
  name: 'http-response',
  seeds: () => [
    utf8(
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Mon, 01 Jan 2030 00:00:00 GMT\r\n\r\nhello'
    ),
    utf8('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n'),
    utf8('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\n\r\nuntil the end')
  ],
  run: (input) => {
    sameHoweverCut(input, (pieces) => {
      const parser = new HttpResponseParser('GET', { maxBodyBytes: 1_000, maxHeadBytes: 500 })
      for (const piece of pieces) parser.push(piece)
      const end = parser.end()
      if (end.kind === 'complete')
        ensure(end.response.body.length <= 1_000, 'a body above the limit')
      return end.kind
    })
  }
}

/** The decoders of what Tor and the registries answer. */
export const clientTargets: readonly FuzzTarget[] = [control, socks, http]
