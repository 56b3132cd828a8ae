import {
  HushlampError,
  displayableText,
  hex,
  readCertificate,
  sameIdentity
} from '@hushlamp/shared'
import type { Certificate, Clock, PublicIdentity, Random } from '@hushlamp/shared'

import type { Storage } from '../storage/storage.ts'
import { bytesField, decodeFields, encodeFields, textField } from '../storage/stored-fields.ts'

/** Names a contact on this computer only: random, so that a key of the storage tells nothing. */
export type ContactId = string

/** A person whose certificate the user has accepted. */
export interface Contact {
  readonly id: ContactId
  /** Chosen by the user, never leaves this computer: 1 to 64 of `a-z 0-9 . - _`. */
  readonly alias: string
  /** What the roster shows, if not the alias. */
  readonly name?: string
  readonly groups: readonly string[]
  readonly certificate: Certificate
}

const prefix = 'contact/'
const aliasForm = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

/** The user's contacts, kept in the endpoint's storage. */
export class ContactBook {
  readonly #storage: Storage
  readonly #random: Random
  readonly #own: PublicIdentity
  readonly #contacts: Map<ContactId, Contact>

  private constructor(
    components: { readonly storage: Storage; readonly random: Random },
    own: PublicIdentity,
    contacts: Map<ContactId, Contact>
  ) {
    this.#storage = components.storage
    this.#random = components.random
    this.#own = own
    this.#contacts = contacts
  }

  /** Reads the book. A contact whose certificate has expired or is not readable any more stays out, but stays stored. */
  static async open(
    components: { readonly storage: Storage; readonly random: Random; readonly clock: Clock },
    own: PublicIdentity
  ): Promise<ContactBook> {
    const contacts = new Map<ContactId, Contact>()
    for (const [key, row] of await components.storage.entries(prefix)) {
      const contact = await readRow(key.slice(prefix.length), row, components.clock)
      if (contact) contacts.set(contact.id, contact)
    }
    return new ContactBook(components, own, contacts)
  }

  /** All contacts, by alias. */
  list(): readonly Contact[] {
    return [...this.#contacts.values()].sort((a, b) => (a.alias < b.alias ? -1 : 1))
  }

  /** The contact with that id, or undefined. */
  get(id: ContactId): Contact | undefined {
    return this.#contacts.get(id)
  }

  /** The contact with that alias, or undefined. */
  withAlias(alias: string): Contact | undefined {
    return this.list().find((contact) => contact.alias === alias)
  }

  /**
   * Accepts a person. The caller has made sure that the certificate is theirs. Rejects with `contact-is-self`,
   * `contact-exists` or `alias-invalid`.
   *
   * @param alias If absent, one is made of the certificate's name.
   */
  async add(certificate: Certificate, alias?: string): Promise<Contact> {
    if (sameIdentity(certificate.identity, this.#own)) throw new HushlampError('contact-is-self')
    if (this.list().some((each) => sameIdentity(each.certificate.identity, certificate.identity)))
      throw new HushlampError('contact-exists')
    const chosen = alias ?? this.#freeAlias(certificate.name)
    if (!aliasForm.test(chosen)) throw new HushlampError('alias-invalid')
    if (this.withAlias(chosen)) throw new HushlampError('contact-exists')
    const contact: Contact = {
      id: hex(this.#random.bytes(8)),
      alias: chosen,
      groups: [],
      certificate
    }
    await this.#store(contact)
    return contact
  }

  /** Gives a contact another name and other groups in the roster. */
  async rename(
    id: ContactId,
    name: string | undefined,
    groups: readonly string[]
  ): Promise<Contact> {
    const contact = this.#contacts.get(id)
    if (!contact) throw new HushlampError('contact-unknown')
    const { name: _former, ...rest } = contact
    const shown = name === undefined ? '' : displayableText(name, 128)
    const renamed = { ...rest, groups, ...(shown === '' ? {} : { name: shown }) }
    await this.#store(renamed)
    return renamed
  }

  async #store(contact: Contact): Promise<void> {
    const row = encodeFields({
      alias: contact.alias,
      name: contact.name,
      groups: contact.groups,
      certificate: contact.certificate.bytes
    })
    await this.#storage.write([{ type: 'put', key: `${prefix}${contact.id}`, value: row }])
    this.#contacts.set(contact.id, contact)
  }

  #freeAlias(name: string): string {
    const base = aliasOf(name)
    for (let number = 1; ; number++) {
      const alias = number === 1 ? base : `${base}-${number}`
      if (!this.withAlias(alias)) return alias
    }
  }
}

/** An alias out of somebody's name: ASCII letters and digits, the rest as hyphens. */
function aliasOf(name: string): string {
  const ascii = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '')
  return ascii === '' ? 'contact' : ascii
}

async function readRow(id: ContactId, row: Uint8Array, clock: Clock): Promise<Contact | undefined> {
  const fields = decodeFields(row)
  const { name, groups } = fields
  const alias = textField(fields, 'alias')
  const bytes = bytesField(fields, 'certificate')
  try {
    return {
      id,
      alias,
      ...(typeof name === 'string' ? { name } : {}),
      groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
      certificate: await readCertificate(bytes, clock.unixSeconds())
    }
  } catch (error) {
    if (error instanceof HushlampError) return undefined
    throw error
  }
}
