import type * as openpgp from 'openpgp'

import { textOf } from '../crypto/bytes.ts'
import { HushlampError } from '../errors.ts'
import type { UnixSeconds } from '../ports.ts'
import { publicKeyBytes } from './openpgp-key.ts'
import { openpgpConfig, openpgpDate, presenceNotation, secondsOf } from './openpgp-profile.ts'

/** The presence subkey of a certificate and when it ends. */
export interface PresenceSubkey {
  readonly subkey: openpgp.Subkey
  /** X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly expires: UnixSeconds | undefined
}

/** What became of a presence subkey. */
type Standing = 'valid' | 'certificate-revoked' | 'certificate-expired' | 'certificate-unsuitable'

/**
 * The one presence subkey: X25519, valid at `moment`, its newest valid binding signature with the presence notation. Revoked
 * and expired ones do not count beside it. Without a valid one rejects with what became of the newest:
 * `certificate-revoked` or `certificate-expired`; with `certificate-unsuitable` if there never was one, or if there are two.
 */
export async function findPresenceSubkey(
  key: openpgp.Key,
  moment: UnixSeconds
): Promise<PresenceSubkey> {
  // Newest first. Only subkeys that say to be for presence are verified at all.
  const candidates = key.subkeys
    .filter((subkey) => subkey.bindingSignatures.some(hasPresenceNotation))
    .toSorted((a, b) => Number(b.getCreationTime()) - Number(a.getCreationTime()))
  const valid: openpgp.Subkey[] = []
  let reason: Exclude<Standing, 'valid'> = 'certificate-unsuitable'
  for (const subkey of candidates) {
    const standing = await standingOf(subkey, moment)
    if (standing === 'valid') valid.push(subkey)
    else if (reason === 'certificate-unsuitable') reason = standing
  }
  const [subkey, second] = valid
  if (!subkey) throw new HushlampError(reason)
  const publicKey = publicKeyBytes(subkey.keyPacket, 'x25519')
  if (!publicKey || second) throw new HushlampError('certificate-unsuitable')
  return { subkey, publicKey, expires: await expiryOf(subkey, moment) }
}

async function standingOf(subkey: openpgp.Subkey, moment: UnixSeconds): Promise<Standing> {
  const date = openpgpDate(moment)
  try {
    const binding = await subkey.verify(date, openpgpConfig)
    return hasPresenceNotation(binding) ? 'valid' : 'certificate-unsuitable'
  } catch {
    // The library tells only that it is not valid; which of the reasons it is, is asked below.
  }
  if (subkey.bindingSignatures.some((binding) => binding.revoked === true))
    return 'certificate-revoked'
  const expires = await expiryOf(subkey, moment)
  return expires !== undefined && expires <= moment
    ? 'certificate-expired'
    : 'certificate-unsuitable'
}

async function expiryOf(
  subkey: openpgp.Subkey,
  moment: UnixSeconds
): Promise<UnixSeconds | undefined> {
  return secondsOf(await subkey.getExpirationTime(openpgpDate(moment), openpgpConfig))
}

function hasPresenceNotation(binding: openpgp.SignaturePacket): boolean {
  return binding.rawNotations.some(
    ({ name, value }) => name === presenceNotation.name && textOf(value) === presenceNotation.value
  )
}
