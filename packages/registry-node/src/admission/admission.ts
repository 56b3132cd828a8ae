import type { StoreUsage, TtlClass } from '../store/usage.ts'

/** A row that asks for a place in the store of this node. It tells nothing of the client that the row comes from. */
export interface AdmissionRequest {
  /** By the TTL that the row asks for. */
  readonly class: TtlClass
  /**
   * By how much the bytes of `class` would grow: all that the row takes at a new position; nothing for a renewal within
   * the class, all that it takes for one that moves it here from another class.
   */
  readonly bytes: number
  /** Whether the row prolongs one that is still live, be it by a put again or by a remove that outlives the put. */
  readonly renewal: boolean
  /** Bits of the stamp that came with the row and was verified, 0 without one. */
  readonly effort: number
  /** Peer id of the gateway node that the row came from; undefined for the HTTP clients of this node. */
  readonly source: string | undefined
}

/**
 * Decides who may use the capacity of a store. Nothing that is live is ever evicted: whatever is admitted stays until it
 * expires, so this is the only place where a store can say no.
 */
export interface Admission {
  /**
   * Whether the store takes the row. It has then been counted: the policy may reckon it against a budget. `usage` holds
   * what was admitted before, in the same commit too; a commit that the disk refuses has been reckoned nevertheless.
   */
  admit(request: AdmissionRequest, usage: StoreUsage, nowMonotonicMs: number): boolean
}

/** Admits in the order of arrival until the store is full; renewals always. */
export class CapacityOnly implements Admission {
  readonly #maxBytes: number

  constructor(init: {
    /** Most bytes that rows may take on disk. */
    readonly maxBytes: number
  }) {
    this.#maxBytes = init.maxBytes
  }

  admit(request: AdmissionRequest, usage: StoreUsage): boolean {
    return request.renewal || usage.bytes + request.bytes <= this.#maxBytes
  }
}
