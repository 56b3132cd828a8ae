import { DeliveryMachine, decodePayload, encodePayload, hex } from '@hushlamp/shared'
import type { DeliveryEvent, MessagePayload, Payload } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { encodeItem } from './cbor-items.ts'
import type { Item } from './cbor-items.ts'
import { hexOrDigest, moment, mustExist, mustNotExist } from './inputs.ts'

const incarnation = testSecret('incarnation').subarray(0, 16)

/** JSON has no byte strings: as hexadecimal digits they are told apart by their names. */
function inJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(inJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, inJson(entry)]))
}

// ---- payloads -----------------------------------------------------------------------------------------------------

const position = { incarnation: { $bytes: hex(incarnation) }, counter: 1 }
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
const tolerated: readonly Item[] = [
  [1, 'bye'],
  [1, 'bye', null],
  [1, 'bye', {}, 'more'],
  [1, 'presence', { available: true, show: 'sleeping', mood: 7 }],
  [1, 'receipt', { ...position, counter: { $raw: 'f93c00' } }],
  { $raw: '830163627965a2616201616101' }
]

const ignored: readonly Item[] = [
  [1, 'chat-state', { state: 'composing' }],
  [1, '', {}],
  [2, 'bye', {}],
  [0, 'message', {}]
]

const rejected: readonly (readonly [string, Item])[] = [
  ['truncated', { $raw: '' }],
  ['truncated', { $raw: '8301636279' }],
  ['trailing', { $raw: '830163627965a000' }],
  ['indefinite', { $raw: '9f0163627965a0ff' }],
  ['indefinite', [1, { $raw: '7f63627965ff' }, {}]],
  ['not-minimal', [{ $raw: '1801' }, 'bye', {}]],
  ['not-minimal', [1, { $raw: '7803627965' }, {}]],
  ['tag', { $raw: 'c1830163627965a0' }],
  ['undefined', [1, 'bye', { $raw: 'f7' }]],
  ['simple', [1, 'bye', { $raw: 'e0' }]],
  ['key-type', [1, 'bye', { $raw: 'a10101' }]],
  ['duplicate-key', [1, 'bye', { $raw: 'a2616101616102' }]],
  ['not-an-array', { kind: 'bye' }],
  ['not-an-array', [1]],
  ['version', ['1', 'bye', {}]],
  ['version', [{ $raw: '1b0020000000000000' }, 'bye', {}]],
  ['kind', [1, 7, {}]],
  ['available', [1, 'presence', {}]],
  ['available', [1, 'presence', { available: 1 }]],
  ['text', [1, 'presence', { available: true, text: null }]],
  ['text', [1, 'presence', { available: true, text: 't'.repeat(1025) }]],
  ['incarnation', [1, 'receipt', { counter: 1 }]],
  ['incarnation', [1, 'receipt', { ...position, incarnation: hex(incarnation) }]],
  [
    'incarnation',
    [1, 'receipt', { ...position, incarnation: { $bytes: hex(incarnation).slice(2) } }]
  ],
  ['counter', [1, 'receipt', { ...position, counter: -1 }]],
  ['counter', [1, 'receipt', { ...position, counter: { $raw: 'f93e00' } }]],
  ['counter', [1, 'receipt', { ...position, counter: { $raw: '1b0020000000000000' } }]],
  ['id', [1, 'message', { ...message, id: 'i'.repeat(257) }]],
  ['id', [1, 'message', { ...message, id: null }]],
  ['body', [1, 'message', { ...message, body: 1 }]],
  ['body', [1, 'message', { ...message, body: { $text: 't', $times: 131_073 } }]],
  ['sentAt', [1, 'message', { ...message, sentAt: -1 }]],
  ['sentAt', [1, 'message', { ...message, sentAt: `${moment}` }]]
]

export function payloadsFile(): object {
  return {
    version: 1,
    cases: payloads.map((payload) => ({
      payload: inJson(payload),
      bytes: hex(encodePayload(payload))
    })),
    tolerated: tolerated.map((item) => {
      const bytes = encodeItem(item)
      return { item, bytes: hex(bytes), payload: inJson(mustExist(decodePayload(bytes))) }
    }),
    ignored: ignored.map((item) => {
      const bytes = encodeItem(item)
      if (decodePayload(bytes)?.kind !== 'unknown') throw new Error('not ignored')
      return { item, bytes: hex(bytes) }
    }),
    rejected: rejected.map(([reason, item]) => {
      const bytes = encodeItem(item)
      mustNotExist(decodePayload(bytes))
      return { reason, item, bytes: hexOrDigest(bytes) }
    })
  }
}

// ---- delivery -----------------------------------------------------------------------------------------------------

/** An event, or the number of the earlier step whose event is repeated. */
type Step = DeliveryEvent | number

function incoming(incarnationOf: Uint8Array, counter: number): DeliveryEvent {
  const content = { id: `their ${counter}`, body: `number ${counter}`, sentAt: moment + counter }
  return {
    type: 'message',
    payload: { kind: 'message', incarnation: incarnationOf, counter, ...content }
  }
}

function submit(id: string): DeliveryEvent {
  return { type: 'submit', message: { id, body: `text of ${id}`, sentAt: moment } }
}

function receipt(incarnationOf: Uint8Array, counter: number): DeliveryEvent {
  return { type: 'receipt', payload: { kind: 'receipt', incarnation: incarnationOf, counter } }
}

function counterOf(event: DeliveryEvent): number {
  if (event.type !== 'message') throw new Error('only messages are repeated')
  return event.payload.counter
}

export function deliveryFile(): object {
  const ours = testSecret('our incarnation').subarray(0, 16)
  const former = testSecret('our former incarnation').subarray(0, 16)
  const theirs = testSecret('their incarnation').subarray(0, 16)
  const restored = testSecret('their next incarnation').subarray(0, 16)
  const waiting: readonly MessagePayload[] = [
    {
      kind: 'message',
      incarnation: former,
      counter: 9,
      id: 'old',
      body: 'waits',
      sentAt: moment - 9
    }
  ]
  const state = { incarnation: ours, lastSent: 4, waiting, received: new Map<string, number>() }
  const machine = new DeliveryMachine(state)
  const steps: readonly Step[] = [
    submit('first'),
    { type: 'link-up' },
    submit('second'),
    receipt(former, 9),
    receipt(ours, 5),
    incoming(theirs, 4),
    5,
    incoming(theirs, 7),
    5,
    incoming(restored, 1),
    { type: 'link-down' },
    submit('third'),
    { type: 'link-up' },
    receipt(ours, 7)
  ]
  const events: DeliveryEvent[] = []
  return {
    incarnation: hex(ours),
    lastSent: 4,
    waiting: inJson(waiting),
    steps: steps.map((step) => {
      const event = typeof step === 'number' ? mustExist(events[step]) : step
      events.push(event)
      const effects = inJson(machine.step(event))
      return typeof step === 'number'
        ? { repeats: step, counter: counterOf(event), effects }
        : { event: inJson(event), effects }
    })
  }
}
