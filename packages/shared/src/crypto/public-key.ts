import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { compareBytes, concat } from './bytes.ts'

/** What stands before the 32 bytes of a public key in its SubjectPublicKeyInfo (RFC 8410 §4). */
export const publicKeyHeader: { readonly ed25519: Uint8Array; readonly x25519: Uint8Array } = {
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
  x25519: Buffer.from('302a300506032b656e032100', 'hex')
}

interface Imported {
  readonly header: Uint8Array
  readonly bytes: Uint8Array
  readonly key: KeyObject
}

/** Importing a key takes a third of the time of a verification, and contacts keep their keys. */
const imported = new WeakMap<Uint8Array, Imported>()

/** The key object of a public key of 32 bytes. Throws where OpenSSL does not take it. */
export function importPublicKey(header: Uint8Array, bytes: Uint8Array): KeyObject {
  const known = imported.get(bytes)
  // An array may be written to: only its present content counts.
  if (known?.header === header && compareBytes(known.bytes, bytes) === 0) return known.key
  const key = createPublicKey({
    key: Buffer.from(concat(header, bytes)),
    format: 'der',
    type: 'spki'
  })
  imported.set(bytes, { header, bytes: new Uint8Array(bytes), key })
  return key
}
