import * as openpgp from 'openpgp'

import { hex } from '../crypto/bytes.ts'
import { HushlampError, isHushlampError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { UnixSeconds } from '../ports.ts'
import { checkKey } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { directSignatures, maxCertificateBytes, parseKey } from './openpgp-key.ts'
import { openpgpConfig, openpgpDate } from './openpgp-profile.ts'

/** Two copies of one certificate brought together. */
export interface MergedCertificate {
  /** To be stored in place of the known copy, also where it is no longer usable: a revocation must not be forgotten. */
  readonly bytes: Uint8Array
  /** The certificate, or why it cannot be used any more. */
  readonly state:
    | { readonly usable: true; readonly certificate: Certificate }
    | { readonly usable: false; readonly code: ErrorCode }
}

type Primary = openpgp.Key['keyPacket']
type Signatures = readonly openpgp.SignaturePacket[]

/**
 * Brings a newer or older copy of a known certificate together with it: every signature of the key itself that verifies
 * is kept once, whatever copy it comes from; all else is left out, so that a forged copy changes nothing. The presence key
 * may be another one afterwards: the caller compares identities before it goes on with the contact.
 *
 * Rejects with `certificate-mismatch` for the certificate of somebody else, or as `readCertificate` for bytes that are none.
 */
export async function mergeCertificate(
  known: Uint8Array,
  update: Uint8Array,
  now: UnixSeconds
): Promise<MergedCertificate> {
  const copies = [(await parseKey(known)).toPublic(), (await parseKey(update)).toPublic()] as const
  const [primary] = copies
  if (copies[1].getFingerprint() !== primary.getFingerprint())
    throw new HushlampError('certificate-mismatch')
  const packets = await verifiedPackets(primary.keyPacket, copies)
  const bytes = packets.write()
  if (bytes.length > maxCertificateBytes) throw new HushlampError('certificate-too-large')
  try {
    const { certificate } = await checkKey(await parseKey(bytes), now)
    return { bytes, state: { usable: true, certificate } }
  } catch (error) {
    if (!isHushlampError(error)) throw error
    return { bytes, state: { usable: false, code: error.code } }
  }
}

/**
 * Revokes: brings a certificate together with the revocation certificate that was made at its creation, in ASCII armor.
 * The result is to be given to everybody. Rejects with `certificate-malformed` where they do not belong together.
 */
export async function revokeCertificate(
  certificate: Uint8Array,
  revocationCertificate: string,
  now: UnixSeconds
): Promise<Uint8Array> {
  const key = (await parseKey(certificate)).toPublic()
  try {
    const { publicKey } = await openpgp.revokeKey({
      key,
      revocationCertificate,
      date: openpgpDate(now),
      format: 'object',
      config: openpgpConfig
    })
    return publicKey.write()
  } catch (cause) {
    throw new HushlampError('certificate-malformed', undefined, { cause })
  }
}

/** Packets of a certificate in the order of RFC 9580 §10.1.1. */
async function verifiedPackets(
  primary: Primary,
  copies: readonly openpgp.Key[]
): Promise<openpgp.PacketList<openpgp.AnyPacket>> {
  const { signature } = openpgp.enums
  const keep: Keep = async (signatures, type, data) =>
    verified(signatures, type, primary, { key: primary, ...data })
  const revocations = copies.flatMap((copy) => copy.revocationSignatures)
  const packets = new openpgp.PacketList<openpgp.AnyPacket>()
  packets.push(primary, ...(await keep(revocations, signature.keyRevocation, {})))
  packets.push(...(await keep(copies.flatMap(directSignatures), signature.key, {})))
  const users = Map.groupBy(
    copies.flatMap((copy) => copy.users),
    (user) => user.userID?.userID ?? ''
  )
  for (const same of users.values()) packets.push(...(await userPackets(same, keep)))
  const subkeys = Map.groupBy(
    copies.flatMap((copy) => copy.subkeys),
    (subkey) => subkey.getFingerprint()
  )
  for (const same of subkeys.values()) packets.push(...(await subkeyPackets(same, keep)))
  return packets
}

type Keep = (
  signatures: Signatures,
  type: openpgp.enums.signature,
  data: object
) => Promise<openpgp.SignaturePacket[]>

/** A user id with what the key says of it; nothing where the key never certified it. */
async function userPackets(
  users: readonly openpgp.User[],
  keep: Keep
): Promise<openpgp.AnyPacket[]> {
  const { signature } = openpgp.enums
  const userID = users[0]?.userID
  if (!userID) return []
  const all = users.flatMap((user) => user.selfCertifications)
  const certifications: openpgp.SignaturePacket[] = []
  for (const type of [
    signature.certGeneric,
    signature.certPersona,
    signature.certCasual,
    signature.certPositive
  ]) {
    const ofType = all.filter((each) => each.signatureType === type)
    certifications.push(...(await keep(ofType, type, { userID })))
  }
  if (certifications.length === 0) return []
  const revocations = users.flatMap((user) => user.revocationSignatures)
  return [
    userID,
    ...certifications,
    ...(await keep(revocations, signature.certRevocation, { userID }))
  ]
}

/** A subkey with what the key says of it; nothing where the key never bound it. */
async function subkeyPackets(
  subkeys: readonly openpgp.Subkey[],
  keep: Keep
): Promise<openpgp.AnyPacket[]> {
  const { signature } = openpgp.enums
  const bind = subkeys[0]?.keyPacket
  if (!bind) return []
  const all = subkeys.flatMap((subkey) => subkey.bindingSignatures)
  const bindings = await keep(all, signature.subkeyBinding, { bind })
  if (bindings.length === 0) return []
  const revocations = subkeys.flatMap((subkey) => subkey.revocationSignatures)
  return [bind, ...bindings, ...(await keep(revocations, signature.subkeyRevocation, { bind }))]
}

/** Those signatures of the primary key over `data` that verify whatever the time is, each once. */
async function verified(
  signatures: Signatures,
  type: openpgp.enums.signature,
  primary: Primary,
  data: object
): Promise<openpgp.SignaturePacket[]> {
  const kept = new Map<string, openpgp.SignaturePacket>()
  for (const signature of signatures) {
    const key = hex(signature.write())
    if (!kept.has(key) && (await verifies(signature, type, primary, data))) kept.set(key, signature)
  }
  return [...kept.values()]
}

async function verifies(
  signature: openpgp.SignaturePacket,
  type: openpgp.enums.signature,
  primary: Primary,
  data: object
): Promise<boolean> {
  if (!signature.created) return false
  try {
    // At the moment of its making, so that neither expiry nor a clock that is behind decides.
    await signature.verify(primary, type, data, signature.created, false, openpgpConfig)
    return true
  } catch {
    // Whatever is wrong with it, it is left out.
    return false
  }
}
