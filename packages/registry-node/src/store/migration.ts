import { HushlampError } from '@hushlamp/shared'
import type { RegistryRow, UnixSeconds } from '@hushlamp/shared'

import type { Level } from './level-database.ts'
import { putOperations } from './merge-offers.ts'
import type { Operation } from './merge-offers.ts'
import {
  bytesOnDisk,
  countersKey,
  decodeCounters,
  decodeRow,
  encodeCounters,
  formatVersion,
  rowKey,
  rowRange,
  versionKey
} from './row-codec.ts'
import type { Counters } from './row-codec.ts'
import { addUsage, noUsage, ttlClassOf } from './usage.ts'
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

/** How much a database holds, by a look at all of it. Damaged rows do not count. */
export async function countRows(level: Level): Promise<StoreUsage> {
  let usage = noUsage
  for await (const [id, value] of level.iterator(rowRange())) {
    const stored = decodeRow(id, value)
    if (stored === undefined) continue
    usage = addUsage(usage, stored.class, { rows: 1, bytes: bytesOnDisk(value.length) })
  }
  return usage
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
  headBytes: 5,
  ownerBytes: 32 + 4 + 64
}

/** Which TTL a row once asked for is not known: it is reckoned by what is left of it. */
async function rewriteFormat1(level: Level, now: UnixSeconds): Promise<void> {
  for (;;) {
    const entries = await level.iterator({ ...format1.rows, limit: rowsPerBatch }).all()
    if (entries.length === 0) break
    const operations = entries.flatMap(([id, value]): Operation[] => {
      const row = rowOfFormat1(id, value)
      const drop = { type: 'del', key: id } as const
      if (row === undefined) return [drop]
      const newId = rowKey(new Uint8Array(id.subarray(1, 21)), id.subarray(21))
      const stored = { row, class: ttlClassOf(row.expiry - now), stamped: false }
      return [drop, ...putOperations(newId, stored)]
    })
    await level.batch(operations, { sync: true })
  }
  await level.clear(format1.index)
}

function rowOfFormat1(id: Uint8Array, value: Uint8Array): RegistryRow | undefined {
  if (id.length !== format1.idBytes || value.length <= format1.headBytes) return undefined
  const bytes = new Uint8Array(value)
  const view = new DataView(bytes.buffer)
  const position = new Uint8Array(id.subarray(21))
  const [first, second] = [position.slice(0, 20), position.slice(20)]
  const expiry = view.getUint32(0)
  const content = bytes.slice(format1.headBytes)
  const kind = format1.kinds[view.getUint8(4)]
  switch (kind) {
    case 'put':
      return { kind, valueHash: first, secretHash: second, expiry, value: content }
    case 'remove':
      return { kind, valueHash: first, secretHash: second, expiry, secret: content }
    case 'owned': {
      if (content.length <= format1.ownerBytes) return undefined
      const owner = {
        publicKey: content.slice(0, 32),
        expiry: view.getUint32(format1.headBytes + 32),
        signature: content.slice(36, format1.ownerBytes)
      }
      const rest = content.slice(format1.ownerBytes)
      return { kind, valueHash: second, secretHash: first, expiry, value: rest, owner }
    }
    case undefined:
      return undefined
    default:
      return kind satisfies never
  }
}
