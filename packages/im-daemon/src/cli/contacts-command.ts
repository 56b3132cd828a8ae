import { readFile } from 'node:fs/promises'

import { ContactBook, systemClock, systemRandom } from '@hushlamp/client'
import type { Contact } from '@hushlamp/client'
import { HushlampError, hex, maxCertificateBytes, readCertificate } from '@hushlamp/shared'

import { DataFolder } from '../accounts/data-folder.ts'
import { dataDirFrom } from '../config.ts'
import type { DaemonSettings } from '../config.ts'

const components = { clock: systemClock, random: systemRandom }

/** `hushlamp contacts add`. Errors: those of reading certificates and of the contact book. */
export async function addContact(
  settings: DaemonSettings,
  file: string,
  options: { readonly alias?: string; readonly json: boolean }
): Promise<void> {
  await using folder = await DataFolder.open(dataDirFrom(settings, process.env), components)
  const certificate = await readCertificate(await readSmallFile(file), systemClock.unixSeconds())
  if (options.alias === folder.account)
    throw new HushlampError('alias-invalid', 'This is the name of your own account.')
  const contact = await (await openBook(folder)).add(certificate, options.alias)
  process.stdout.write(
    options.json
      ? `${JSON.stringify(summary(contact))}\n`
      : `${contact.alias} is your contact now. Compare the fingerprint with the one your friend sees:\n${hex(certificate.identity.fingerprint)}\n`
  )
}

/** `hushlamp contacts`: lists them. */
export async function listContacts(
  settings: DaemonSettings,
  options: { readonly json: boolean }
): Promise<void> {
  await using folder = await DataFolder.open(dataDirFrom(settings, process.env), components)
  const contacts = (await openBook(folder)).list().map(summary)
  if (options.json) {
    process.stdout.write(`${JSON.stringify(contacts)}\n`)
    return
  }
  if (contacts.length === 0) process.stdout.write('No contacts yet: hushlamp contacts add FILE\n')
  for (const { alias, fingerprint } of contacts)
    process.stdout.write(`${alias.padEnd(24)} ${fingerprint}\n`)
}

function openBook(folder: DataFolder): Promise<ContactBook> {
  return ContactBook.open({ ...components, storage: folder.storage }, folder.identity.identity)
}

function summary(contact: Contact): { readonly alias: string; readonly fingerprint: string } {
  const { alias, certificate } = contact
  return { alias, fingerprint: hex(certificate.identity.fingerprint) }
}

async function readSmallFile(file: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(file)
    return new Uint8Array(bytes.subarray(0, maxCertificateBytes + 1))
  } catch (cause) {
    throw new HushlampError('config-invalid', 'The certificate file cannot be read.', { cause })
  }
}
