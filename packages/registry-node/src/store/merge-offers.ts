import { hasRoom, hex, isLive, mergeRow, resultCode, rowPosition } from '@hushlamp/shared'
import type { RegistryRow, ResultCode, UnixSeconds } from '@hushlamp/shared'

import type { Admission } from '../admission/admission.ts'
import {
  bytesOnDisk,
  encodedLength,
  encodeIndexValue,
  encodeRow,
  indexKey,
  rowKey
} from './row-codec.ts'
import type { StoredRow } from './row-codec.ts'
import { addUsage, ttlClassOf } from './usage.ts'
import type { StoreUsage } from './usage.ts'

/** What is known of rows that are offered, beside the rows themselves. None of it is kept, but that there was a stamp. */
export interface OfferContext {
  /** Peer id of the gateway node that the rows came from; undefined for the HTTP clients of this node. */
  readonly source?: string | undefined
  /** Bits of the verified stamp of each row, 0 for one without. */
  readonly effort?: readonly number[] | undefined
}

/** Rows offered under one key. */
export interface Offer {
  readonly key: Uint8Array
  readonly rows: readonly RegistryRow[]
  readonly context?: OfferContext | undefined
}

/** One step of a batch. */
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** What merging goes by. */
export interface MergeComponents {
  readonly admission: Admission
  readonly now: UnixSeconds
  readonly nowMonotonicMs: number
}

/** The rows of one key while offers are merged into them: as they were, expired ones included, and as they will be. */
export class KeyRows {
  readonly #key: Uint8Array
  readonly #before: ReadonlyMap<string, StoredRow>
  readonly #after: Map<string, StoredRow>

  constructor(key: Uint8Array, rows: readonly StoredRow[]) {
    this.#key = key
    this.#before = new Map(rows.map((stored) => [hex(rowPosition(stored.row)), stored]))
    this.#after = new Map(this.#before)
  }

  /** Merges one row, and answers with the usage after it and the code for whoever offered it. */
  merge(
    row: RegistryRow,
    usage: StoreUsage,
    { source, effort }: { source: string | undefined; effort: number },
    { admission, now, nowMonotonicMs }: MergeComponents
  ): { usage: StoreUsage; code: ResultCode } {
    const position = hex(rowPosition(row))
    const stored = this.#after.get(position)
    if (mergeRow(stored?.row, row, now) !== row) return { usage, code: resultCode.ok }

    const live = stored !== undefined && isLive(stored.row, now)
    const ttlClass = ttlClassOf(row.expiry - now)
    const bytes = bytesOnDisk(encodedLength(row))
    // What does not outlive the row that it replaces takes nothing that was not admitted before.
    if (!live || row.expiry > stored.row.expiry) {
      const room = live || hasRoom(this.#rows(), row, now)
      const growth = live && stored.class === ttlClass ? 0 : bytes
      const request = { class: ttlClass, bytes: growth, renewal: live, effort, source }
      if (!room || !admission.admit(request, usage, nowMonotonicMs)) {
        return { usage, code: resultCode.overCapacity }
      }
    }
    const stamped = effort > 0 || (live && stored.stamped)
    this.#after.set(position, { row, class: ttlClass, stamped })
    const without = stored === undefined ? usage : addUsage(usage, stored.class, minus(stored))
    return { usage: addUsage(without, ttlClass, { rows: 1, bytes }), code: resultCode.ok }
  }

  /** What writes the difference between before and after. */
  operations(): Operation[] {
    const operations: Operation[] = []
    for (const [position, stored] of this.#after) {
      const before = this.#before.get(position)
      if (before === stored) continue
      const id = rowKey(this.#key, rowPosition(stored.row))
      if (before !== undefined) {
        operations.push({ type: 'del', key: indexKey(before.row.expiry, id) })
      }
      operations.push(...putOperations(id, stored))
    }
    return operations
  }

  *#rows(): Generator<RegistryRow> {
    for (const { row } of this.#after.values()) yield row
  }
}

/** What writes a row and its index entry. */
export function putOperations(id: Uint8Array, stored: StoredRow): Operation[] {
  const value = encodeRow(id, stored)
  const entry = encodeIndexValue(bytesOnDisk(value.length), stored.class)
  return [
    { type: 'put', key: id, value },
    { type: 'put', key: indexKey(stored.row.expiry, id), value: entry }
  ]
}

function minus({ row }: StoredRow): { rows: number; bytes: number } {
  return { rows: -1, bytes: -bytesOnDisk(encodedLength(row)) }
}

/**
 * Merges offers, one after the other, into the rows of their keys (by the hexadecimal key; what is missing there is
 * refused with 2, try again), and says what is to be written.
 */
export function mergeOffers(
  offers: readonly Offer[],
  keys: ReadonlyMap<string, KeyRows>,
  usage: StoreUsage,
  components: MergeComponents
): { codes: ResultCode[][]; operations: Operation[]; usage: StoreUsage } {
  let sum = usage
  const codes = offers.map(({ key, rows, context }) => {
    const keyRows = keys.get(hex(key))
    return rows.map((row, i) => {
      if (keyRows === undefined) return resultCode.tryAgain
      const origin = { source: context?.source, effort: context?.effort?.[i] ?? 0 }
      const merged = keyRows.merge(row, sum, origin, components)
      sum = merged.usage
      return merged.code
    })
  })
  const operations = [...keys.values()].flatMap((keyRows) => keyRows.operations())
  return { codes, operations, usage: sum }
}
