/**
 * Makes every file of this folder. Run it after a change of a format, together with a new label in that format:
 * `node --conditions=source vectors/generate.ts`. All secrets in the vectors follow from published labels.
 */
import { writeFileSync } from 'node:fs'

import { expects } from './cases.ts'
import type { VectorFile } from './cases.ts'
import { certificateFile } from './certificate-vectors.ts'
import { constantsFile } from './constants-vectors.ts'
import { deliveryFile } from './delivery-vectors.ts'
import { epochsFile } from './epoch-vectors.ts'
import { framesFile } from './frame-vectors.ts'
import { handshakeFile, inviteHandshakeFile } from './handshake-vectors.ts'
import { inviteFile } from './invite-vectors.ts'
import { noiseFile } from './noise-vectors.ts'
import { pairKeysFile } from './pair-vectors.ts'
import { invitePayloadsFile, payloadsFile } from './payload-vectors.ts'
import { recordFile } from './record-vectors.ts'
import { ownershipFile, signaturesFile } from './registry-vectors.ts'
import { safetyNumberFile } from './safety-number-vectors.ts'
import { secretKeyFile } from './secret-key-vectors.ts'

const formats: Readonly<Record<string, () => VectorFile>> = {
  'constants.json': constantsFile,
  'certificate.json': certificateFile,
  'safety-number.json': safetyNumberFile,
  'secret-key.json': secretKeyFile,
  'pair-keys.json': pairKeysFile,
  'epochs.json': epochsFile,
  'record.json': recordFile,
  'signatures.json': signaturesFile,
  'ownership.json': ownershipFile,
  'handshake.json': handshakeFile,
  'noise.json': noiseFile,
  'frames.json': framesFile,
  'payloads.json': payloadsFile,
  'delivery.json': deliveryFile,
  'invite.json': inviteFile,
  'invite-handshake.json': inviteHandshakeFile,
  'invite-payloads.json': invitePayloadsFile
}

/** Every vector file by its name. */
export const vectorFiles: Readonly<Record<string, () => VectorFile>> = {
  ...formats,
  'index.json': indexFile
}

/** How many lines each file has, so that nothing can be lost without notice. */
function indexFile(): VectorFile {
  const lines = Object.entries(formats).map(
    ([name, make]) => [name, textOf(make()).split('\n').length - 1] as const
  )
  return { index: [expects({}, { lines: Object.fromEntries(lines) })] }
}

function textOf(file: VectorFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

if (import.meta.main) {
  for (const [name, make] of Object.entries(vectorFiles))
    writeFileSync(new URL(name, import.meta.url), textOf(make()))
}
