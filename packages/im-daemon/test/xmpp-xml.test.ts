import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { XmlElement, xml } from '../src/xmpp/xml/element.ts'
import { withoutForbiddenCharacters } from '../src/xmpp/xml/characters.ts'
import { serialize } from '../src/xmpp/xml/serializer.ts'
import { parseElement, XmlStreamParser } from '../src/xmpp/xml/stream-parser.ts'
import type { XmlStreamEvent } from '../src/xmpp/xml/stream-parser.ts'

const limits = { maxStanzaLength: 10_000, maxDepth: 8 }
const open = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

function read(...chunks: readonly (string | Uint8Array)[]): readonly XmlStreamEvent[] {
  const parser = new XmlStreamParser(limits)
  return chunks.flatMap((chunk) =>
    parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  )
}

function failureOf(...chunks: readonly (string | Uint8Array)[]): string | undefined {
  const last = read(...chunks).at(-1)
  return last?.kind === 'failed' ? last.condition : undefined
}

function* inChunks(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let start = 0
  for (const size of sizes) {
    yield bytes.subarray(start, start + size)
    start += size
  }
  yield bytes.subarray(start)
}

const name = fc.stringMatching(/^[a-z_][a-z0-9._-]{0,6}$/).filter((text) => !text.startsWith('xml'))
const namespace = fc.constantFrom('jabber:client', 'urn:a', "urn:'<&>", 'http://b/{}')
const text = fc.string({ unit: 'binary', maxLength: 12 })
const attributes = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(
        name,
        fc.constant('xml:lang'),
        fc.tuple(namespace, name).map(([uri, local]) => `{${uri}}${local}`)
      ),
      text
    ),
    { maxLength: 4, selector: ([key]) => key }
  )
  .map((entries) => new Map(entries))

const element: fc.Arbitrary<XmlElement> = fc.letrec<{ node: XmlElement }>((tie) => ({
  node: fc
    .record({
      name,
      namespace,
      attributes,
      children: fc.array(fc.oneof({ maxDepth: 4 }, text, tie('node')), { maxLength: 4 })
    })
    .map((parts) => new XmlElement(parts.name, parts.namespace, parts.attributes, parts.children))
})).node

/** What of a tree can come back: neighbouring texts are one, forbidden characters are gone. */
function readable(node: XmlElement): XmlElement {
  const children: (XmlElement | string)[] = []
  for (const child of node.children) {
    const next = typeof child === 'string' ? withoutForbiddenCharacters(child) : readable(child)
    const last = children.at(-1)
    if (typeof next === 'string' && typeof last === 'string') children.splice(-1, 1, last + next)
    else if (next !== '') children.push(next)
  }
  const clean = [...node.attributes].map(([key, value]): [string, string] => [
    key,
    withoutForbiddenCharacters(value)
  ])
  return new XmlElement(node.name, node.namespace, new Map(clean), children)
}

describe('XML', () => {
  test('reads back as the tree that was written, however the bytes are cut', () => {
    fc.assert(
      fc.property(element, fc.array(fc.nat(40)), (tree, sizes) => {
        const bytes = Buffer.from(open + serialize(tree))
        const events = read(...inChunks(bytes, sizes))
        expect(events.at(-1)).toEqual({ kind: 'element', element: readable(tree) })
      }),
      { numRuns: 400 }
    )
  })

  test('never lets a text become markup', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const stanza = serialize(xml('message', 'jabber:client', { id: a }, b))
        const [, event, ...more] = read(open + stanza)
        expect(more).toEqual([])
        expect(event?.kind === 'element' && event.element.elements()).toEqual([])
      })
    )
  })

  test('survives arbitrary bytes in arbitrary pieces and says nothing after a failure', () => {
    const alphabet = fc.constantFrom(
      ...Array.from('<>/&;"\'=!?[]- \r\nax:'),
      '\u0000',
      'é',
      '😀',
      '<!--',
      '<?',
      ']]>',
      '<![CDATA[',
      '&#x;',
      "xmlns='",
      '</a>',
      '<a>'
    )
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.array(alphabet).map((parts) => Buffer.from(parts.join('')))
        ),
        fc.array(fc.nat(20)),
        (opened, bytes, sizes) => {
          const whole = opened ? Buffer.concat([Buffer.from(open), bytes]) : bytes
          const events = read(...inChunks(whole, sizes))
          const end = events.findIndex(({ kind }) => kind === 'failed' || kind === 'stream-closed')
          expect([-1, events.length - 1]).toContain(end)
          expect(events.map((event) => event.kind === 'failed' && event.condition)).not.toContain(
            'internal-server-error'
          )
        }
      ),
      { numRuns: 2_000 }
    )
  })

  test.each([
    ['a comment', '<a><!-- x --></a>', 'restricted-xml'],
    ['a processing instruction', '<a><?php x ?></a>', 'restricted-xml'],
    ['an unknown entity', '<a>&nbsp;</a>', 'restricted-xml'],
    ['an entity in an attribute', "<a b='&x;'/>", 'restricted-xml'],
    ['an entity named like a property of objects', '<a>&constructor;</a>', 'restricted-xml'],
    ['a second declaration', "<?xml version='1.0'?>", 'not-well-formed'],
    ['a duplicate attribute', "<a b='1' b='2'/>", 'not-well-formed'],
    [
      'a duplicate attribute under two prefixes',
      "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
      'not-well-formed'
    ],
    ['an unbound prefix', '<p:a/>', 'not-well-formed'],
    ['a rebound xml prefix', "<a xmlns:xml='urn:x'/>", 'not-well-formed'],
    ['an unquoted attribute', '<a b=1/>', 'not-well-formed'],
    ['a control character', '<a>\u0001</a>', 'not-well-formed'],
    ['a control character by number', '<a>&#1;</a>', 'not-well-formed'],
    ['a lone surrogate by number', '<a>&#xD800;</a>', 'not-well-formed'],
    ['wrong nesting', '<a><b></a></b>', 'not-well-formed'],
    ['the end of CDATA in a text', '<a>]]></a>', 'not-well-formed'],
    ['text between stanzas', 'hello<a/>', 'bad-format'],
    ['deep nesting', '<a>'.repeat(8), 'policy-violation'],
    ['a stanza that is too long', `<a>${'x'.repeat(10_000)}`, 'policy-violation'],
    ['a name that is too long', `<${'x'.repeat(10_001)}`, 'policy-violation'],
    ['an attribute that is too long', `<a b='${'x'.repeat(10_001)}`, 'policy-violation'],
    ['many small elements in one stanza', `<a>${'<b/>'.repeat(3_000)}</a>`, 'policy-violation']
  ])('refuses %s', (_what, content, condition) => {
    expect(failureOf(open + content)).toBe(condition)
    expect(
      failureOf(...Array.from(Buffer.from(open + content), (byte) => Uint8Array.of(byte)))
    ).toBe(condition)
  })

  test.each([
    ['a document type', "<!DOCTYPE x [<!ENTITY a 'b'>]>", 'restricted-xml'],
    ['another encoding', "<?xml version='1.0' encoding='ISO-8859-1'?>", 'unsupported-encoding'],
    ['XML 1.1', "<?xml version='1.1'?>", 'not-well-formed'],
    ['UTF-16', Buffer.from('\uFEFF<a/>', 'utf16le'), 'unsupported-encoding'],
    ['UTF-16 without a mark', Buffer.from('<a/>', 'utf16le'), 'unsupported-encoding'],
    ['bytes that are not UTF-8', Buffer.from("<a b='\xC3(", 'latin1'), 'not-well-formed'],
    ['an endless opening tag', `<stream a='${'x'.repeat(10_001)}`, 'policy-violation']
  ])('refuses %s at the beginning', (_what, bytes, condition) => {
    expect(failureOf(bytes)).toBe(condition)
  })

  test('puts characters together whose bytes come one by one', () => {
    const bytes = Buffer.from(`${open}<a b='é'>😀</a>`)
    const events = read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))
    expect(events.at(-1)).toEqual({
      kind: 'element',
      element: xml('a', 'jabber:client', { b: 'é' }, '😀')
    })
  })

  test('counts each stanza by itself, and white space between stanzas not at all', () => {
    const stanza = `<a>${'x'.repeat(6_000)}</a>`
    const space = ' \r\n\t'.repeat(4_000)
    const parser = new XmlStreamParser(limits)
    const bytes = Buffer.from(open + `${space}${stanza}${space}${stanza}${stanza}`.repeat(5))
    const events = [
      ...inChunks(
        bytes,
        Array.from({ length: 900 }, () => 217)
      )
    ].flatMap((chunk) => parser.push(chunk))
    expect(events.filter(({ kind }) => kind === 'element')).toHaveLength(15)
    expect(events.some(({ kind }) => kind === 'failed')).toBe(false)
    expect(parser.atBoundary).toBe(true)
    parser.push(Buffer.from(' <'))
    expect(parser.atBoundary).toBe(false)
  })

  test('keeps attributes apart that are named like properties of objects', () => {
    const [, event] = read(`${open}<a __proto__='1' constructor='2' toString='3'/>`)
    const entries = event?.kind === 'element' ? [...event.element.attributes] : []
    expect(entries).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['toString', '3']
    ])
  })

  test('ends with the stream', () => {
    expect(read(`${open}</stream:stream><a/>`).map(({ kind }) => kind)).toEqual([
      'stream-opened',
      'stream-closed'
    ])
  })

  test('out of storage is one whole element or nothing', () => {
    expect(parseElement("<a xmlns='u'>x</a>", limits)).toEqual(xml('a', 'u', {}, 'x'))
    for (const bad of ['', 'x', '<a/><b/>', '<a>', '</document><a/>', '<a/></document>']) {
      expect(parseElement(bad, limits)).toBeUndefined()
    }
  })
})
