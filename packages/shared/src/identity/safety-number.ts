import { compareBytes, lengthPrefixed } from '../crypto/bytes.ts'
import { sha256 } from '../crypto/hash.ts'
import { identityBytes } from './identity.ts'
import type { PublicIdentity } from './identity.ts'

const numberLabel = 'hushlamp/v1/safety-number'
const codeLabel = 'hushlamp/v1/safety-code'
const groupsPerSide = 6
const bytesPerGroup = 5
const digitsPerGroup = 5

/** What two contacts compare, face to face or by telephone, to be sure of each other's keys. The same on both sides. */
export interface SafetyNumber {
  /** Twelve groups of five decimal digits. */
  readonly groups: readonly string[]
  /** 32 bytes for a QR code. */
  readonly code: Uint8Array
}

/**
 * The safety number of two identities. Each side's digest is SHA-256(lp("hushlamp/v1/safety-number", ID)); its six groups
 * are bytes 5i to 5i+4 as a big-endian number, modulo 100,000, in five digits. The digest that is lower byte by byte comes
 * first. The code is SHA-256(lp("hushlamp/v1/safety-code", lower digest, higher digest)).
 *
 * The 30 digits of a side hold 99.6 bits: who wants to pass for somebody must find a second key with the same ones. That
 * takes 2^99 hashes and key pairs, so nothing is gained by hashing many times.
 */
export function safetyNumber(a: PublicIdentity, b: PublicIdentity): SafetyNumber {
  const [own, other] = [digest(a), digest(b)]
  const [first, second] = compareBytes(own, other) <= 0 ? [own, other] : [other, own]
  return {
    groups: [...groupsOf(first), ...groupsOf(second)],
    code: sha256(lengthPrefixed(codeLabel, first, second))
  }
}

function digest(identity: PublicIdentity): Uint8Array {
  return sha256(lengthPrefixed(numberLabel, identityBytes(identity)))
}

function groupsOf(half: Uint8Array): string[] {
  return Array.from({ length: groupsPerSide }, (_, group) => {
    const bytes = half.subarray(group * bytesPerGroup, (group + 1) * bytesPerGroup)
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
    return String(value % 10 ** digitsPerGroup).padStart(digitsPerGroup, '0')
  })
}
