import type { UnixSeconds } from '@hushlamp/shared'

import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './merge-offers.ts'
import {
  bytesOnDisk,
  decodeIndexKey,
  decodeIndexValue,
  decodeRow,
  indexRange
} from './row-codec.ts'
import { addUsage, noUsage } from './usage.ts'
import type { StoreUsage } from './usage.ts'

/** A part of what has expired. */
export interface SweepChunk {
  readonly operations: readonly Operation[]
  /** What goes by the operations. */
  readonly gone: StoreUsage
  /** Where the next chunk begins; undefined if there is none. */
  readonly last: Uint8Array | undefined
}

/**
 * Finds what has expired at `now`, at most `limit` rows behind the index entry `after`. The index says where to look,
 * the row itself whether it goes: an entry that damage left behind deletes nothing that is live.
 */
export async function expiredChunk(
  database: LevelDatabase,
  { now, after, limit }: { now: UnixSeconds; after: Uint8Array | undefined; limit: number }
): Promise<SweepChunk> {
  const { gte, lt } = indexRange(now)
  const range = after === undefined ? { gte, lt } : { gt: after, lt }
  const entries = await database.entries({ ...range, limit })
  const targets = entries.map(([entry]) => decodeIndexKey(entry))
  const values = await database.getMany(targets.map((target) => target?.id ?? new Uint8Array(1)))
  const operations: Operation[] = []
  let gone = noUsage
  entries.forEach(([entry, entryValue], i) => {
    operations.push({ type: 'del', key: entry })
    const [target, value] = [targets[i], values[i]]
    if (target === undefined || value === undefined) return
    const stored = decodeRow(target.id, value)
    if (stored !== undefined && stored.row.expiry !== target.expiry) return
    const count =
      stored === undefined
        ? decodeIndexValue(entryValue)
        : { class: stored.class, bytes: bytesOnDisk(value.length) }
    operations.push({ type: 'del', key: target.id })
    if (count !== undefined) gone = addUsage(gone, count.class, { rows: 1, bytes: count.bytes })
  })
  const last = entries.length < limit ? undefined : entries.at(-1)?.[0]
  return { operations, gone, last }
}
