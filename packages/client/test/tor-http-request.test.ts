import type { Duplex } from 'node:stream'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { requestThroughTor } from '../src/index.ts'
import type { HttpRequest, HttpResponse } from '../src/index.ts'
import { HttpResponseParser } from '../src/tor/http-response-parser.ts'
import type { HttpProgress } from '../src/tor/http-response-parser.ts'
import { FakeTor, FakeTorNetwork } from '../testing/index.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const limits = { maxHeadBytes: 200, maxBodyBytes: 50 }

const parse = (text: string, cuts: readonly number[] = [], method = 'GET'): HttpProgress => {
  const bytes = Buffer.from(text, 'latin1')
  const parser = new HttpResponseParser(method, limits)
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
  for (const [index, from] of [0, ...places].entries()) {
    parser.push(bytes.subarray(from, places[index] ?? bytes.length))
  }
  return parser.end()
}
const bodyOf = (progress: HttpProgress): string | undefined =>
  progress.kind === 'complete' ? Buffer.from(progress.response.body).toString() : undefined

const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`

describe('the parser of HTTP answers', () => {
  test.each([
    ['a length', `${ok}Content-Length: 5\r\n\r\nhello, not this`],
    ['chunks', `${chunked}3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n`],
    ['the end of the stream', `${ok}Server: x\r\n\r\nhello`],
    ['an interim answer before', `HTTP/1.1 103 Early\r\nLink: x\r\n\r\n${ok}\r\nhello`],
    ['no reason phrase', 'HTTP/1.1 200\r\n\r\nhello']
  ])('reads a body by %s, however it is cut', (_, text) => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(bodyOf(parse(text, cuts))).toBe('hello')
      })
    )
  })

  test('reads status and headers', () => {
    const progress = parse(
      'HTTP/1.1 503 Busy\r\nA: 1\r\nb:\t2 \r\na: 3\r\nContent-Length: 0\r\n\r\n'
    )
    if (progress.kind !== 'complete') throw new Error('incomplete')
    expect(progress.response.status).toBe(503)
    expect(Object.fromEntries(progress.response.headers)).toEqual({
      a: '1, 3',
      b: '2',
      'content-length': '0'
    })
  })

  test.each(['HEAD', 'GET'])('knows that an answer to %s may have no body', (method) => {
    const status = method === 'HEAD' ? '200' : '204'
    const text = `HTTP/1.1 ${status} x\r\nContent-Length: 5\r\n\r\n`
    expect(bodyOf(parse(text, [], method))).toBe('')
  })

  test.each([
    ['another protocol', 'SSH-2.0-x\r\n'],
    ['a bare newline', 'HTTP/1.1 200 OK\n\r\n\r\n'],
    ['a folded field', `${ok}A: b\r\n c\r\n\r\n`],
    ['a space before the colon', `${ok}A : b\r\n\r\n`],
    ['two lengths', `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
    ['a length and chunks', `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['a negative length', `${ok}Content-Length: -1\r\n\r\n`],
    ['a coding that nobody asked for', `${ok}Transfer-Encoding: gzip\r\n\r\n`],
    ['a switch of protocols', 'HTTP/1.1 101 Now\r\n\r\n'],
    ['a head without an end', `${ok}${'A: b\r\n'.repeat(100)}`],
    ['a line without an end', `${ok}${'a'.repeat(300)}`],
    ['interim answers without an end', 'HTTP/1.1 100 x\r\n\r\n'.repeat(50)],
    ['a length beyond the limit', `${ok}Content-Length: 51\r\n\r\n`],
    ['a body beyond the limit', `${ok}\r\n${'x'.repeat(51)}`],
    ['chunks beyond the limit', `${chunked}${'9\r\n123456789\r\n'.repeat(6)}`],
    ['a chunk beyond the limit', `${chunked}ffffffff\r\n`],
    ['a chunk without a size', `${chunked}x\r\n`],
    ['a chunk that is longer than it says', `${chunked}1\r\nab\r\n0\r\n\r\n`],
    ['a chunk extension without an end', `${chunked}1;${'x'.repeat(2000)}`],
    ['trailers without an end', `${chunked}0\r\n${'A: b\r\n'.repeat(100)}`]
  ])('refuses %s', (_, text) => {
    expect(parse(text).kind).toBe('malformed')
  })

  test('survives garbage and finds the same in it however it is cut', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ok,
        chunked,
        '\r\n',
        '\r',
        '5\r\n',
        'Content-Length: 3\r\n',
        'abc',
        '0\r\n\r\n'
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 20 })
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat()), (pieces, cuts) => {
        const text = pieces.join('')
        expect(parse(text, cuts)).toEqual(parse(text))
      }),
      { numRuns: 1000 }
    )
  })
})

describe('a request through Tor', () => {
  const target = { kind: 'host', host: 'node.example', port: 5851 } as const
  const ask = (
    onRequest: (text: string, stream: Duplex) => void,
    request: Partial<HttpRequest> = {}
  ): Promise<HttpResponse> => {
    const network = new FakeTorNetwork()
    network.addHost(target.host, target.port, (stream) => {
      let text = ''
      stream.on('data', (bytes: Buffer) => {
        text += bytes.toString()
        onRequest(text, stream)
      })
    })
    return requestThroughTor(new FakeTor({ network }), {
      target,
      method: 'GET',
      path: '/v1/status',
      circuit: { username: 'a', password: 'x' },
      ...request
    })
  }

  test('sends nothing but what it has to', async () => {
    let head = ''
    await ask((text, stream) => {
      head = text
      stream.end(`${ok}\r\n`)
    })
    expect(head).toBe(
      'GET /v1/status HTTP/1.1\r\nHost: node.example:5851\r\nConnection: close\r\n\r\n'
    )
  })

  test('sends a body with its length and gives back the answer', async () => {
    const response = await ask(
      (text, stream) => {
        if (text.endsWith('{}'))
          stream.write(
            `${ok}Content-Length: 2\r\n\r\n${text.includes('Content-Length: 2') ? 'ok' : 'no'}`
          )
      },
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') }
    )
    expect(response.status).toBe(200)
    expect(Buffer.from(response.body).toString()).toBe('ok')
  })

  test('closes the connection afterwards', async () => {
    let server: Duplex | undefined
    await ask((_, stream) => {
      server = stream
      stream.write(`${ok}Content-Length: 0\r\n\r\n`)
    })
    server?.resume()
    await expect.poll(() => server?.destroyed).toBe(true)
  })

  test.each([
    ['garbage', (stream: Duplex): void => void stream.write('garbage\r\n'), 'registry-malformed'],
    [
      'a body without an end',
      (stream: Duplex): void => void stream.write(`${ok}\r\n${'x'.repeat(200)}`),
      'registry-malformed'
    ],
    ['nothing', (stream: Duplex): void => void stream.end(), 'registry-unreachable'],
    [
      'half an answer',
      (stream: Duplex): void => void stream.end(`${ok}Content-Length: 9\r\n\r\nhalf`),
      'registry-unreachable'
    ]
  ])('fails with a server that answers %s', async (_, answer, code) => {
    const asking = ask((_text, stream) => answer(stream), { maxResponseBytes: 100 })
    await expect(asking).rejects.toMatchObject({ code })
  })

  test('ends in time with a server that drips', async () => {
    const clock = new ManualClock()
    let dripped = 0
    const asking = ask(
      (_, stream) => {
        const drip = (): void => {
          stream.write(dripped++ === 0 ? `${ok}\r\n` : 'x')
          clock.advance(1000)
          if (!stream.destroyed && dripped < 100) setImmediate(drip)
        }
        drip()
      },
      { clock, deadlineMs: 12_000 }
    )
    await expect(asking).rejects.toMatchObject({ code: 'registry-unreachable' })
    expect(dripped).toBeLessThan(100)
  })

  test.each([
    { path: 'v1' },
    { path: '/a b' },
    { path: '/a\r\nX: y' },
    { method: 'GET /' },
    { headers: { 'a b': 'c' } },
    { headers: { a: 'b\r\nc: d' } }
  ])('is refused with %j', async (request) => {
    await expect(ask(() => {}, request)).rejects.toThrow(RangeError)
  })
})
