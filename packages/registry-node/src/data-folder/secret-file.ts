import { chmod, readFile, rename, writeFile } from 'node:fs/promises'

import { HushlampError } from '@hushlamp/shared'

import { errorCode } from '../log.ts'

/**
 * The content of a file that only its owner may read; made if it is missing.
 *
 * @throws HushlampError `storage-failed`
 */
export async function readOrMakeSecret(
  file: string,
  make: () => Promise<Uint8Array> | Uint8Array
): Promise<Uint8Array> {
  const existing = await readSecret(file)
  if (existing !== undefined) return existing
  const secret = await make()
  await writeSecret(file, secret)
  return secret
}

/**
 * The content of a file, undefined if there is none.
 *
 * @throws HushlampError `storage-failed`
 */
export async function readSecret(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw new HushlampError('storage-failed', `The file ${file} cannot be read.`, { cause })
  }
}

/**
 * Writes a file that only its owner may read, beside its place first, so that a crash leaves no half of it.
 *
 * @throws HushlampError `storage-failed`
 */
export async function writeSecret(file: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeFile(`${file}.new`, content, { mode: 0o600, flush: true })
    await chmod(`${file}.new`, 0o600)
    await rename(`${file}.new`, file)
  } catch (cause) {
    throw new HushlampError('storage-failed', `The file ${file} cannot be written.`, { cause })
  }
}
