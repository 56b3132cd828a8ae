import {
  DeliveryMachine,
  HushlampError,
  hex,
  incarnationBytes,
  isSendableMessage
} from '@hushlamp/shared'
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
  /** Keys of the rows of waiting messages, by incarnation and counter. */
  readonly #outKeys: Map<string, string>
  #lastRow: number
  #arrivals: number
  #tail: Promise<void> = Promise.resolve()
  #failed = false

  private constructor(
    storage: Storage,
    contact: ContactId,
    machine: DeliveryMachine,
    rows: {
      readonly out: ReadonlyMap<string, string>
      readonly lastOut: number
      readonly lastIn: number
    },
    listener: MailboxListener
  ) {
    this.#storage = storage
    this.#contact = contact
    this.#machine = machine
    this.#outKeys = new Map(rows.out)
    this.#lastRow = rows.lastOut
    this.#arrivals = rows.lastIn
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
    const waiting = outgoing.map(([key, row]) => ({ key, message: readOutgoing(row) }))
    const machine = new DeliveryMachine({
      ...state,
      waiting: waiting.map(({ message }) => message),
      received: new Map(
        received.map(([key, row]) => [
          key.slice(countPrefix(contact).length),
          countField(decodeFields(row), 'counter')
        ])
      )
    })
    const rows = {
      out: new Map(waiting.map(({ key, message }) => [messageName(message), key])),
      lastOut: rowNumber(outgoing.at(-1)?.[0]),
      lastIn: rowNumber(inbox.at(-1)?.[0])
    }
    return new Mailbox(storage, contact, machine, rows, listener)
  }

  /**
   * Takes a message of the user; fulfilled once it is on the disk. It is sent when and as often as needed. Rejects with
   * `message-too-long` what the contact would have to refuse.
   */
  async submit(message: {
    readonly id: string
    readonly body: string
    readonly sentAt: number
  }): Promise<void> {
    if (!isSendableMessage(message)) throw new HushlampError('message-too-long')
    await this.#step({ type: 'submit', message })
  }

  /**
   * A link is there: what waits is sent. The link is taken into use in its turn and not before, or else a message that is
   * just being stored would overtake those that wait, and its receipt would count for them.
   */
  linked(send: (payload: Payload) => void): void {
    this.#enqueue({ type: 'link-up' }, send)
  }

  /** The link is gone. */
  unlinked(): void {
    this.#enqueue({ type: 'link-down' }, () => undefined)
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

  #enqueue(event: DeliveryEvent, send?: (payload: Payload) => void): void {
    this.#step(event, send).catch((error: unknown) => {
      this.#listener.failed(error)
    })
  }

  #step(event: DeliveryEvent, send?: (payload: Payload) => void): Promise<void> {
    const work = this.#tail.then(async () => {
      if (this.#failed) throw new HushlampError('storage-failed')
      if (send) this.#send = send
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
        for (const message of effect.messages) this.#outKeys.delete(messageName(message))
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

  /** The row of a message. Rows are numbered in the order of sending, which counters are not across incarnations. */
  #outKey(message: OutgoingMessage): string {
    const name = messageName(message)
    const known = this.#outKeys.get(name)
    if (known !== undefined) return known
    const key = `${outPrefix(this.#contact)}${decimal(++this.#lastRow)}`
    this.#outKeys.set(name, key)
    return key
  }
}

function messageName({ incarnation, counter }: OutgoingMessage): string {
  return `${hex(incarnation)}/${counter}`
}

const stateKey = (contact: ContactId): string => `mail/${contact}/state`
const outPrefix = (contact: ContactId): string => `mail/${contact}/out/`
const inboxPrefix = (contact: ContactId): string => `mail/${contact}/in/`
const countPrefix = (contact: ContactId): string => `mail/${contact}/count/`

/** The number that {@link decimal} wrote at the end of a key; 0 where there is no key. */
function rowNumber(key: string | undefined): number {
  return Number(key?.slice(-16) ?? 0)
}

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
