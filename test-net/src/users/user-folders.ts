import { join } from 'node:path'

import { ContactBook, systemClock, systemRandom } from '@hushlamp/client'
import { DataFolder } from '@hushlamp/im-daemon'
import type { SecretCertificate } from '@hushlamp/shared'

/** A user before his daemon runs. */
export interface UserFolder {
  /** Local part of the user's XMPP address; the alias under which the others know him. */
  readonly name: string
  readonly path: string
  readonly xmppPassword: string
}

const components = { clock: systemClock, random: systemRandom }

/** Makes users who are each other's contacts, having exchanged certificates. */
export async function makeUserFolders(
  names: readonly string[],
  directory: string
): Promise<readonly UserFolder[]> {
  const made: { user: UserFolder; identity: SecretCertificate }[] = []
  for (const name of names) {
    const path = join(directory, name)
    await using folder = await DataFolder.open(path, components, { account: name, name })
    const { xmppPassword, identity } = folder
    made.push({ user: { name, path, xmppPassword }, identity })
  }
  for (const { user } of made) {
    await using folder = await DataFolder.open(user.path, components)
    const book = await ContactBook.open(
      { ...components, storage: folder.storage },
      folder.identity.identity
    )
    for (const other of made)
      if (other.user !== user) await book.add(other.identity.certificate, other.user.name)
  }
  return made.map(({ user }) => user)
}
