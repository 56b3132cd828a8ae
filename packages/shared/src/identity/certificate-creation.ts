import * as openpgp from 'openpgp'

import { utf8 } from '../crypto/bytes.ts'
import { HushlampError } from '../errors.ts'
import type { Random, UnixSeconds } from '../ports.ts'
import { readSecretCertificate } from './certificate.ts'
import type { SecretCertificate } from './certificate.ts'
import { openpgpConfig, openpgpDate, presenceNotation } from './openpgp-profile.ts'
import { displayableText } from './untrusted-text.ts'

/** What a new certificate says. */
export interface CertificateInit {
  /** Goes into the user id, seen by everyone who gets the certificate. May be empty. */
  readonly name: string
  /** `v4-legacy` (default) is read by gpg 2.2 and key servers; `v6` follows RFC 9580 alone. */
  readonly format?: 'v4-legacy' | 'v6'
}

/** A certificate that was just made. */
export interface CreatedCertificate extends SecretCertificate {
  /** Certificate with its unencrypted secret keys, binary: the caller encrypts it before it reaches a disk. */
  readonly secretBytes: Uint8Array
  /**
   * Revokes the certificate without its secret keys, through `revokeCertificate`; in ASCII armor, as gpg imports it too. To
   * be kept apart from them.
   */
  readonly revocationCertificate: string
}

/**
 * Makes a certificate: Ed25519 primary key, X25519 encryption subkey, X25519 presence subkey with key flags 0 and the
 * presence notation. OpenPGP.js draws the key material itself; `random` gives the salt of the v6 binding signature.
 */
export async function createCertificate(
  init: CertificateInit,
  random: Random,
  now: UnixSeconds
): Promise<CreatedCertificate> {
  const v6 = init.format === 'v6'
  const date = openpgpDate(now)
  const config = { ...openpgpConfig, v6Keys: v6 }
  const { privateKey, revocationCertificate } = await openpgp.generateKey({
    ...(v6 ? { type: 'curve25519' } : { type: 'ecc', curve: 'ed25519Legacy' }),
    userIDs: [{ name: displayableText(init.name) }],
    subkeys: [{}, {}],
    format: 'object',
    date,
    config
  })
  await bindPresenceSubkey(privateKey, random, date)
  const secretBytes = privateKey.write()
  return { ...(await readSecretCertificate(secretBytes, now)), secretBytes, revocationCertificate }
}

/** Replaces the second subkey's binding by one with key flags 0 and the notation, which OpenPGP.js offers no option for. */
async function bindPresenceSubkey(
  key: openpgp.PrivateKey,
  random: Random,
  date: Date
): Promise<void> {
  const subkey = key.subkeys[1]
  const primary = key.keyPacket
  if (!subkey || !(primary instanceof openpgp.SecretKeyPacket))
    throw new HushlampError('certificate-unsuitable')
  const binding = new openpgp.SignaturePacket()
  binding.version = primary.version === 6 ? 6 : 4
  binding.signatureType = openpgp.enums.signature.subkeyBinding
  binding.publicKeyAlgorithm = primary.algorithm
  binding.hashAlgorithm = openpgp.enums.hash.sha512
  binding.keyFlags = new Uint8Array([0])
  binding.rawNotations = [
    {
      name: presenceNotation.name,
      value: utf8(presenceNotation.value),
      humanReadable: true,
      critical: false
    }
  ]
  if (binding.version === 6) Object.assign(binding, { salt: random.bytes(32) })
  const signer: BindingSigner = binding
  const data = { key: primary, bind: subkey.keyPacket }
  await signer.sign(primary, data, date, false, openpgpConfig)
  subkey.bindingSignatures = [binding]
}

/** `sign` as it is: its declared type lacks the configuration and knows only bytes, but bindings need both. */
interface BindingSigner {
  sign(
    key: openpgp.SecretKeyPacket,
    data: object,
    date: Date,
    detached: boolean,
    config: openpgp.Config
  ): Promise<void>
}
