import * as openpgp from 'openpgp'

import { fromHex } from '../crypto/bytes.ts'
import { isSmallOrder, signingKeyFromSeed } from '../crypto/ed25519.ts'
import { agreementKeyFromSecret } from '../crypto/x25519.ts'
import { HushlampError } from '../errors.ts'
import type { UnixSeconds } from '../ports.ts'
import { clockToleranceSeconds } from './clock-tolerance.ts'
import type { Identity, PublicIdentity } from './identity.ts'
import { agreementSecret, parseKey, publicKeyBytes, signingSeed } from './openpgp-key.ts'
import { openpgpConfig, openpgpDate, secondsOf } from './openpgp-profile.ts'
import { findPresenceSubkey } from './presence-subkey.ts'
import type { PresenceSubkey } from './presence-subkey.ts'
import { displayableText } from './untrusted-text.ts'

/** A contact's certificate, checked. */
export interface Certificate {
  readonly identity: PublicIdentity
  /** Name from the primary user id, made displayable; empty if there is none. Nobody vouches for it. */
  readonly name: string
  /** The certificate itself, binary OpenPGP packets without secrets, pictures and what others certified. */
  readonly bytes: Uint8Array
  /** First second at which the primary key or the presence subkey has expired; absent if neither does. */
  readonly expires?: UnixSeconds
}

/** Our own certificate with its secret keys. */
export interface SecretCertificate {
  readonly certificate: Certificate
  readonly identity: Identity
}

/**
 * Reads and checks a certificate, armored or binary, v4 or v6 (RFC 9580; algorithms 22/18 or 27/25): an Ed25519 primary
 * key and exactly one valid presence subkey at the moment `now`, or as much later as two clocks may differ. A secret
 * certificate is read as its public part.
 *
 * Rejects with `certificate-too-large`, `certificate-malformed`, `certificate-revoked`, `certificate-expired` or
 * `certificate-unsuitable`.
 */
export async function readCertificate(data: Uint8Array, now: UnixSeconds): Promise<Certificate> {
  const { certificate } = await checkKey((await parseKey(data)).toPublic(), now)
  return certificate
}

/** Reads our own certificate with unencrypted secret keys. Rejects as {@link readCertificate}, or with `secret-key-missing`. */
export async function readSecretCertificate(
  data: Uint8Array,
  now: UnixSeconds
): Promise<SecretCertificate> {
  const key = await parseKey(data)
  if (!key.isPrivate()) throw new HushlampError('secret-key-missing')
  const { certificate, presence } = await checkKey(key.toPublic(), now)
  const fingerprint = presence.subkey.getFingerprint()
  const secretSubkey = key.subkeys.find((subkey) => subkey.getFingerprint() === fingerprint)
  const seed = signingSeed(key.keyPacket)
  const secret = secretSubkey && agreementSecret(secretSubkey.keyPacket)
  if (!seed || !secret) throw new HushlampError('secret-key-missing')
  const identity = {
    ...certificate.identity,
    signing: signingKeyFromSeed(seed),
    agreement: agreementKeyFromSecret(secret)
  }
  return { certificate, identity }
}

/**
 * Whether a certificate that was read before may still be used: throws `certificate-expired`. To be asked at every use; a
 * revocation comes with a newer copy, through `mergeCertificate`.
 */
export function checkCertificateAt(certificate: Certificate, now: UnixSeconds): void {
  if (certificate.expires !== undefined && certificate.expires <= now)
    throw new HushlampError('certificate-expired')
}

/** The certificate in ASCII armor, as people exchange it. */
export function armorCertificate(certificate: Certificate): string {
  return openpgp.armor(
    openpgp.enums.armor.publicKey,
    certificate.bytes,
    undefined,
    undefined,
    undefined,
    undefined,
    openpgpConfig
  )
}

/** What {@link readCertificate} promises, of a parsed key without secrets. */
export async function checkKey(
  key: openpgp.Key,
  now: UnixSeconds
): Promise<{ readonly certificate: Certificate; readonly presence: PresenceSubkey }> {
  // What costs nothing comes first: the signatures of other kinds of keys are not verified.
  const signingKey = publicKeyBytes(key.keyPacket, 'ed25519')
  const fingerprint = fromHex(key.getFingerprint())
  if (!signingKey || !fingerprint || isSmallOrder(signingKey))
    throw new HushlampError('certificate-unsuitable')
  const moment = now + clockToleranceSeconds
  await checkPrimaryKey(key, moment)
  const presence = await findPresenceSubkey(key, moment)
  const expires = earlier(
    secondsOf(await key.getExpirationTime(undefined, openpgpConfig)),
    presence.expires
  )
  const certificate = {
    identity: { fingerprint, signingKey, presenceKey: presence.publicKey },
    name: await nameOf(key, moment),
    bytes: key.write(),
    ...(expires === undefined ? {} : { expires })
  }
  return { certificate, presence }
}

async function checkPrimaryKey(key: openpgp.Key, moment: UnixSeconds): Promise<void> {
  const date = openpgpDate(moment)
  if (await key.isRevoked(undefined, undefined, date, openpgpConfig))
    throw new HushlampError('certificate-revoked')
  try {
    await key.verifyPrimaryKey(date, undefined, openpgpConfig)
  } catch (cause) {
    // Undefined also without any valid self-signature.
    const expires = secondsOf(await key.getExpirationTime(undefined, openpgpConfig))
    const hasExpired = expires !== undefined && expires <= moment
    const code = hasExpired ? 'certificate-expired' : 'certificate-unsuitable'
    throw new HushlampError(code, undefined, { cause })
  }
}

/** Only a name that the key itself certifies: anybody can add another one to a copy. */
async function nameOf(key: openpgp.Key, moment: UnixSeconds): Promise<string> {
  try {
    const { user } = await key.getPrimaryUser(openpgpDate(moment), undefined, openpgpConfig)
    return displayableText(user.userID?.userID ?? '')
  } catch {
    // A v6 certificate needs no user id.
    return ''
  }
}

function earlier(a: UnixSeconds | undefined, b: UnixSeconds | undefined): UnixSeconds | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}
