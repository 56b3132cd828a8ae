import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { ControlReplyParser } from '../src/tor/control-reply-parser.ts'
import type { ControlItem, ControlReplyLimits } from '../src/tor/control-reply-parser.ts'
import { keywordArguments, quotedString, unquotedString } from '../src/tor/control-text.ts'

const parse = (chunks: readonly Uint8Array[], limits?: ControlReplyLimits): ControlItem[] => {
  const parser = new ControlReplyParser(limits)
  return chunks.flatMap((chunk) => [...parser.push(chunk)])
}
const parseText = (text: string, limits?: ControlReplyLimits): ControlItem[] =>
  parse([Buffer.from(text, 'latin1')], limits)

const content = fc
  .string({ unit: 'binary-ascii', maxLength: 12 })
  .map((text) => text.replaceAll('\r', ' '))
const line = content.map((text) => text.replaceAll('\n', ' '))
const replyLine = fc.record({ text: line, data: fc.option(fc.array(line, { maxLength: 4 })) })
const reply = fc.record({
  status: fc.constantFrom(250, 251, 515, 552, 650),
  middle: fc.array(replyLine, { maxLength: 4 }),
  last: line
})
type Reply = typeof reply extends fc.Arbitrary<infer T> ? T : never

const wireOf = ({ status, middle, last }: Reply): string => {
  const lines = middle.map(({ text, data }) => {
    if (data === null) return `${status}-${text}\r\n`
    const stuffed = data.map((part) => (part.startsWith('.') ? `.${part}` : part))
    return `${status}+${text}\r\n${stuffed.map((part) => `${part}\r\n`).join('')}.\r\n`
  })
  return `${lines.join('')}${status} ${last}\r\n`
}
const linesOf = ({ middle, last }: Reply): string[] => [
  ...middle.map(({ text, data }) => [text, ...(data ?? [])].join('\n')),
  last
]

/** Cuts `bytes` at the places that `cuts` name. */
const chunksOf = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
}

describe('the parser of the control port', () => {
  test('reads replies of one line, of several, and with data blocks', () => {
    const text = '250-one\r\n250+two=\r\nx\r\n..y\r\n\r\n.\r\n250 OK\r\n552 no\r\n'
    expect(parseText(text)).toEqual([
      { kind: 'reply', reply: { status: 250, lines: ['one', 'two=\nx\n.y\n', 'OK'] } },
      { kind: 'reply', reply: { status: 552, lines: ['no'] } }
    ])
  })

  test('keeps an event apart from the reply that it interrupts', () => {
    const text = '250-one\r\n650 HS_DESC UPLOADED a\r\n250 OK\r\n'
    expect(parseText(text)).toEqual([
      { kind: 'event', event: { name: 'HS_DESC', lines: ['HS_DESC UPLOADED a'] } },
      { kind: 'reply', reply: { status: 250, lines: ['one', 'OK'] } }
    ])
  })

  test('reads whatever Tor may write, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(reply), fc.array(fc.nat()), (replies, cuts) => {
        const bytes = Buffer.from(replies.map(wireOf).join(''), 'latin1')
        const expected = replies.map((one) => ({ status: one.status, lines: linesOf(one) }))
        const items = parse(chunksOf(bytes, cuts))
        expect(
          items.map((item) => {
            if (item.kind === 'malformed') return item
            return item.kind === 'reply' ? item.reply : { status: 650, lines: item.event.lines }
          })
        ).toEqual(expected)
      })
    )
  })

  test('treats garbage the same however it is cut, and stays silent after it', () => {
    const piece = fc.oneof(
      fc.constantFrom('\r', '\n', '\r\n', '.', '250', '650', ' ', '-', '+', 'a'.repeat(9)),
      content
    )
    const limits = { maxLineBytes: 20, maxReplyBytes: 60 }
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat()), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''), 'latin1')
        const items = parse(chunksOf(bytes, cuts), limits)
        expect(items).toEqual(parse([bytes], limits))
        expect(items.slice(0, -1).filter(({ kind }) => kind === 'malformed')).toEqual([])
      }),
      { numRuns: 500 }
    )
  })

  test.each([
    ['a line that never ends', 'x'.repeat(200)],
    ['a reply that never ends', '250-abcdef\r\n'.repeat(100)],
    ['a data block that never ends', `250+a\r\n${'b\r\n'.repeat(100)}`],
    ['an event that never ends', '650-abcdef\r\n'.repeat(100)]
  ])('gives up on %s', (_, text) => {
    const items = parseText(text, { maxLineBytes: 100, maxReplyBytes: 200 })
    expect(items).toEqual([{ kind: 'malformed', reason: expect.any(String) }])
  })

  test.each(['HTTP/1.1 400 Bad Request\r\n', '250\r\n', '150 x\r\n', '750 x\r\n', '250_x\r\n'])(
    'takes %j for garbage',
    (text) => {
      expect(parseText(text)).toMatchObject([{ kind: 'malformed' }])
    }
  )
})

describe('texts of the control port', () => {
  test('come out of their quotes as they went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        expect(unquotedString(quotedString(text))).toBe(text)
      })
    )
  })

  test('know the escapes of C', () => {
    expect(unquotedString(String.raw`"a\tb\n\303\274\\\""`)).toBe('a\tb\n\u00C3\u00BC\\"')
    expect(unquotedString('no quotes')).toBeUndefined()
    expect(unquotedString('"open')).toBeUndefined()
  })

  test('give their pairs, quoted ones too', () => {
    const pairs = keywordArguments('AUTH METHODS=A,B COOKIEFILE="/a b/\\"c" word X= METHODS=late')
    expect([...pairs]).toEqual([
      ['METHODS', 'A,B'],
      ['COOKIEFILE', '/a b/"c'],
      ['X', '']
    ])
  })
})
