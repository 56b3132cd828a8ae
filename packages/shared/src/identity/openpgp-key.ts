import * as openpgp from 'openpgp'

import { textOf } from '../crypto/bytes.ts'
import { HushlampError } from '../errors.ts'
import { openpgpConfig } from './openpgp-profile.ts'

/** Longest certificate that is read: whatever is larger carries other things than a person's keys. */
export const maxCertificateBytes = 65_536

/** Bounds on what is verified, so that a hostile certificate costs little: checked before any signature is. */
const maxUserIds = 16
const maxSubkeys = 16
const maxSignatures = 100

/**
 * Parses an OpenPGP key, armored or binary, without verifying anything. What others certified and pictures are left out:
 * they say nothing to us and only make copies differ. Rejects with `certificate-too-large` or `certificate-malformed`.
 */
export async function parseKey(data: Uint8Array): Promise<openpgp.Key> {
  if (data.length > maxCertificateBytes) throw new HushlampError('certificate-too-large')
  let key: openpgp.Key
  try {
    const text = armoredText(data)
    key = await (text === undefined
      ? openpgp.readKey({ binaryKey: data, config: openpgpConfig })
      : openpgp.readKey({ armoredKey: text, config: openpgpConfig }))
  } catch (cause) {
    throw new HushlampError('certificate-malformed', undefined, { cause })
  }
  key.users = key.users.filter((user) => user.userID !== null)
  for (const user of key.users) user.otherCertifications = []
  const tooMuch =
    key.users.length > maxUserIds ||
    key.subkeys.length > maxSubkeys ||
    countSignatures(key) > maxSignatures
  if (tooMuch) throw new HushlampError('certificate-too-large')
  return key
}

function countSignatures(key: openpgp.Key): number {
  const lists = [
    key.revocationSignatures,
    directSignatures(key),
    ...key.users.flatMap((user) => [user.selfCertifications, user.revocationSignatures]),
    ...key.subkeys.flatMap((subkey) => [subkey.bindingSignatures, subkey.revocationSignatures])
  ]
  return lists.reduce((sum, list) => sum + list.length, 0)
}

/** Direct-key signatures, which the library's declarations do not mention. */
export function directSignatures(key: openpgp.Key): readonly openpgp.SignaturePacket[] {
  const signatures: unknown = Reflect.get(key, 'directSignatures')
  return Array.isArray(signatures)
    ? signatures.filter((each) => each instanceof openpgp.SignaturePacket)
    : []
}

/** Every OpenPGP packet starts with a byte above 0x7f; ASCII armor never does, apart from a byte order mark. */
function armoredText(data: Uint8Array): string | undefined {
  const hasMark = data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf
  const text = hasMark ? data.subarray(3) : data
  return (text[0] ?? 0xff) < 0x80 ? textOf(text) : undefined
}

/** Raw Ed25519 or X25519 public key: `A` in the algorithms of RFC 9580, `Q` = 0x40 ‖ key in the legacy ones. */
export function publicKeyBytes(
  packet: openpgp.Key['keyPacket'] | openpgp.Subkey['keyPacket'],
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

/** Raw Ed25519 seed of an unencrypted secret key packet. */
export function signingSeed(packet: object): Uint8Array | undefined {
  return rawParameter(secretParameters(packet), 'seed', 32)
}

/** Raw X25519 secret of an unencrypted packet: `k`, or `d` in the legacy algorithm, which stores it byte-reversed. */
export function agreementSecret(packet: object): Uint8Array | undefined {
  const parameters = secretParameters(packet)
  return rawParameter(parameters, 'k', 32) ?? rawParameter(parameters, 'd', 32)?.toReversed()
}

function secretParameters(packet: object): object {
  const parameters: unknown = 'privateParams' in packet ? packet.privateParams : undefined
  return typeof parameters === 'object' && parameters !== null ? parameters : {}
}

function rawParameter(parameters: object, name: string, length: number): Uint8Array | undefined {
  const value: unknown = Reflect.get(parameters, name)
  return value instanceof Uint8Array && value.length === length ? value : undefined
}
