import { randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'

import { HushlampError } from '@hushlamp/shared'

const keyBytes = 32

/**
 * The key that encrypts a data folder whose user chose no passphrase: 32 random bytes in a file that only its owner can
 * read. Made if absent.
 *
 * Errors: `storage-corrupt` if the file is something else, `storage-failed`.
 */
export async function openKeyFile(path: string): Promise<Uint8Array> {
  const existing = await readIfThere(path)
  if (existing) {
    if (existing.length !== keyBytes)
      throw new HushlampError('storage-corrupt', 'The key file has not the length of a key.')
    return existing
  }
  const key = new Uint8Array(randomBytes(keyBytes))
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(key)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new HushlampError('storage-failed', 'The key file cannot be written.', { cause })
  }
  return key
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new HushlampError('storage-failed', 'The key file cannot be read.', { cause })
  }
}
