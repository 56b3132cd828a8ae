import { hex, isLive } from '@hushlamp/shared'
import type { UnixSeconds } from '@hushlamp/shared'

import { unreadable } from './level-database.ts'
import type { LevelDatabase, Operation } from './level-database.ts'
import { writeRows } from './merge-offers.ts'
import { decodeRows, indexRange, keyOfIndex, rowsKey, usageOf } from './row-codec.ts'
import { noUsage, sumUsage } from './usage.ts'
import type { StoreUsage } from './usage.ts'

/** A part of what has expired. */
export interface SweepChunk {
  readonly operations: readonly Operation[]
  /** What goes by the operations. */
  readonly gone: StoreUsage
  /** Whether something damaged goes too, of which it is not known how it was counted. */
  readonly miscounted: boolean
  /** Where the next chunk begins; undefined if there is none. */
  readonly last: Uint8Array | undefined
}

/**
 * Finds what has expired at `now`, by at most `limit` index entries behind the entry `after`. The index says where to
 * look, the rows themselves what goes: an entry that damage has left behind deletes nothing that is live.
 */
export async function expiredChunk(
  database: LevelDatabase,
  { now, after, limit }: { now: UnixSeconds; after: Uint8Array | undefined; limit: number }
): Promise<SweepChunk> {
  const { gte, lt } = indexRange(now)
  const entries = await database.entries({ ...(after ? { gt: after } : { gte }), lt, limit })
  const keys = new Map<string, Uint8Array>()
  for (const [entry] of entries) {
    const key = keyOfIndex(entry)
    if (key !== undefined) keys.set(hex(key), key)
  }
  const values = await database.getMany([...keys.values()].map(rowsKey))
  const operations: Operation[] = []
  const unread = new Set<string>()
  let gone = noUsage
  let miscounted = false
  for (const [i, [name, key]] of [...keys].entries()) {
    const value = values[i]
    if (value === unreadable) unread.add(name)
    if (value === undefined || value === unreadable) continue
    const { rows, damaged } = decodeRows(key, value)
    const staying = rows.filter(({ row }) => isLive(row, now))
    if (staying.length === rows.length && damaged === 0) continue
    miscounted ||= damaged > 0
    for (const stored of rows) {
      if (!isLive(stored.row, now)) gone = sumUsage(gone, usageOf(stored))
    }
    operations.push(...writeRows(key, staying, staying))
  }
  for (const [entry] of entries) {
    const key = keyOfIndex(entry)
    if (key === undefined || !unread.has(hex(key))) operations.push({ type: 'del', key: entry })
  }
  const last = entries.length < limit ? undefined : entries.at(-1)?.[0]
  return { operations, gone, miscounted, last }
}
