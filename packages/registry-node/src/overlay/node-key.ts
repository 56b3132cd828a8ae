import { HushlampError } from '@hushlamp/shared'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'

import { readOrMakeSecret } from '../data-folder/secret-file.ts'

/**
 * The key of this node in the overlay: read from `file`, or made and kept there, readable for the owner alone.
 *
 * @throws HushlampError `storage-corrupt` or `storage-failed`
 */
export async function loadNodeKey(file: string): Promise<PrivateKey> {
  const bytes = await readOrMakeSecret(file, async () =>
    privateKeyToProtobuf(await generateKeyPair('Ed25519'))
  )
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new HushlampError('storage-corrupt', 'The node’s key file cannot be read.', { cause })
  }
}
