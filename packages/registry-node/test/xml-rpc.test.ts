import { base64, HushlampError, isHushlampError, utf8 } from '@hushlamp/shared'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { decodeMethodCall, encodeFault, encodeMethodResponse } from '../src/xml-rpc/codec.ts'
import { faultOf } from '../src/xml-rpc/faults.ts'
import type { XmlRpcValue } from '../src/xml-rpc/value.ts'
import { encodeMethodCall } from './xml-rpc-calls.ts'

const xmlCharacter = fc
  .oneof(
    fc.constantFrom('<', '>', '&', '"', "'", ']]>', '\r', '\n', '\t', ' ', 'é', '灯', '\u{1F4A1}'),
    fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
  )
  .map(String)
const text = fc.array(xmlCharacter, { maxLength: 20 }).map((parts) => parts.join(''))
const anyValue: fc.Arbitrary<XmlRpcValue> = fc.letrec<{ value: XmlRpcValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    text,
    fc.uint8Array({ maxLength: 200 }),
    fc.array(tie('value'), { maxLength: 3 })
  )
})).value

const call = (value: string): string =>
  `<methodCall><methodName>put</methodName><params><param>${value}</param></params></methodCall>`
const outcome = (body: Uint8Array): string => {
  try {
    decodeMethodCall(body)
    return 'call'
  } catch (error) {
    return isHushlampError(error) ? error.code : String(error)
  }
}
const decode = (body: string): readonly XmlRpcValue[] => decodeMethodCall(utf8(body)).params

describe('a call of XML-RPC', () => {
  it('is decoded as it was encoded', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 6 }), (params) => {
        const decoded = decodeMethodCall(utf8(encodeMethodCall('a.method_1', params)))
        expect(decoded).toEqual({ method: 'a.method_1', params })
      })
    )
  })

  it('ends in an error of one code where it is anything else', () => {
    const near = fc
      .tuple(fc.constant(encodeMethodCall('put', [utf8('key'), 1, 'text'])), fc.nat(250), text)
      .map(([body, at, added]) => utf8(body.slice(0, at) + added + body.slice(at + added.length)))
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 300 })), (body) => {
        expect(outcome(body)).toMatch(/^(call|registry-malformed)$/)
      })
    )
  })

  it.each<[string, string, XmlRpcValue]>([
    ['i4', '<value><i4>-7</i4></value>', -7],
    ['a plus sign', '<value><int>+7</int></value>', 7],
    ['white space around an int', '<value><int> 7\n</int></value>', 7],
    ['no type for a string', '<value>red</value>', 'red'],
    ['an empty string', '<value><string/></value>', ''],
    ['an empty value', '<value/>', ''],
    ['white space in a string', '<value><string> red </string></value>', ' red '],
    ['a CDATA section', '<value><string><![CDATA[<red>]]></string></value>', '<red>'],
    ['references to characters', '<value>&#114;&#x65;d &amp; &lt;blue&gt;</value>', 'red & <blue>'],
    ['a comment', '<value><!-- red --><int>7</int></value>', 7],
    ['base64 in lines', '<value><base64>\n  cm\r\n\tVk\n</base64></value>', utf8('red')],
    ['empty base64', '<value><base64></base64></value>', new Uint8Array()],
    ['an empty array', '<value><array><data/></array></value>', []],
    [
      'attributes',
      '<value xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions"><int>7</int></value>',
      7
    ]
  ])('may have %s', (_, xml, expected) => {
    expect(decode(call(xml))).toEqual([expected])
  })

  it('may come in the encoding of OpenDHT’s Java clients', () => {
    const body = `<?xml version="1.0" encoding="ISO-8859-1"?>${call('<value>\u00e9</value>')}`
    expect(decodeMethodCall(Buffer.from(body, 'latin1')).params).toEqual(['é'])
  })

  it('may start with a byte order mark', () => {
    expect(
      decode(`\u{FEFF}<?xml version="1.0" encoding="utf-8"?>${call('<value>red</value>')}`)
    ).toEqual(['red'])
  })

  it('may have no params', () => {
    const body = '<methodCall><methodName>system.listMethods</methodName></methodCall>'
    expect(decodeMethodCall(utf8(body)).params).toEqual([])
  })

  const nested = (depth: number): string =>
    '<value><array><data>'.repeat(depth) + '</data></array></value>'.repeat(depth)
  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['text', 'put'],
    ['JSON', '{"method":"put"}'],
    ['half a document', call('<value>red</value>').slice(0, -5)],
    ['two documents', call('<value>red</value>').repeat(2)],
    ['another document', '<methodResponse><params/></methodResponse>'],
    ['no method', '<methodCall><params/></methodCall>'],
    ['an empty method', '<methodCall><methodName/></methodCall>'],
    ['a method with a space', '<methodCall><methodName>put it</methodName></methodCall>'],
    ['an endless method', `<methodCall><methodName>${'a'.repeat(65)}</methodName></methodCall>`],
    ['an element as method', '<methodCall><methodName><b>put</b></methodName></methodCall>'],
    ['params twice', '<methodCall><methodName>put</methodName><params/><params/></methodCall>'],
    ['params in front', '<methodCall><params/><methodName>put</methodName></methodCall>'],
    ['no value', call('')],
    ['two values', call('<value/><value/>')],
    ['a value with two types', call('<value><int>1</int><int>1</int></value>')],
    ['text beside a type', call('<value>1<int>1</int></value>')],
    ['text between params', call('<value/>').replace('<param>', 'red<param>')],
    ['a struct', call('<value><struct/></value>')],
    ['a double', call('<value><double>1.5</double></value>')],
    ['a boolean', call('<value><boolean>1</boolean></value>')],
    ['a date', call('<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>')],
    ['nil', call('<value><nil/></value>')],
    ['a long int', call('<value><i8>1</i8></value>')],
    ['an int above 31 bits', call('<value><int>2147483648</int></value>')],
    ['an int below 31 bits', call('<value><int>-2147483649</int></value>')],
    ['an int without end', call(`<value><int>${'9'.repeat(400)}</int></value>`)],
    ['an empty int', call('<value><int/></value>')],
    ['an int with a fraction', call('<value><int>1.0</int></value>')],
    ['a hexadecimal int', call('<value><int>0x10</int></value>')],
    ['an element in an int', call('<value><int><b>1</b></int></value>')],
    ['base64 that is none', call('<value><base64>%%%%</base64></value>')],
    ['base64 without padding', call('<value><base64>cmVkZA</base64></value>')],
    ['base64 for the Web', call('<value><base64>_-__</base64></value>')],
    ['an array without data', call('<value><array/></value>')],
    ['an array of ints', call('<value><array><data><int>1</int></data></array></value>')],
    ['a document type', `<!DOCTYPE methodCall>${call('<value/>')}`],
    [
      'an entity of its own',
      `<!DOCTYPE methodCall [<!ENTITY lol "lol">]>${call('<value>&lol;</value>')}`
    ],
    [
      'an entity from elsewhere',
      `<!DOCTYPE methodCall [<!ENTITY x SYSTEM "file:///etc/passwd">]>${call('<value>&x;</value>')}`
    ],
    ['an unknown entity', call('<value>&nbsp;</value>')],
    ['a processing instruction', `<?php exit ?>${call('<value/>')}`],
    ['a character that XML lacks', call('<value>&#0;</value>')],
    ['deep arrays', call(nested(6))],
    ['very deep arrays', call(nested(2000))],
    ['very deep elements', '<a>'.repeat(5000)],
    [
      'many params',
      encodeMethodCall(
        'put',
        Array.from({ length: 17 }, () => 1)
      )
    ],
    ['many elements', call(`<value><array><data>${'<value/>'.repeat(300)}</data></array></value>`)],
    ['UTF-16', `<?xml version="1.0" encoding="UTF-16"?>${call('<value/>')}`]
  ])('is refused where it has %s', (_, body) => {
    expect(() => decodeMethodCall(utf8(body))).toThrow(
      expect.objectContaining({ code: 'registry-malformed' })
    )
  })

  it('is refused where it is not UTF-8', () => {
    const body = Buffer.concat([utf8('<methodCall>'), Uint8Array.of(0xc3, 0x28)])
    expect(() => decodeMethodCall(body)).toThrow('not UTF-8')
  })

  it('is refused without a word of what it holds', () => {
    for (const body of [
      '<canary/>',
      call('<value><canary/></value>'),
      call('<value><int>canary</int></value>')
    ]) {
      expect(() => decodeMethodCall(utf8(body))).toThrow(/^((?!canary).)*$/)
    }
  })
})

describe('an answer of XML-RPC', () => {
  it('has the types of its values', () => {
    expect(encodeMethodResponse([[utf8('red')], 3, 'a < b'])).toBe(
      '<?xml version="1.0"?>\n<methodResponse><params><param><value><array><data>' +
        `<value><array><data><value><base64>${base64(utf8('red'))}</base64></value></data></array></value>` +
        '<value><int>3</int></value><value><string>a &lt; b</string></value>' +
        '</data></array></value></param></params></methodResponse>\n'
    )
  })

  it('has a code and a text where the call failed', () => {
    const fault = faultOf(new HushlampError('registry-key-length', 'key is longer than 20 bytes'))
    expect(encodeFault(fault)).toBe(
      '<?xml version="1.0"?>\n<methodResponse><fault><value><struct>' +
        '<member><name>faultCode</name><value><int>0</int></value></member>' +
        '<member><name>faultString</name><value><string>java.lang.Exception: key is longer than 20 bytes</string></value></member>' +
        '</struct></value></fault></methodResponse>\n'
    )
  })

  it('asks to try again where the registry does not answer, and tells nothing of other errors', () => {
    expect(faultOf(new HushlampError('registry-unreachable')).code).toBe(2)
    expect(faultOf(new Error('secret'))).toEqual({
      code: 0,
      text: 'java.lang.Exception: internal error'
    })
  })
})
