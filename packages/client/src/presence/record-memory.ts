import { admits, compareRecords } from '@hushlamp/shared'
import type { PresenceRecord, UnixSeconds } from '@hushlamp/shared'

import type { ContactId } from '../contacts/contact-book.ts'
import type { Storage } from '../storage/storage.ts'
import { countField, decodeFields, encodeFields } from '../storage/stored-fields.ts'

/** Epochs kept in mind per contact and direction: the present one and its neighbours. */
const keptEpochs = 3

/**
 * Remembers across restarts what must not go back: when our last record of a pair and epoch was issued, and the newest of
 * the contact's that we have believed. That keeps an old record from being played again.
 */
export class RecordMemory {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** When our last record for that contact and epoch was issued. */
  async lastIssued(contact: ContactId, epoch: number): Promise<UnixSeconds | undefined> {
    const row = await this.#storage.get(issuedKey(contact, epoch))
    return row && countField(decodeFields(row), 'issued')
  }

  /** Stores that before the record goes out. */
  async rememberIssued(contact: ContactId, epoch: number, issued: UnixSeconds): Promise<void> {
    await this.#replace(issuedPrefix(contact), issuedKey(contact, epoch), { issued })
  }

  /** Whether a record is at least as new as any believed before in its epoch; if so it is the newest now. */
  async admit(
    contact: ContactId,
    epoch: number,
    record: Pick<PresenceRecord, 'issued' | 'sequence'>
  ): Promise<boolean> {
    const key = seenKey(contact, epoch)
    const row = await this.#storage.get(key)
    if (row) {
      const fields = decodeFields(row)
      const seen = {
        issued: countField(fields, 'issued'),
        sequence: countField(fields, 'sequence')
      }
      if (!admits(seen, record)) return false
      if (compareRecords(record, seen) === 0) return true
    }
    const { issued, sequence } = record
    await this.#replace(seenPrefix(contact), key, { issued, sequence })
    return true
  }

  /** Writes a row and lets go of those of epochs long past. */
  async #replace(prefix: string, key: string, fields: Record<string, number>): Promise<void> {
    const known = (await this.#storage.entries(prefix)).map(([each]) => each)
    const past = known.filter((each) => each !== key).slice(0, -keptEpochs)
    await this.#storage.write([
      { type: 'put', key, value: encodeFields(fields) },
      ...past.map((each) => ({ type: 'delete', key: each }) as const)
    ])
  }
}

const issuedPrefix = (contact: ContactId): string => `presence/${contact}/issued/`
const seenPrefix = (contact: ContactId): string => `presence/${contact}/seen/`
const issuedKey = (contact: ContactId, epoch: number): string =>
  `${issuedPrefix(contact)}${String(epoch).padStart(16, '0')}`
const seenKey = (contact: ContactId, epoch: number): string =>
  `${seenPrefix(contact)}${String(epoch).padStart(16, '0')}`
