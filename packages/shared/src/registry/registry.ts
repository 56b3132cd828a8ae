import type { AbortOptions } from '../ports.ts'

/** Proof that a put comes from the owner of its key; travels beside the value. See {@link verifyOwnership}. */
export interface Ownership {
  /** Ed25519 public key, 32 bytes, whose hash is the registry key. */
  readonly publicKey: Uint8Array
  /** Unix seconds after which no node keeps the value. */
  readonly expiry: number
  /** Ed25519 signature, 64 bytes. */
  readonly signature: Uint8Array
}

/** OpenDHT's `put` and `put_removable`. */
export interface PutRequest {
  /** 20 bytes. */
  readonly key: Uint8Array
  /** 1 to 128 bytes. */
  readonly value: Uint8Array
  /** 1 to 604800. A put of the same triple (key, value, secret hash) extends the time to live, never shortens it. */
  readonly ttlSeconds: number
  /** SHA-1 of the secret that can remove the value; without it the value stays until it expires. */
  readonly secretHash?: Uint8Array
  /** Makes this an owned put. */
  readonly owner?: Ownership
}

/** OpenDHT's `get`. */
export interface GetRequest {
  /** 20 bytes. */
  readonly key: Uint8Array
  /** 1 to 256; default 64. */
  readonly maxValues?: number
  /** Where the page before ended; empty or absent at the start. */
  readonly placemark?: Uint8Array
}

/** One live value under a key. */
export interface StoredValue {
  readonly value: Uint8Array
  /** What remains of its time to live. */
  readonly ttlSeconds: number
  /** 20 bytes; all zero for a value without a secret. */
  readonly secretHash: Uint8Array
  /** Owner's public key of an owned put. Owned values come first. */
  readonly ownerPublicKey?: Uint8Array
}

/** A page of values. */
export interface GetResult {
  readonly values: readonly StoredValue[]
  /** 40 bytes to ask for the next page with, empty when there are no more. */
  readonly placemark: Uint8Array
}

/** OpenDHT's `rm`. */
export interface RemoveRequest {
  /** 20 bytes. */
  readonly key: Uint8Array
  /** SHA-1 of the value to remove. */
  readonly valueHash: Uint8Array
  /** 1 to 40 bytes whose SHA-1 is the secret hash of the put. A wrong one is not noticed, as in OpenDHT. */
  readonly secret: Uint8Array
  /** At least the remaining time to live of the put, or else replicas could bring it back. */
  readonly ttlSeconds: number
}

/** OpenDHT's result codes: 0 stored, 1 over capacity, 2 try again. */
export const resultCode = { ok: 0, overCapacity: 1, tryAgain: 2 } as const

/** One of OpenDHT's three {@link resultCode}s. */
export type ResultCode = (typeof resultCode)[keyof typeof resultCode]

/**
 * A key-value registry with OpenDHT's semantics: several values under a key, identity of a put = (key, SHA-1(value),
 * secret hash), a time to live each, removal by secret. Implemented in memory, by a node, and by a node over HTTP; all
 * pass `registrySuite` of `@hushlamp/shared/testing`.
 *
 * Requests that break a limit are rejected with a HushlampError (`registry-key-length`, `registry-value-length`, …);
 * failures of the network with `registry-unreachable`.
 */
export interface Registry {
  put(request: PutRequest, options?: AbortOptions): Promise<ResultCode>
  get(request: GetRequest, options?: AbortOptions): Promise<GetResult>
  remove(request: RemoveRequest, options?: AbortOptions): Promise<ResultCode>
}
