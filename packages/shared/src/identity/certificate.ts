import * as openpgp from 'openpgp'

import { fromHex, textOf } from '../crypto/bytes.ts'
import { isSmallOrder, signingKeyFromSeed } from '../crypto/ed25519.ts'
import { agreementKeyFromSecret } from '../crypto/x25519.ts'
import { HushlampError } from '../errors.ts'
import type { UnixSeconds } from '../ports.ts'
import type { Identity, PublicIdentity } from './identity.ts'
import { openpgpConfig, openpgpDate, presenceNotation } from './openpgp-profile.ts'
import { displayableText } from './untrusted-text.ts'

/** Longest certificate that is read: whatever is larger carries other things than a person's keys. */
export const maxCertificateBytes = 65_536

/** A contact's certificate, checked. */
export interface Certificate {
  readonly identity: PublicIdentity
  /** Name from the first user id, made displayable; empty if there is none. Nobody vouches for it. */
  readonly name: string
  /** The certificate itself, binary OpenPGP packets without any secret. */
  readonly bytes: Uint8Array
}

/** Our own certificate with its secret keys. */
export interface SecretCertificate {
  readonly certificate: Certificate
  readonly identity: Identity
}

/**
 * Reads and checks a certificate, armored or binary, v4 or v6 (RFC 9580; algorithms 22/18 or 27/25): an Ed25519 primary
 * key and exactly one valid presence subkey at the moment `now`. A secret certificate is read as its public part.
 *
 * Rejects with `certificate-too-large`, `certificate-malformed`, `certificate-revoked`, `certificate-expired` or
 * `certificate-unsuitable`.
 */
export async function readCertificate(data: Uint8Array, now: UnixSeconds): Promise<Certificate> {
  return checkedCertificate((await parseKey(data)).toPublic(), now)
}

/** Reads our own certificate with unencrypted secret keys. Rejects as {@link readCertificate}, or with `secret-key-missing`. */
export async function readSecretCertificate(
  data: Uint8Array,
  now: UnixSeconds
): Promise<SecretCertificate> {
  const key = await parseKey(data)
  if (!key.isPrivate()) throw new HushlampError('secret-key-missing')
  const certificate = await checkedCertificate(key.toPublic(), now)
  const presence = (await presenceSubkeys(key, now))[0]
  const seed = rawParameter(secretParameters(key.keyPacket), 'seed')
  const agreement = presence && presenceSecret(presence)
  if (!seed || !agreement) throw new HushlampError('secret-key-missing')
  const identity = {
    ...certificate.identity,
    signing: signingKeyFromSeed(seed),
    agreement: agreementKeyFromSecret(agreement)
  }
  return { certificate, identity }
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

async function parseKey(data: Uint8Array): Promise<openpgp.Key> {
  if (data.length > maxCertificateBytes) throw new HushlampError('certificate-too-large')
  try {
    const text = armoredText(data)
    return await (text === undefined
      ? openpgp.readKey({ binaryKey: data, config: openpgpConfig })
      : openpgp.readKey({ armoredKey: text, config: openpgpConfig }))
  } catch (cause) {
    throw new HushlampError('certificate-malformed', undefined, { cause })
  }
}

/** Every OpenPGP packet starts with a byte above 0x7f; text never does in ASCII. */
function armoredText(data: Uint8Array): string | undefined {
  return (data[0] ?? 0xff) < 0x80 ? textOf(data) : undefined
}

async function checkedCertificate(key: openpgp.Key, now: UnixSeconds): Promise<Certificate> {
  const date = openpgpDate(now)
  try {
    if (await key.isRevoked(undefined, undefined, date, openpgpConfig))
      throw new HushlampError('certificate-revoked')
    await key.verifyPrimaryKey(date, undefined, openpgpConfig)
  } catch (cause) {
    if (cause instanceof HushlampError) throw cause
    const code = await expiredOrUnsuitable(key, now)
    throw new HushlampError(code, undefined, { cause })
  }
  const signingKey = publicKeyBytes(key.keyPacket, 'ed25519')
  const subkeys = await presenceSubkeys(key, now)
  const presenceKey = subkeys[0] && publicKeyBytes(subkeys[0].keyPacket, 'x25519')
  const fingerprint = fromHex(key.getFingerprint())
  if (
    subkeys.length !== 1 ||
    !presenceKey ||
    !signingKey ||
    !fingerprint ||
    isSmallOrder(signingKey)
  )
    throw new HushlampError('certificate-unsuitable')
  return {
    identity: { fingerprint, signingKey, presenceKey },
    name: displayableText(key.getUserIDs()[0] ?? ''),
    bytes: key.write()
  }
}

async function expiredOrUnsuitable(
  key: openpgp.Key,
  now: UnixSeconds
): Promise<'certificate-expired' | 'certificate-unsuitable'> {
  try {
    const expiry = await key.getExpirationTime(undefined, openpgpConfig)
    return expiry !== null && Number(expiry) <= now * 1000
      ? 'certificate-expired'
      : 'certificate-unsuitable'
  } catch {
    // Without any valid self-signature there is no expiry to ask for.
    return 'certificate-unsuitable'
  }
}

/** Subkeys that are valid at `now` and whose newest valid binding carries the presence notation. */
async function presenceSubkeys(key: openpgp.Key, now: UnixSeconds): Promise<openpgp.Subkey[]> {
  const found: openpgp.Subkey[] = []
  for (const subkey of key.subkeys) {
    const binding = await validBinding(subkey, now)
    if (binding && hasPresenceNotation(binding)) found.push(subkey)
  }
  return found
}

async function validBinding(
  subkey: openpgp.Subkey,
  now: UnixSeconds
): Promise<openpgp.SignaturePacket | undefined> {
  try {
    return await subkey.verify(openpgpDate(now), openpgpConfig)
  } catch {
    // Revoked, expired or forged: not a subkey for us. Whether one is left is decided by the caller.
    return undefined
  }
}

function hasPresenceNotation(binding: openpgp.SignaturePacket): boolean {
  return binding.rawNotations.some(
    ({ name, value }) => name === presenceNotation.name && textOf(value) === presenceNotation.value
  )
}

/** Raw public key: `A` in the algorithms of RFC 9580, `Q` = 0x40 ‖ key in the legacy ones. */
function publicKeyBytes(
  packet: openpgp.PublicKeyPacket | openpgp.SecretKeyPacket | openpgp.Subkey['keyPacket'],
  kind: 'ed25519' | 'x25519'
): Uint8Array | undefined {
  const { publicKey } = openpgp.enums
  const [modern, legacy] =
    kind === 'ed25519'
      ? [publicKey.ed25519, publicKey.eddsaLegacy]
      : [publicKey.x25519, publicKey.ecdh]
  if (packet.algorithm === modern) return rawParameter(packet.publicParams, 'A', 32)
  if (packet.algorithm !== legacy) return undefined
  const point = rawParameter(packet.publicParams, 'Q', 33)
  return point?.[0] === 0x40 ? point.subarray(1) : undefined
}

/** Raw X25519 secret: `k`, or `d` in the legacy algorithm, which stores it byte-reversed. */
function presenceSecret(subkey: openpgp.Subkey): Uint8Array | undefined {
  const parameters = secretParameters(subkey.keyPacket)
  return rawParameter(parameters, 'k', 32) ?? rawParameter(parameters, 'd', 32)?.toReversed()
}

function secretParameters(packet: object): object {
  const parameters: unknown = 'privateParams' in packet ? packet.privateParams : undefined
  return typeof parameters === 'object' && parameters !== null ? parameters : {}
}

function rawParameter(parameters: object, name: string, length = 32): Uint8Array | undefined {
  const value: unknown = Reflect.get(parameters, name)
  return value instanceof Uint8Array && value.length === length ? value : undefined
}
