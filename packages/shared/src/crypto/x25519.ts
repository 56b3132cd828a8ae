import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { concat } from './bytes.ts'
import { importPublicKey, publicKeyHeader } from './public-key.ts'

const secretHeader = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** An X25519 key pair (RFC 7748). The secret stays inside. */
export interface AgreementKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /**
   * The shared secret with `peerPublicKey`, 32 bytes; undefined where the peer's key is not a usable one (wrong length,
   * or of small order so that the secret would be all zero).
   */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined
}

/** The key pair of a 32-byte secret; clamping is part of the function itself. */
export function agreementKeyFromSecret(secret: Uint8Array): AgreementKey {
  if (secret.length !== 32) throw new RangeError('an X25519 secret has 32 bytes')
  const privateKey = createPrivateKey({
    key: Buffer.from(concat(secretHeader, secret)),
    format: 'der',
    type: 'pkcs8'
  })
  const publicKey = new Uint8Array(
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
  )
  return { publicKey, agree: (peer) => agree(privateKey, peer) }
}

function agree(privateKey: KeyObject, peer: Uint8Array): Uint8Array | undefined {
  if (peer.length !== 32) return undefined
  try {
    const publicKey = importPublicKey(publicKeyHeader.x25519, peer)
    const secret = new Uint8Array(diffieHellman({ privateKey, publicKey }))
    return secret.every((byte) => byte === 0) ? undefined : secret
  } catch {
    // OpenSSL refuses small-order points by throwing.
    return undefined
  }
}
