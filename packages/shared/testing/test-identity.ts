import { agreementKeyFromSecret, sha256, signingKeyFromSeed, utf8 } from '@hushlamp/shared'
import type { Identity } from '@hushlamp/shared'

/** 32 bytes that follow from a published label: a secret that is none. */
export function testSecret(label: string): Uint8Array {
  return sha256(utf8(`hushlamp test vector/${label}`))
}

/** An identity that follows from its label alone, without a certificate: for vectors and tests only. */
export function testIdentity(label: string): Identity {
  const signing = signingKeyFromSeed(testSecret(`${label}/signing`))
  const agreement = agreementKeyFromSecret(testSecret(`${label}/agreement`))
  return {
    fingerprint: testSecret(`${label}/fingerprint`).subarray(0, 20),
    signingKey: signing.publicKey,
    presenceKey: agreement.publicKey,
    signing,
    agreement
  }
}
