/**
 * Makes every file of this folder. Run it after a change of a format, together with a new label in that format:
 * `node --conditions=source vectors/generate.ts`. All secrets in the vectors follow from published labels.
 */
import { writeFileSync } from 'node:fs'

import { certificateFile } from './certificate-vectors.ts'
import { constantsFile } from './constants-vectors.ts'
import { inviteRejectedFile } from './invite-rejected-vectors.ts'
import { inviteFile, inviteHandshakeFile } from './invite-vectors.ts'
import { framesFile, handshakeFile } from './link-vectors.ts'
import { deliveryFile, payloadsFile } from './payload-vectors.ts'
import { epochsFile, pairKeysFile, recordFile } from './presence-vectors.ts'
import { ownershipFile, signaturesFile } from './registry-vectors.ts'
import { safetyNumberFile } from './safety-number-vectors.ts'
import { secretKeyFile } from './secret-key-vectors.ts'

const formats: Readonly<Record<string, () => object>> = {
  'constants.json': constantsFile,
  'certificate.json': certificateFile,
  'safety-number.json': safetyNumberFile,
  'pair-keys.json': pairKeysFile,
  'epochs.json': epochsFile,
  'record.json': recordFile,
  'signatures.json': signaturesFile,
  'ownership.json': ownershipFile,
  'handshake.json': handshakeFile,
  'frames.json': framesFile,
  'payloads.json': payloadsFile,
  'delivery.json': deliveryFile,
  'invite.json': inviteFile,
  'invite-handshake.json': inviteHandshakeFile,
  'invite-rejected.json': inviteRejectedFile,
  'secret-key.json': secretKeyFile
}

/** Every vector file by its name. */
export const vectorFiles: Readonly<Record<string, () => object>> = {
  ...formats,
  'index.json': indexFile
}

/** How many values each file has, so that none can be lost without notice. */
function indexFile(): object {
  return Object.fromEntries(
    Object.entries(formats).map(([name, make]) => [
      name,
      leaves(JSON.parse(JSON.stringify(make())))
    ])
  )
}

function leaves(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, each) => sum + leaves(each), 0)
}

if (import.meta.main) {
  for (const [name, make] of Object.entries(vectorFiles))
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(make(), null, 2)}\n`)
}
