import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'

import { HushlampError, utf8 } from '@hushlamp/shared'
import type { Random } from '@hushlamp/shared'

import type { ScramSecrets, XmppCredentials } from '../xmpp-account.ts'
import { saslPrep } from './saslprep.ts'

/** Hash functions that SCRAM is defined with here (RFC 5802, RFC 7677). */
export type ScramHash = 'sha1' | 'sha256'

/**
 * Rounds of PBKDF2. RFC 7677 §4 asks for at least 4,096; 10,000 cost a client and a PLAIN login a few milliseconds. The
 * password guards a port on this computer; the identity behind it has its own protection.
 */
export const scramIterations = 10_000

const saltBytes = 16

/** Length of a hash in bytes. */
export function hashLength(hash: ScramHash): number {
  return hash === 'sha1' ? 20 : 32
}

/** HMAC with the hash of a SCRAM mechanism. */
export function scramHmac(hash: ScramHash, key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(hash, key).update(data).digest())
}

/** Hash `H` of RFC 5802 §2.2. */
export function scramDigest(hash: ScramHash, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(data).digest())
}

/**
 * What a server keeps of a password: salted keys for both hashes (RFC 5802 §3). The password cannot be read back.
 *
 * @throws HushlampError `config-invalid` for an empty password or one with control characters
 */
export function deriveCredentials(password: string, random: Random): XmppCredentials {
  const prepared = saslPrep(password)
  if (prepared === undefined || prepared === '') {
    throw new HushlampError(
      'config-invalid',
      'A password for XMPP clients has at least one character and no control characters.'
    )
  }
  const secrets = (hash: ScramHash): ScramSecrets =>
    scramSecrets(hash, prepared, random.bytes(saltBytes), scramIterations)
  return { sha1: secrets('sha1'), sha256: secrets('sha256') }
}

/** StoredKey and ServerKey of a prepared password (RFC 5802 §3). */
export function scramSecrets(
  hash: ScramHash,
  preparedPassword: string,
  salt: Uint8Array,
  iterations: number
): ScramSecrets {
  const salted = pbkdf2Sync(utf8(preparedPassword), salt, iterations, hashLength(hash), hash)
  const clientKey = scramHmac(hash, salted, utf8('Client Key'))
  return {
    salt,
    iterations,
    storedKey: scramDigest(hash, clientKey),
    serverKey: scramHmac(hash, salted, utf8('Server Key'))
  }
}

/** Whether `password` is the one that `credentials` were made of, compared in constant time. */
export function passwordMatches(password: string, credentials: XmppCredentials): boolean {
  const { salt, iterations, storedKey } = credentials.sha256
  const prepared = saslPrep(password) ?? ''
  const tried = scramSecrets('sha256', prepared, salt, iterations)
  return sameBytes(tried.storedKey, storedKey) && prepared !== ''
}

/** Whether the arrays are equal, in time that depends on their lengths alone. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Credentials for names that have no account: every password fails against them, yet salt and rounds look like those of
 * an account and stay the same for a name, so that nobody learns which accounts exist (RFC 5802 §9).
 */
export function decoyCredentials(name: string, decoyKey: Uint8Array): XmppCredentials {
  const secrets = (hash: ScramHash): ScramSecrets => {
    const derive = (purpose: string): Uint8Array =>
      scramHmac('sha256', decoyKey, utf8(`${purpose} ${hash} ${name}`))
    return {
      salt: derive('salt').subarray(0, saltBytes),
      iterations: scramIterations,
      storedKey: derive('stored key').subarray(0, hashLength(hash)),
      serverKey: derive('server key').subarray(0, hashLength(hash))
    }
  }
  return { sha1: secrets('sha1'), sha256: secrets('sha256') }
}
