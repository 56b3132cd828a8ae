import { compareBytes, hex } from '../crypto/bytes.ts'
import type { Machine } from '../ports.ts'
import type { MessagePayload, ReceiptPayload } from './payload.ts'

/** A message that waits for the contact's receipt. */
export type OutgoingMessage = MessagePayload

/** What must survive a restart, per contact. */
export interface DeliveryState {
  /** Names the present life of our counter, 16 bytes. */
  readonly incarnation: Uint8Array
  /** Counter of the newest message of that incarnation. */
  readonly lastSent: number
  /** Not yet acknowledged, oldest first. They keep their ids, also those of earlier incarnations. */
  readonly waiting: readonly OutgoingMessage[]
  /** Last counter received, by incarnation of the contact in hexadecimal digits. */
  readonly received: ReadonlyMap<string, number>
}

/** What happens to the messages to and from one contact. */
export type DeliveryEvent =
  | {
      readonly type: 'submit'
      readonly message: { readonly id: string; readonly body: string; readonly sentAt: number }
    }
  | { readonly type: 'link-up' }
  | { readonly type: 'link-down' }
  | { readonly type: 'message'; readonly payload: MessagePayload }
  | { readonly type: 'receipt'; readonly payload: ReceiptPayload }

/**
 * What is to be done, strictly in order: a `store-…` effect must be on disk before the effects behind it are carried out.
 * That is what makes a message be delivered once.
 */
export type DeliveryEffect =
  | { readonly type: 'store-outgoing'; readonly message: OutgoingMessage }
  | { readonly type: 'store-incoming'; readonly message: MessagePayload }
  | { readonly type: 'forget-outgoing'; readonly messages: readonly OutgoingMessage[] }
  | { readonly type: 'send'; readonly payload: MessagePayload | ReceiptPayload }
  | { readonly type: 'delivered'; readonly id: string }

/**
 * Exactly-once delivery between two contacts over links that come and go: the sender stores before it sends and repeats
 * after each reconnection; the receiver takes only counters above the last of that incarnation, stores, and then
 * acknowledges cumulatively.
 */
export class DeliveryMachine implements Machine<DeliveryEvent, DeliveryEffect, void> {
  readonly #incarnation: Uint8Array
  readonly #received: Map<string, number>
  #lastSent: number
  #waiting: OutgoingMessage[]
  #linked = false

  constructor(state: DeliveryState) {
    this.#incarnation = state.incarnation
    this.#lastSent = state.lastSent
    this.#waiting = [...state.waiting]
    this.#received = new Map(state.received)
  }

  /** Messages that wait for a receipt, oldest first. */
  get waiting(): readonly OutgoingMessage[] {
    return this.#waiting
  }

  step(event: DeliveryEvent): readonly DeliveryEffect[] {
    switch (event.type) {
      case 'submit':
        return this.#submit(event.message)
      case 'link-up':
        this.#linked = true
        return this.#waiting.map((payload) => ({ type: 'send', payload }))
      case 'link-down':
        this.#linked = false
        return []
      case 'message':
        return this.#take(event.payload)
      case 'receipt':
        return this.#acknowledge(event.payload)
    }
  }

  #submit(message: { id: string; body: string; sentAt: number }): readonly DeliveryEffect[] {
    const outgoing: OutgoingMessage = {
      kind: 'message',
      incarnation: this.#incarnation,
      counter: ++this.#lastSent,
      id: message.id,
      body: message.body,
      sentAt: message.sentAt
    }
    this.#waiting.push(outgoing)
    const store: DeliveryEffect = { type: 'store-outgoing', message: outgoing }
    return this.#linked ? [store, { type: 'send', payload: outgoing }] : [store]
  }

  #take(payload: MessagePayload): readonly DeliveryEffect[] {
    const incarnation = hex(payload.incarnation)
    const last = this.#received.get(incarnation) ?? 0
    const isNew = payload.counter > last
    if (isNew) this.#received.set(incarnation, payload.counter)
    const receipt: DeliveryEffect = {
      type: 'send',
      payload: {
        kind: 'receipt',
        incarnation: payload.incarnation,
        counter: isNew ? payload.counter : last
      }
    }
    return isNew ? [{ type: 'store-incoming', message: payload }, receipt] : [receipt]
  }

  #acknowledge(receipt: ReceiptPayload): readonly DeliveryEffect[] {
    const acknowledged = this.#waiting.filter(
      (message) =>
        message.counter <= receipt.counter &&
        compareBytes(message.incarnation, receipt.incarnation) === 0
    )
    if (acknowledged.length === 0) return []
    this.#waiting = this.#waiting.filter((message) => !acknowledged.includes(message))
    return [
      { type: 'forget-outgoing', messages: acknowledged },
      ...acknowledged.map((message): DeliveryEffect => ({ type: 'delivered', id: message.id }))
    ]
  }
}
