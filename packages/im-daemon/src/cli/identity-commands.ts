import { systemClock, systemRandom } from '@hushlamp/client'
import { HushlampError, armorCertificate, hex, isHushlampError } from '@hushlamp/shared'

import { DataFolder } from '../accounts/data-folder.ts'
import type { DataFolderInit } from '../accounts/data-folder.ts'
import { dataDirFrom } from '../config.ts'
import type { DaemonSettings } from '../config.ts'
import { xmppDomain } from '../daemon.ts'

const components = { clock: systemClock, random: systemRandom }

/** `hushlamp init`: makes an identity. Errors: `config-invalid` if there is one already. */
export async function initFolder(
  settings: DaemonSettings,
  init: DataFolderInit & { readonly json?: boolean }
): Promise<void> {
  const path = dataDirFrom(settings, process.env)
  if (await hasIdentity(path))
    throw new HushlampError('config-invalid', '--data-dir holds an identity already.')
  await using folder = await DataFolder.open(path, components, init)
  const fingerprint = hex(folder.identity.certificate.identity.fingerprint)
  const jid = `${folder.account}@${xmppDomain}`
  const text = init.json
    ? `${JSON.stringify({ account: jid, fingerprint, dataDir: path })}\n`
    : [
        `Your identity is made. It is in ${path}`,
        `Fingerprint    ${fingerprint}`,
        `XMPP address   ${jid}`,
        '',
        'Give your certificate to the people you want to talk to: hushlamp certificate',
        ''
      ].join('\n')
  process.stdout.write(text)
}

/** `hushlamp certificate`: prints the own certificate in ASCII armor. */
export async function printCertificate(settings: DaemonSettings): Promise<void> {
  await using folder = await DataFolder.open(dataDirFrom(settings, process.env), components)
  process.stdout.write(armorCertificate(folder.identity.certificate))
}

async function hasIdentity(path: string): Promise<boolean> {
  try {
    await using _folder = await DataFolder.open(path, components)
    return true
  } catch (error) {
    if (isHushlampError(error, 'config-invalid')) return false
    throw error
  }
}
