import { HushlampError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import {
  hashBytes,
  keyBytes,
  maxSecretBytes,
  maxTtlSeconds,
  maxValueBytes,
  maxValuesPerGet,
  minTtlSeconds,
  placemarkBytes
} from './limits.ts'
import type { GetRequest, Ownership, PutRequest, RemoveRequest } from './registry.ts'

/** What a network may set for itself. */
export interface RegistryLimits {
  /** Greatest length of a value, 1 to 1024 bytes. */
  readonly maxValueBytes: number
}

/** The limits of the public network: values of 1024 bits. */
export const defaultLimits: RegistryLimits = { maxValueBytes }

/**
 * Checks a put against the limits. That an ownership verifies is checked where a row is made of the put, because that
 * depends on the time.
 *
 * @throws HushlampError with the `registry-*` code of the first rule that is broken.
 */
export function checkPut(request: PutRequest, limits: RegistryLimits = defaultLimits): void {
  const { key, value, ttlSeconds, secretHash, owner } = request
  bytes(key, keyBytes, keyBytes, 'registry-key-length')
  bytes(value, 1, limits.maxValueBytes, 'registry-value-length')
  integer(ttlSeconds, minTtlSeconds, maxTtlSeconds, 'registry-ttl-range')
  if (secretHash !== undefined) bytes(secretHash, hashBytes, hashBytes, 'registry-hash-length')
  if (owner !== undefined) checkOwnership(owner, secretHash)
}

function checkOwnership(owner: Ownership, secretHash: Uint8Array | undefined): void {
  bytes(owner.publicKey, 32, 32, 'registry-owner')
  bytes(owner.signature, 64, 64, 'registry-owner')
  integer(owner.expiry, 0, 0xffffffff, 'registry-owner')
  if (secretHash !== undefined) {
    // The signature does not cover the secret hash: whoever saw the put could add one of his own and then remove it.
    throw new HushlampError('registry-owner', 'An owned put cannot have a secret hash.')
  }
}

/**
 * Checks a get against the limits.
 *
 * @throws HushlampError with the `registry-*` code of the first rule that is broken.
 */
export function checkGet(request: GetRequest): void {
  const { key, maxValues, placemark } = request
  bytes(key, keyBytes, keyBytes, 'registry-key-length')
  if (maxValues !== undefined) integer(maxValues, 1, maxValuesPerGet, 'registry-max-values')
  if (placemark !== undefined && placemark.length !== 0) {
    bytes(placemark, placemarkBytes, placemarkBytes, 'registry-placemark')
  }
}

/**
 * Checks a remove against the limits.
 *
 * @throws HushlampError with the `registry-*` code of the first rule that is broken.
 */
export function checkRemove(request: RemoveRequest): void {
  const { key, valueHash, secret, ttlSeconds } = request
  bytes(key, keyBytes, keyBytes, 'registry-key-length')
  bytes(valueHash, hashBytes, hashBytes, 'registry-hash-length')
  bytes(secret, 1, maxSecretBytes, 'registry-secret-length')
  integer(ttlSeconds, minTtlSeconds, maxTtlSeconds, 'registry-ttl-range')
}

function bytes(value: unknown, min: number, max: number, code: ErrorCode): void {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    throw new HushlampError(code)
  }
}

function integer(value: unknown, min: number, max: number, code: ErrorCode): void {
  if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) {
    throw new HushlampError(code)
  }
}
