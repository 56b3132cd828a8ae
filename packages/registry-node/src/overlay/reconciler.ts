import type { Clock, RegistryRow } from '@hushlamp/shared'

import type { RowStore } from '../store/row-store.ts'
import { missingFrom, rowDigest } from './row-digest.ts'

/** A key to compare, with the rows held here. */
export interface HeldKey {
  readonly key: Uint8Array
  readonly rows: readonly RegistryRow[]
}

/** A key with the digest of its rows. */
export interface KeyDigest {
  readonly key: Uint8Array
  readonly digest: Uint8Array
}

/** How another holder differs, by indices of the keys that it was asked about. */
export interface Comparison {
  /** Keys that it holds otherwise. */
  readonly differing: readonly number[]
  /** Keys of which it holds nothing. */
  readonly absent: readonly number[]
}

/** What another holder can be asked. All reject where it does not answer. */
export interface OtherHolder {
  /** Its peer id. */
  readonly id: string
  compare(keys: readonly KeyDigest[]): Promise<Comparison>
  fetch(key: Uint8Array): Promise<readonly RegistryRow[]>
  store(key: Uint8Array, rows: readonly RegistryRow[]): Promise<void>
}

/** What reconciling works with. */
export interface ReconcilerComponents {
  readonly clock: Clock
  readonly store: Pick<RowStore, 'rows' | 'offer'>
}

/** How rows are handed on. */
export interface ReconcilerInit {
  /**
   * Taken off every time to live that is handed on, and more than a request can take: or else two holders that repair
   * each other would extend a row's life for ever.
   */
  readonly marginSeconds: number
}

/** Stores write to disk what arrives together at once. */
const keysAtATime = 8

/**
 * Makes this node and another hold the same: digests first, and rows only of those keys that differ, in both directions.
 * So two halves of a network that was split end up with the union, in which removes win.
 */
export class Reconciler {
  readonly #components: ReconcilerComponents
  readonly #init: ReconcilerInit

  constructor(components: ReconcilerComponents, init: ReconcilerInit) {
    this.#components = components
    this.#init = init
  }

  /** Compares some keys with another holder and exchanges what differs. Rejects where that one does not answer. */
  async reconcile(other: OtherHolder, keys: readonly HeldKey[]): Promise<void> {
    const digests = keys.map(({ key, rows }) => ({ key, digest: rowDigest(rows) }))
    const { differing, absent } = await other.compare(digests)
    const todo = [
      ...differing.map((index) => ({ index, held: true })),
      ...absent.map((index) => ({ index, held: false }))
    ]
    const lane = async (): Promise<void> => {
      for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
        const key = keys[next.index]?.key
        if (key !== undefined) await this.#exchange(other, key, next.held)
      }
    }
    await Promise.all(Array.from({ length: keysAtATime }, lane))
  }

  async #exchange(other: OtherHolder, key: Uint8Array, held: boolean): Promise<void> {
    const { store } = this.#components
    const theirs = held ? await other.fetch(key) : []
    const mine = await store.rows(key)
    const wanted = this.#handedOn(missingFrom(mine, theirs))
    if (wanted.length > 0) await store.offer(key, wanted, { source: other.id })
    const offered = this.#handedOn(missingFrom(theirs, mine))
    if (offered.length > 0) await other.store(key, offered)
  }

  #handedOn(rows: readonly RegistryRow[]): RegistryRow[] {
    const now = this.#components.clock.unixSeconds()
    return rows
      .map((row) => ({ ...row, expiry: row.expiry - this.#init.marginSeconds }))
      .filter((row) => row.expiry > now)
  }
}
