import { DeliveryMachine, HushlampError, hex, incarnationBytes } from '@hushlamp/shared'
import type {
  DeliveryEffect,
  DeliveryEvent,
  MessagePayload,
  OutgoingMessage,
  Payload,
  Random
} from '@hushlamp/shared'

import type { ContactId } from '../contacts/contact-book.ts'
import type { Storage, StorageChange } from '../storage/storage.ts'
import {
  bytesField,
  countField,
  decodeFields,
  encodeFields,
  textField
} from '../storage/stored-fields.ts'

/** A message of a contact that waits to be taken. */
export interface ReceivedMessage {
  /** Names the message on this computer; orders messages of one contact by arrival. */
  readonly key: string
  readonly id: string
  readonly body: string
  /** Unix seconds of the sender's clock. */
  readonly sentAt: number
}

/** What a {@link Mailbox} tells, in the order in which it became true on the disk. */
export interface MailboxListener {
  received(message: ReceivedMessage): void
  delivered(id: string): void
  /** The disk failed: nothing more is sent or acknowledged until the mailbox is opened again. */
  failed(error: unknown): void
}

/**
 * The messages to and from one contact on the disk: the shell around a {@link DeliveryMachine}. Its effects are carried
 * out one after the other, whatever happens meanwhile; the next step waits until the disk has answered.
 */
export class Mailbox {
  readonly #storage: Storage
  readonly #contact: ContactId
  readonly #machine: DeliveryMachine
  readonly #listener: MailboxListener
  #send: (payload: Payload) => void = () => undefined
  #arrivals: number
  #tail: Promise<void> = Promise.resolve()
  #failed = false

  private constructor(
    storage: Storage,
    contact: ContactId,
    machine: DeliveryMachine,
    arrivals: number,
    listener: MailboxListener
  ) {
    this.#storage = storage
    this.#contact = contact
    this.#machine = machine
    this.#arrivals = arrivals
    this.#listener = listener
  }

  /** Reads the mailbox of a contact, or begins a new one. */
  static async open(
    components: { readonly storage: Storage; readonly random: Random },
    contact: ContactId,
    listener: MailboxListener
  ): Promise<Mailbox> {
    const { storage, random } = components
    const state = await openCounter(storage, random, contact)
    const outgoing = await storage.entries(outPrefix(contact))
    const received = await storage.entries(countPrefix(contact))
    const inbox = await storage.entries(inboxPrefix(contact))
    const machine = new DeliveryMachine({
      ...state,
      waiting: outgoing.map(([, row]) => readOutgoing(row)),
      received: new Map(
        received.map(([key, row]) => [
          key.slice(countPrefix(contact).length),
          countField(decodeFields(row), 'counter')
        ])
      )
    })
    const lastKey = inbox.at(-1)?.[0] ?? ''
    const arrivals = Number(lastKey.slice(-16) || 0)
    return new Mailbox(storage, contact, machine, arrivals, listener)
  }

  /** Takes a message of the user; fulfilled once it is on the disk. It is sent when and as often as needed. */
  submit(message: {
    readonly id: string
    readonly body: string
    readonly sentAt: number
  }): Promise<void> {
    return this.#step({ type: 'submit', message })
  }

  /** A link is there: what waits is sent. */
  linked(send: (payload: Payload) => void): void {
    this.#send = send
    this.#enqueue({ type: 'link-up' })
  }

  /** The link is gone. */
  unlinked(): void {
    this.#send = () => undefined
    this.#enqueue({ type: 'link-down' })
  }

  /** Takes what the link has brought. */
  receive(payload: Payload): void {
    if (payload.kind === 'message') this.#enqueue({ type: 'message', payload })
    if (payload.kind === 'receipt') this.#enqueue({ type: 'receipt', payload })
  }

  /** Messages that nobody has taken yet, in order of arrival. */
  async untaken(): Promise<readonly ReceivedMessage[]> {
    const rows = await this.#storage.entries(inboxPrefix(this.#contact))
    return rows.map(([key, row]) => ({ ...readMessage(row), key }))
  }

  /** The user has got the message: it need not be kept any more. */
  async taken(key: string): Promise<void> {
    if (key.startsWith(inboxPrefix(this.#contact)))
      await this.#storage.write([{ type: 'delete', key }])
  }

  /** How many messages wait for the contact. */
  get waiting(): number {
    return this.#machine.waiting.length
  }

  /** Waits until everything begun is on the disk. */
  async settled(): Promise<void> {
    await this.#tail
  }

  #enqueue(event: DeliveryEvent): void {
    this.#step(event).catch((error: unknown) => {
      this.#listener.failed(error)
    })
  }

  #step(event: DeliveryEvent): Promise<void> {
    const work = this.#tail.then(async () => {
      if (this.#failed) throw new HushlampError('storage-failed')
      for (const effect of this.#machine.step(event)) await this.#carryOut(effect)
    })
    this.#tail = work.catch(() => {
      // The machine is ahead of the disk now. It must not acknowledge what was not stored.
      this.#failed = true
    })
    return work
  }

  async #carryOut(effect: DeliveryEffect): Promise<void> {
    switch (effect.type) {
      case 'store-outgoing':
        await this.#storeOutgoing(effect.message)
        break
      case 'store-incoming':
        await this.#storeIncoming(effect.message)
        break
      case 'forget-outgoing':
        await this.#storage.write(
          effect.messages.map((message) => ({ type: 'delete', key: this.#outKey(message) }))
        )
        break
      case 'send':
        this.#send(effect.payload)
        break
      case 'delivered':
        this.#listener.delivered(effect.id)
    }
  }

  async #storeOutgoing(message: OutgoingMessage): Promise<void> {
    const { incarnation, counter, id, body, sentAt } = message
    const row = encodeFields({ incarnation, counter, id, body, sentAt })
    await this.#storage.write([
      { type: 'put', key: this.#outKey(message), value: row },
      this.#counterChange(incarnation, counter)
    ])
  }

  async #storeIncoming(message: MessagePayload): Promise<void> {
    const { incarnation, counter, id, body, sentAt } = message
    const key = `${inboxPrefix(this.#contact)}${decimal(++this.#arrivals)}`
    await this.#storage.write([
      { type: 'put', key, value: encodeFields({ id, body, sentAt }) },
      {
        type: 'put',
        key: `${countPrefix(this.#contact)}${hex(incarnation)}`,
        value: encodeFields({ counter })
      }
    ])
    this.#listener.received({ key, id, body, sentAt })
  }

  #counterChange(incarnation: Uint8Array, lastSent: number): StorageChange {
    const value = encodeFields({ incarnation, lastSent })
    return { type: 'put', key: stateKey(this.#contact), value }
  }

  #outKey(message: OutgoingMessage): string {
    return `${outPrefix(this.#contact)}${decimal(message.counter)}-${hex(message.incarnation)}`
  }
}

const stateKey = (contact: ContactId): string => `mail/${contact}/state`
const outPrefix = (contact: ContactId): string => `mail/${contact}/out/`
const inboxPrefix = (contact: ContactId): string => `mail/${contact}/in/`
const countPrefix = (contact: ContactId): string => `mail/${contact}/count/`

/** Sixteen digits, so that the order of keys is the order of numbers. */
function decimal(value: number): string {
  return String(value).padStart(16, '0')
}

async function openCounter(
  storage: Storage,
  random: Random,
  contact: ContactId
): Promise<{ incarnation: Uint8Array; lastSent: number }> {
  const row = await storage.get(stateKey(contact))
  if (row) {
    const fields = decodeFields(row)
    return {
      incarnation: bytesField(fields, 'incarnation'),
      lastSent: countField(fields, 'lastSent')
    }
  }
  const fresh = { incarnation: random.bytes(incarnationBytes), lastSent: 0 }
  await storage.write([{ type: 'put', key: stateKey(contact), value: encodeFields(fresh) }])
  return fresh
}

function readMessage(row: Uint8Array): Omit<ReceivedMessage, 'key'> {
  const fields = decodeFields(row)
  return {
    id: textField(fields, 'id'),
    body: textField(fields, 'body'),
    sentAt: countField(fields, 'sentAt')
  }
}

function readOutgoing(row: Uint8Array): OutgoingMessage {
  const fields = decodeFields(row)
  return {
    kind: 'message',
    incarnation: bytesField(fields, 'incarnation'),
    counter: countField(fields, 'counter'),
    ...readMessage(row)
  }
}
