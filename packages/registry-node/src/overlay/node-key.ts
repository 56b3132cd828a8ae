import { chmod, readFile, rename, writeFile } from 'node:fs/promises'

import { HushlampError } from '@hushlamp/shared'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'

/**
 * The key of this node in the overlay: read from `file`, or made and kept there, readable for the owner alone.
 *
 * @throws HushlampError `storage-corrupt` or `storage-failed`
 */
export async function loadNodeKey(file: string): Promise<PrivateKey> {
  const existing = await read(file)
  if (existing !== undefined) {
    try {
      return privateKeyFromProtobuf(existing)
    } catch (cause) {
      throw new HushlampError('storage-corrupt', 'The node’s key file cannot be read.', { cause })
    }
  }
  const key = await generateKeyPair('Ed25519')
  try {
    // Written beside and moved, so that a crash leaves no half of a key.
    await writeFile(`${file}.new`, privateKeyToProtobuf(key), { mode: 0o600, flush: true })
    await chmod(`${file}.new`, 0o600)
    await rename(`${file}.new`, file)
  } catch (cause) {
    throw new HushlampError('storage-failed', 'The node’s key cannot be written.', { cause })
  }
  return key
}

async function read(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new HushlampError('storage-failed', 'The node’s key cannot be read.', { cause })
  }
}
