/**
 * The pure protocol core of Hushlamp: no I/O, no clock, no randomness of its own. Everything here is specified so that
 * another language could implement it; the test vectors under `vectors/` belong to it.
 *
 * @packageDocumentation
 */
export { HushlampError, errorCodes, isHushlampError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type { AbortOptions, Clock, Machine, Random, UnixSeconds } from './ports.ts'

export {
  base64,
  compareBytes,
  concat,
  fromBase64,
  fromHex,
  hex,
  lengthPrefixed,
  textOf,
  utf8,
  wipe
} from './crypto/bytes.ts'
export { equalConstantTime, hkdf, hmac, sha1, sha256 } from './crypto/hash.ts'
export { signingKeyFromSeed, verifySignature } from './crypto/ed25519.ts'
export type { SigningKey } from './crypto/ed25519.ts'

export {
  hashBytes,
  keyBytes,
  maxConfigurableValueBytes,
  maxOwnedValuesPerKey,
  maxSecretBytes,
  maxTtlSeconds,
  maxValueBytes,
  maxValuesPerGet,
  maxValuesPerKey,
  minTtlSeconds,
  placemarkBytes
} from './registry/limits.ts'
export { resultCode } from './registry/registry.ts'
export type {
  GetRequest,
  GetResult,
  Ownership,
  PutRequest,
  Registry,
  RemoveRequest,
  ResultCode,
  StoredValue
} from './registry/registry.ts'
export {
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  verifyOwnership
} from './registry/ownership.ts'
