import * as openpgp from 'openpgp'

import { utf8 } from '@hushlamp/shared'

/** Binds the last subkey anew, as the owner of the certificate could. */
export async function bindLastSubkey(
  key: openpgp.PrivateKey,
  options: {
    readonly created: number
    readonly notation?: string | undefined
    readonly expiresAfterSeconds?: number
  }
): Promise<void> {
  const subkey = key.subkeys.at(-1)
  const primary = key.keyPacket
  if (!subkey || !(primary instanceof openpgp.SecretKeyPacket)) throw new Error('no subkey')
  const binding = Object.assign(new openpgp.SignaturePacket(), {
    version: 4,
    signatureType: openpgp.enums.signature.subkeyBinding,
    publicKeyAlgorithm: primary.algorithm,
    hashAlgorithm: openpgp.enums.hash.sha512,
    keyFlags: new Uint8Array([0]),
    ...(options.expiresAfterSeconds === undefined
      ? {}
      : { keyExpirationTime: options.expiresAfterSeconds, keyNeverExpires: false })
  })
  const { notation = 'x25519-v1' } = options
  binding.rawNotations = [
    { name: 'presence@hushlamp', value: utf8(notation), humanReadable: true, critical: false }
  ]
  const signer: BindingSigner = binding
  const data = { key: primary, bind: subkey.keyPacket }
  const date = new Date(options.created * 1000)
  await signer.sign(primary, data, date, false, openpgp.config)
  subkey.bindingSignatures = [...subkey.bindingSignatures, binding]
}

/** `sign` as it is: its declared type knows neither bindings nor the configuration. */
interface BindingSigner {
  sign(
    key: openpgp.SecretKeyPacket,
    data: object,
    date: Date,
    detached: boolean,
    config: openpgp.Config
  ): Promise<void>
}

/** The certificate with one more X25519 subkey, bound for presence. */
export async function withSecondPresenceSubkey(
  secretBytes: Uint8Array,
  created: number
): Promise<openpgp.PrivateKey> {
  const key = await openpgp.readPrivateKey({ binaryKey: secretBytes })
  const date = new Date(created * 1000)
  const more = await key.addSubkey({ type: 'ecc', curve: 'curve25519Legacy', date })
  const last = more.subkeys.at(-1)
  if (last) last.bindingSignatures = []
  await bindLastSubkey(more, { created })
  return more
}
