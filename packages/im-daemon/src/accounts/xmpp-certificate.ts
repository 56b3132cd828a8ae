import { readFile, writeFile } from 'node:fs/promises'

import { HushlampError } from '@hushlamp/shared'
import type { Clock, Random } from '@hushlamp/shared'

import { makeSelfSignedCertificate } from '../xmpp/self-signed-certificate.ts'
import type { TlsCertificate } from '../xmpp/self-signed-certificate.ts'
import type { DataFolder } from './data-folder.ts'

/** File of the certificate that XMPP clients may be told to trust. */
export const certificateFile = 'xmpp-certificate.pem'
const keyFile = 'xmpp-key.pem'

/** The certificate of this data folder's XMPP server, made at the first start. Errors: `storage-failed`. */
export async function openXmppCertificate(
  folder: DataFolder,
  components: { readonly clock: Clock; readonly random: Random }
): Promise<TlsCertificate> {
  const paths = { key: folder.pathOf(keyFile), certificate: folder.pathOf(certificateFile) }
  try {
    const [keyPem, certificatePem] = await Promise.all([
      readFile(paths.key, 'utf8'),
      readFile(paths.certificate, 'utf8')
    ])
    return { keyPem, certificatePem }
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'))
      throw new HushlampError('storage-failed', 'The TLS certificate cannot be read.', { cause })
  }
  const made = makeSelfSignedCertificate(components.random, components.clock.unixSeconds())
  await writeFile(paths.key, made.keyPem, { mode: 0o600 })
  await writeFile(paths.certificate, made.certificatePem, { mode: 0o600 })
  return made
}
