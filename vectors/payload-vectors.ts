import {
  concat,
  decodeInvitePayload,
  decodePayload,
  encodeInvitePayload,
  encodePayload,
  hex,
  utf8
} from '@hushlamp/shared'
import type { InvitePayload, Payload } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { encodeItem } from './cbor-items.ts'
import type { Item } from './cbor-items.ts'
import { digits, expects, mustExist, mustNotExist, refuses } from './cases.ts'
import type { Case, Values, VectorFile } from './cases.ts'
import { moment } from './inputs.ts'

const incarnation = testSecret('incarnation').subarray(0, 16)

// ---- links --------------------------------------------------------------------------------------------------------

const kinds = ['presence', 'message', 'receipt', 'bye']

const position = { incarnation, counter: 1 }
const message = { ...position, id: 'm1', body: 'Hello', sentAt: moment }

const payloads: readonly Payload[] = [
  { kind: 'presence', available: false },
  { kind: 'presence', available: true, show: 'dnd', text: 'writing' },
  { kind: 'presence', available: true, show: 'away', text: '' },
  { kind: 'presence', available: true, show: 'chat' },
  { kind: 'presence', available: true, show: 'xa' },
  { kind: 'message', incarnation, counter: 1, id: 'm1', body: 'Hello, Bob! ☂', sentAt: moment },
  { kind: 'message', incarnation, counter: 2 ** 53 - 1, id: 'i'.repeat(256), body: '', sentAt: 0 },
  { kind: 'receipt', incarnation, counter: 1 },
  { kind: 'bye' }
]

/** Read in spite of something that only a newer or a sloppy sender writes. */
const tolerated: readonly (readonly [Item, Values])[] = [
  [[1, 'bye'], {}],
  [[1, 'bye', null], {}],
  [[1, 'bye', {}, 'more'], {}],
  [[1, 'presence', { available: true, show: 'sleeping', mood: 7 }], { available: true, mood: 7 }],
  [raw('830163627965a2616201616101'), { a: 1, b: 1 }]
]

const ignored: readonly (readonly [number, string, Values])[] = [
  [1, 'chat-state', { state: 'composing' }],
  [1, '', {}],
  [2, 'bye', {}],
  [0, 'message', {}]
]

const rejected: readonly (readonly [string, Item])[] = [
  ['truncated', raw('')],
  ['truncated', raw('8301636279')],
  ['trailing', raw('830163627965a000')],
  ['indefinite', raw('9f0163627965a0ff')],
  ['indefinite', [1, raw('7f63627965ff'), {}]],
  ['not-minimal', [raw('1801'), 'bye', {}]],
  ['not-minimal', [1, raw('7803627965'), {}]],
  ['type', raw('c1830163627965a0')],
  ['type', [1, 'bye', raw('f7')]],
  ['type', [1, 'bye', raw('e0')]],
  ['keys', [1, 'bye', raw('a10101')]],
  ['keys', [1, 'bye', raw('a2616101616102')]],
  ['not-an-array', { kind: 'bye' }],
  ['not-an-array', [1]],
  ['version', ['1', 'bye', {}]],
  ['version', [raw('1b0020000000000000'), 'bye', {}]],
  ['kind', [1, 7, {}]],
  ['available', [1, 'presence', {}]],
  ['available', [1, 'presence', { available: 1 }]],
  ['text', [1, 'presence', { available: true, text: null }]],
  ['text', [1, 'presence', { available: true, text: 't'.repeat(1025) }]],
  ['incarnation', [1, 'receipt', { counter: 1 }]],
  ['incarnation', [1, 'receipt', { ...position, incarnation: 'sixteen letters!' }]],
  ['incarnation', [1, 'receipt', { ...position, incarnation: incarnation.subarray(1) }]],
  ['counter', [1, 'receipt', { ...position, counter: -1 }]],
  ['type', [1, 'receipt', { ...position, counter: raw('f93c00') }]],
  ['type', [1, 'receipt', { ...position, counter: raw('fb3ff0000000000000') }]],
  ['type', [raw('f93c00'), 'bye', {}]],
  ['type', [1, 'bye', { share: raw('f93e00') }]],
  ['counter', [1, 'receipt', { ...position, counter: raw('1b0020000000000000') }]],
  ['id', [1, 'message', { ...message, id: 'i'.repeat(257) }]],
  ['id', [1, 'message', { ...message, id: null }]],
  ['body', [1, 'message', { ...message, body: 1 }]],
  ['body', [1, 'message', longMessage()]],
  ['sentAt', [1, 'message', { ...message, sentAt: -1 }]],
  ['sentAt', [1, 'message', { ...message, sentAt: `${moment}` }]]
]

/** A message whose body is one byte too long, and comes last, where a file of vectors can shorten it. */
function longMessage(): Item {
  const { body: _, ...rest } = message
  const entries = Object.entries({ ...rest, body: 't'.repeat(131_073) })
  const encoded = entries.flatMap(([name, value]) => [encodeItem(name), encodeItem(value)])
  return { encoded: concat(Uint8Array.of(0xa5), ...encoded) }
}

/** Encoded bytes that no sender may make. */
function raw(hexadecimal: string): Item {
  return { encoded: digits(hexadecimal) }
}

/** `payloads.json`: what an ordinary link carries. */
export function payloadsFile(): VectorFile {
  return {
    readPayload: [
      ...payloads.map((content) => {
        const { kind, ...fields } = content
        const payload = encodePayload(content)
        return readCase(kinds, payload, { isKnown: true, version: 1, kind, fields })
      }),
      ...tolerated.map(([item, fields]) => {
        const payload = encodeItem(item)
        const { kind } = mustExist(decodePayload(payload))
        return readCase(kinds, payload, { isKnown: true, version: 1, kind, fields })
      }),
      ...ignored.map(([version, kind, fields]) => {
        const payload = encodeItem([version, kind, fields])
        if (decodePayload(payload)?.kind !== 'unknown') throw new Error('not ignored')
        return readCase(kinds, payload, { isKnown: false, version, kind, fields })
      }),
      ...rejected.map(([reason, item]) => {
        const payload = encodeItem(item)
        mustNotExist(decodePayload(payload))
        return refuses(reason, { payload, kinds })
      })
    ]
  }
}

function readCase(known: readonly string[], payload: Uint8Array, expected: Values): Case {
  return expects({ payload, kinds: known }, expected)
}

// ---- invites ------------------------------------------------------------------------------------------------------

const inviteKinds = ['join', 'accepted', 'bye']
const certificate = utf8('stands for a certificate')
const none = new Uint8Array(0)

const invitePayloads: readonly InvitePayload[] = [
  { kind: 'join', certificate },
  { kind: 'join', certificate, pairSecret: none },
  { kind: 'accepted', certificate, pairSecret: testSecret('invite') },
  {
    kind: 'accepted',
    certificate,
    pairSecret: testSecret('invite'),
    onionKey: testSecret('alice/onion')
  },
  { kind: 'bye' }
]

/** A certificate of one byte as it travels, with a length and behind it what is not always right. */
function padded(start: string, length = 3_840): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set(digits(start))
  return bytes
}

const good = padded('0000000161')
const rejectedInvitePayloads: readonly (readonly [string, Item])[] = [
  ['certificate', [1, 'join', {}]],
  ['certificate', [1, 'join', { certificate: 'a' }]],
  ['certificate', [1, 'join', { certificate: padded('0000000161', 5) }]],
  ['certificate', [1, 'join', { certificate: padded('000000016161') }]],
  ['certificate', [1, 'join', { certificate: padded('00000efd') }]],
  ['pairSecret', [1, 'join', { certificate: good, pairSecret: digits('61') }]],
  ['pairSecret', [1, 'accepted', { certificate: good }]],
  ['onionKey', [1, 'accepted', { certificate: good, pairSecret: none, onionKey: digits('61') }]],
  ['kind', [1, 1, {}]]
]

/** `invite-payloads.json`: what the link of an invite carries. */
export function invitePayloadsFile(): VectorFile {
  return {
    readPayload: [
      ...invitePayloads.map((invitePayload) => {
        const payload = encodeInvitePayload(invitePayload)
        const { kind, ...fields } = invitePayload
        const expected = { isKnown: true, version: 1, kind }
        if (!('certificate' in fields))
          return readCase(inviteKinds, payload, { ...expected, fields })
        const travelling = padded('00000018' + hex(certificate))
        return readCase(inviteKinds, payload, {
          ...expected,
          fields: { ...fields, certificate: travelling },
          certificate
        })
      }),
      ...rejectedInvitePayloads.map(([reason, item]) => {
        const payload = encodeItem(item)
        mustNotExist(decodeInvitePayload(payload))
        return refuses(reason, { payload, kinds: inviteKinds })
      })
    ]
  }
}
