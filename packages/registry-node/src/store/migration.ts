import { hex, HushlampError, rowPosition } from '@hushlamp/shared'
import type { RegistryRow, UnixSeconds } from '@hushlamp/shared'

import type { Entry, Level, Operation } from './level-database.ts'
import { writeRows } from './merge-offers.ts'
import {
  allRows,
  countersKey,
  decodeCounters,
  decodeRows,
  encodeCounters,
  formatVersion,
  registryKeyOf,
  rowOf,
  rowsKey,
  usageOf,
  versionKey
} from './row-codec.ts'
import type { Counters, StoredRow } from './row-codec.ts'
import { noUsage, sumUsage, ttlClassOf } from './usage.ts'
import type { StoreUsage } from './usage.ts'

const rowsPerBatch = 500

/**
 * Brings a database that was just opened to the present format, and answers with its counters. A new one gets the
 * version; one of format 1, which had none, is rewritten in batches, and may be interrupted between them.
 *
 * @throws HushlampError `storage-newer` for one of a later format
 */
export async function prepareFormat(level: Level, now: UnixSeconds): Promise<Counters> {
  const version = await level.get(versionKey)
  if (version === undefined) {
    await rewriteFormat1(level, now)
    const usage = await countRows(level)
    const counters: Counters = { usage, settled: now, clean: true }
    await level.batch(
      [
        { type: 'del', key: format1.countersKey },
        { type: 'put', key: versionKey, value: Uint8Array.of(formatVersion) },
        { type: 'put', key: countersKey, value: encodeCounters(counters) }
      ],
      { sync: true }
    )
    return counters
  }
  if (version.length !== 1 || version[0] === undefined) throw new HushlampError('storage-corrupt')
  if (version[0] > formatVersion) throw new HushlampError('storage-newer')
  if (version[0] < formatVersion) throw new HushlampError('storage-corrupt')
  const counters = decodeCounters((await level.get(countersKey)) ?? new Uint8Array())
  return counters ?? { usage: await countRows(level), settled: now, clean: true }
}

async function countRows(level: Level): Promise<StoreUsage> {
  let usage = noUsage
  const iterator = level.iterator(allRows)
  try {
    for (;;) {
      const entries = await iterator.nextv(rowsPerBatch)
      if (entries.length === 0) return usage
      usage = countEntries(usage, entries)
    }
  } finally {
    await iterator.close()
  }
}

/** The usage with the rows of entries added to it. Damaged rows do not count. */
export function countEntries(usage: StoreUsage, entries: readonly Entry[]): StoreUsage {
  let sum = usage
  for (const [id, value] of entries) {
    const key = registryKeyOf(id)
    if (key === undefined) continue
    for (const stored of decodeRows(key, value).rows) sum = sumUsage(sum, usageOf(stored))
  }
  return sum
}

/*
 * Format 1:
 *   E | key 20 | position 40              → expiry u32 | kind u8 | content     a row
 *   X | expiry u32 | key 20 | position 40 → bytes of the row u16               the index by expiry
 *   M                                     → rows u64 | bytes u64               the counters
 */
const format1 = {
  rows: { gte: Uint8Array.of(0x45), lt: Uint8Array.of(0x46) },
  index: { gte: Uint8Array.of(0x58), lt: Uint8Array.of(0x59) },
  countersKey: Uint8Array.of(0x4d),
  kinds: ['put', 'owned', 'remove'] as const,
  idBytes: 61,
  headBytes: 5
}

/** Which TTL a row once asked for is not known: it is reckoned by what is left of it. */
async function rewriteFormat1(level: Level, now: UnixSeconds): Promise<void> {
  for (;;) {
    const entries = await level.iterator({ ...format1.rows, limit: rowsPerBatch }).all()
    if (entries.length === 0) break
    const operations: Operation[] = entries.map(([id]) => ({ type: 'del', key: id }))
    const keys = new Map<string, { key: Uint8Array; rows: StoredRow[] }>()
    for (const [id, value] of entries) {
      const row = rowOfFormat1(id, value)
      if (row === undefined) continue
      const key = new Uint8Array(id.subarray(1, 21))
      const rows = keys.get(hex(key))?.rows ?? []
      rows.push({ row, class: ttlClassOf(row.expiry - now), stamped: false })
      keys.set(hex(key), { key, rows })
    }
    for (const { key, rows } of keys.values()) {
      // The batch before may have ended within this key.
      const value = await level.get(rowsKey(key))
      const before = value === undefined ? [] : decodeRows(key, value).rows
      const all = [...before, ...rows].map((each) => [hex(rowPosition(each.row)), each] as const)
      operations.push(...writeRows(key, before, [...new Map(all).values()]))
    }
    await level.batch(operations, { sync: true })
  }
  await level.clear(format1.index)
}

function rowOfFormat1(id: Uint8Array, value: Uint8Array): RegistryRow | undefined {
  if (id.length !== format1.idBytes || value.length <= format1.headBytes) return undefined
  const bytes = new Uint8Array(value)
  const view = new DataView(bytes.buffer)
  const kind = format1.kinds[view.getUint8(4)]
  return (
    kind &&
    rowOf({
      kind,
      expiry: view.getUint32(0),
      position: new Uint8Array(id.subarray(21)),
      content: bytes.slice(format1.headBytes)
    })
  )
}
