import {
  hasRoom,
  hex,
  isLive,
  maxValuesPerKey,
  mergeRow,
  resultCode,
  rowPosition
} from '@hushlamp/shared'
import type { RegistryRow, ResultCode, UnixSeconds } from '@hushlamp/shared'

import type { Admission } from '../admission/admission.ts'
import type { Operation } from './level-database.ts'
import { bytesOnDisk, encodeRows, indexKey, rowsKey, usageOf } from './row-codec.ts'
import type { StoredRow } from './row-codec.ts'
import { addUsage, noUsage, sumUsage, ttlClassOf } from './usage.ts'
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

/** What merging goes by. */
export interface MergeComponents {
  readonly admission: Admission
  readonly now: UnixSeconds
  readonly nowMonotonicMs: number
}

/** Rows that are not swept yet make a key no larger than this: it is rewritten with each of its rows. */
const maxPlainRowsPerKey = 2 * maxValuesPerKey

/** The rows of one key while they change: as they were, expired ones included, and as they will be. */
export class KeyRows {
  readonly #key: Uint8Array
  readonly #before: readonly StoredRow[]
  readonly #after: Map<string, StoredRow>
  #changed = false

  constructor(key: Uint8Array, rows: readonly StoredRow[]) {
    this.#key = key
    this.#before = rows
    this.#after = new Map(rows.map((stored) => [hex(rowPosition(stored.row)), stored]))
  }

  /** Drops what has expired at `now`, and answers with what that was. */
  expire(now: UnixSeconds): StoreUsage {
    let gone = noUsage
    for (const [position, stored] of this.#after) {
      if (isLive(stored.row, now)) continue
      this.#after.delete(position)
      this.#changed = true
      gone = sumUsage(gone, usageOf(stored))
    }
    return gone
  }

  /** Merges one row, and answers with the usage after it and the code for whoever offered it. */
  merge(
    row: RegistryRow,
    usage: StoreUsage,
    { source, effort }: { readonly source: string | undefined; readonly effort: number },
    { admission, now, nowMonotonicMs }: MergeComponents
  ): { readonly usage: StoreUsage; readonly code: ResultCode } {
    const position = hex(rowPosition(row))
    const stored = this.#after.get(position)
    if (mergeRow(stored?.row, row, now) !== row) return { usage, code: resultCode.ok }

    const live = stored !== undefined && isLive(stored.row, now)
    const ttlClass = ttlClassOf(row.expiry - now)
    const bytes = bytesOnDisk(row)
    // What does not outlive the row that it replaces takes nothing that was not admitted before.
    if (!live || row.expiry > stored.row.expiry) {
      const growth = live && stored.class === ttlClass ? 0 : bytes
      const request = { class: ttlClass, bytes: growth, renewal: live, effort, source }
      const room = live || this.#hasRoom(row, now)
      if (!room || !admission.admit(request, usage, nowMonotonicMs)) {
        return { usage, code: resultCode.overCapacity }
      }
    }
    const stamped = effort > 0 || (live && stored.stamped)
    this.#after.set(position, { row, class: ttlClass, stamped })
    this.#changed = true
    const without = stored === undefined ? usage : sumUsage(usage, usageOf(stored), -1)
    return { usage: addUsage(without, ttlClass, { rows: 1, bytes }), code: resultCode.ok }
  }

  /** What writes the difference between before and after. */
  operations(): readonly Operation[] {
    return this.#changed ? writeRows(this.#key, this.#before, [...this.#after.values()]) : []
  }

  #hasRoom(incoming: RegistryRow, now: UnixSeconds): boolean {
    const rows = [...this.#after.values()].map(({ row }) => row)
    if (!hasRoom(rows, incoming, now)) return false
    return (
      incoming.kind === 'owned' ||
      rows.filter(({ kind }) => kind !== 'owned').length < maxPlainRowsPerKey
    )
  }
}

/** What replaces all rows of a key by others, the index included. */
export function writeRows(
  key: Uint8Array,
  before: readonly StoredRow[],
  after: readonly StoredRow[]
): readonly Operation[] {
  const id = rowsKey(key)
  const [known, wanted] = [expiriesOf(before), expiriesOf(after)]
  const operations: Operation[] = [
    after.length === 0
      ? { type: 'del', key: id }
      : { type: 'put', key: id, value: encodeRows(key, after) }
  ]
  for (const expiry of known) {
    if (!wanted.has(expiry)) operations.push({ type: 'del', key: indexKey(expiry, key) })
  }
  for (const expiry of wanted) {
    if (known.has(expiry)) continue
    operations.push({ type: 'put', key: indexKey(expiry, key), value: nothing })
  }
  return operations
}

function expiriesOf(rows: readonly StoredRow[]): ReadonlySet<UnixSeconds> {
  return new Set(rows.map(({ row }) => row.expiry))
}

const nothing = new Uint8Array()

/**
 * Merges offers, one after the other, into the rows of their keys (by the hexadecimal key; what is missing there is
 * refused with 2, try again), and says what is to be written.
 *
 * @param deletionTime what has expired then is dropped from the keys that are written
 */
export function mergeOffers(
  offers: readonly Offer[],
  keys: ReadonlyMap<string, KeyRows>,
  usage: StoreUsage,
  components: MergeComponents & { readonly deletionTime: UnixSeconds }
): {
  readonly codes: readonly ResultCode[][]
  readonly operations: readonly Operation[]
  readonly usage: StoreUsage
} {
  let sum = usage
  for (const keyRows of keys.values()) {
    sum = sumUsage(sum, keyRows.expire(components.deletionTime), -1)
  }
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
