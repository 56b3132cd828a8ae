import { DeliveryMachine } from '@hushlamp/shared'
import type { DeliveryEffect, DeliveryEvent, MessagePayload } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { expects } from './cases.ts'
import type { Value, VectorFile } from './cases.ts'
import { moment } from './inputs.ts'

function incarnationOf(label: string): Uint8Array {
  return testSecret(label).subarray(0, 16)
}

function incoming(incarnation: Uint8Array, counter: number): DeliveryEvent {
  const content = { id: `their ${counter}`, body: `number ${counter}`, sentAt: moment + counter }
  return { type: 'message', payload: { kind: 'message', incarnation, counter, ...content } }
}

function submit(id: string): DeliveryEvent {
  return { type: 'submit', message: { id, body: `text of ${id}`, sentAt: moment } }
}

function receipt(incarnation: Uint8Array, counter: number): DeliveryEvent {
  return { type: 'receipt', payload: { kind: 'receipt', incarnation, counter } }
}

/** An event or effect: its type, and what it is about. */
function typed(thing: DeliveryEvent | DeliveryEffect): Value {
  switch (thing.type) {
    case 'link-up':
    case 'link-down':
      return [thing.type]
    case 'submit':
    case 'store-outgoing':
    case 'store-incoming':
      return [thing.type, { ...thing.message }]
    case 'message':
    case 'receipt':
    case 'send':
      return [thing.type, { ...thing.payload }]
    case 'forget-outgoing':
      return [thing.type, thing.messages.map((message) => ({ ...message }))]
    case 'delivered':
      return [thing.type, thing.id]
  }
}

/** `delivery.json`: the messages to and from one contact over links that come and go. */
export function deliveryFile(): VectorFile {
  const ours = incarnationOf('our incarnation')
  const former = incarnationOf('our former incarnation')
  const theirs = incarnationOf('their incarnation')
  const restored = incarnationOf('their next incarnation')
  const old: MessagePayload = {
    kind: 'message',
    incarnation: former,
    counter: 9,
    id: 'old',
    body: 'waits',
    sentAt: moment - 9
  }
  const state = { incarnation: ours, lastSent: 4, waiting: [old] }
  const machine = new DeliveryMachine({ ...state, received: new Map() })
  const events: readonly DeliveryEvent[] = [
    submit('first'),
    { type: 'link-up' },
    submit('second'),
    receipt(former, 9),
    receipt(ours, 5),
    incoming(theirs, 4),
    incoming(theirs, 4),
    incoming(theirs, 7),
    incoming(theirs, 4),
    incoming(restored, 1),
    { type: 'link-down' },
    submit('third'),
    { type: 'link-up' },
    receipt(ours, 7)
  ]
  return {
    deliver: [
      expects(
        { ...state, waiting: [{ ...old }], events: events.map(typed) },
        { effects: events.map((event) => machine.step(event).map(typed)) }
      )
    ]
  }
}
