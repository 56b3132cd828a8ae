import * as nodeCrypto from 'node:crypto'

/** What one derivation costs; RFC 9106 §3.1. */
export interface Argon2Cost {
  readonly memoryKibibytes: number
  readonly passes: number
  readonly lanes: number
}

/**
 * Argon2id (RFC 9106, version 0x13) with a result of 32 bytes, outside of the main thread. Undefined where this Node.js
 * lacks it: it came with version 24.7.
 */
export async function argon2id(
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: Argon2Cost
): Promise<Uint8Array | undefined> {
  // A named import would keep older versions from loading this module at all.
  const implementation: Partial<Pick<typeof nodeCrypto, 'argon2'>> = nodeCrypto
  const { argon2 } = implementation
  if (!argon2) return undefined
  const parameters = {
    message: passphrase,
    nonce: salt,
    memory: cost.memoryKibibytes,
    passes: cost.passes,
    parallelism: cost.lanes,
    tagLength: 32
  }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => {
      if (error) reject(error)
      else resolve(new Uint8Array(key))
    })
  })
}
