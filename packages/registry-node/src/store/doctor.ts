import { isHushlampError } from '@hushlamp/shared'
import type { UnixSeconds } from '@hushlamp/shared'
import { ClassicLevel } from 'classic-level'

import { openLevel, storageError } from './level-database.ts'
import type { Entry, Level, Operation } from './level-database.ts'
import { writeRows } from './merge-offers.ts'
import { prepareFormat } from './migration.ts'
import {
  allRows,
  countersKey,
  decodeRows,
  encodeCounters,
  indexKey,
  indexRange,
  keyOfIndex,
  registryKeyOf,
  rowsKey,
  usageOf
} from './row-codec.ts'
import type { Range, StoredRow } from './row-codec.ts'
import { equalUsage, noUsage, sumUsage } from './usage.ts'
import type { StoreUsage } from './usage.ts'

/** What a look at all of a store has found. */
export interface StoreReport {
  /** Whether there is nothing to repair. */
  readonly sound: boolean
  readonly keys: number
  /** What is there, counted. */
  readonly usage: StoreUsage
  /** Rows that do not match their checksum. A key of which nothing can be read counts as one. */
  readonly damagedRows: number
  /** Whether the database cannot read a part of its files, so that keys may be missing. */
  readonly unreadable: boolean
  /** Rows that would never be swept, and index entries that lead to no row. */
  readonly misindexed: number
  /** Whether the counters say something else than `usage`. */
  readonly miscounted: boolean
}

/** Where the store is, and what to tell the caller meanwhile. */
export interface DoctorInit {
  readonly directory: string
  /** Called from time to time with the number of keys looked at. */
  readonly progress?: (keys: number) => void
}

const entriesPerStep = 500

/**
 * Looks at all of a store that no node uses. A store of an older format is brought to the present one; apart from that
 * nothing is changed.
 *
 * @throws HushlampError `storage-corrupt` if the database cannot even be opened: then {@link repairStore} may help;
 *   `storage-locked`, `storage-newer`, `storage-failed`
 */
export async function checkStore(init: DoctorInit, now: UnixSeconds): Promise<StoreReport> {
  const level = await openExisting(init.directory)
  try {
    return await look(level, init, now)
  } catch (error) {
    throw storageError(error)
  } finally {
    await level.close()
  }
}

/**
 * Saves what can be read of a store that no node uses: files, rows, index and counters. Rows that are lost come back
 * from other nodes that hold them. Answers with what the store then is. May be interrupted and begun again.
 *
 * @throws HushlampError `storage-locked`, `storage-newer`, `storage-failed`, `storage-corrupt`
 */
export async function repairStore(init: DoctorInit, now: UnixSeconds): Promise<StoreReport> {
  if (!(await opensWhole(init, now))) {
    try {
      await ClassicLevel.repair(init.directory)
    } catch (error) {
      throw storageError(error)
    }
  }
  const level = await openLevel(init.directory)
  try {
    await prepareFormat(level, now)
    const usage = await rewriteDamaged(level)
    await dropStrayIndex(level)
    const counters = encodeCounters({ usage, settled: now, clean: true })
    await level.put(countersKey, counters, { sync: true })
    return await look(level, init, now)
  } catch (error) {
    throw storageError(error)
  } finally {
    await level.close()
  }
}

async function openExisting(directory: string): Promise<Level> {
  return openLevel(directory, { createIfMissing: false })
}

async function opensWhole(init: DoctorInit, now: UnixSeconds): Promise<boolean> {
  try {
    return !(await checkStore(init, now)).unreadable
  } catch (error) {
    if (isHushlampError(error, 'storage-corrupt')) return false
    throw error
  }
}

async function look(level: Level, init: DoctorInit, now: UnixSeconds): Promise<StoreReport> {
  const { usage: counted } = await prepareFormat(level, now)
  let [keys, damagedRows, misindexed] = [0, 0, 0]
  let usage = noUsage
  let unreadable = false
  try {
    for await (const entries of steps(level, allRows)) {
      const wanted: Uint8Array[] = []
      for (const { key, rows, damaged } of rowsIn(entries)) {
        damagedRows += damaged
        for (const stored of rows) usage = sumUsage(usage, usageOf(stored))
        wanted.push(...indexOf(key, rows))
      }
      keys += entries.length
      const found = await level.getMany(wanted)
      misindexed += found.filter((entry) => entry === undefined).length
      init.progress?.(keys)
    }
    for await (const entries of steps(level, indexRange())) {
      misindexed += (await straysIn(level, entries)).length
    }
  } catch (error) {
    if (storageError(error).code !== 'storage-corrupt') throw error
    unreadable = true
  }
  const miscounted = !equalUsage(usage, counted)
  const sound = !unreadable && !miscounted && damagedRows === 0 && misindexed === 0
  return { sound, keys, usage, damagedRows, unreadable, misindexed, miscounted }
}

/** Drops what does not match its checksum, and writes all of the index that has to be there. Answers with what stays. */
async function rewriteDamaged(level: Level): Promise<StoreUsage> {
  let usage = noUsage
  for await (const entries of steps(level, allRows)) {
    const operations: Operation[] = []
    for (const [id] of entries) {
      if (registryKeyOf(id) === undefined) operations.push({ type: 'del', key: id })
    }
    for (const { key, rows, damaged } of rowsIn(entries)) {
      if (key.length === 0) continue
      for (const stored of rows) usage = sumUsage(usage, usageOf(stored))
      operations.push(
        ...(damaged > 0
          ? writeRows(key, [], rows)
          : indexOf(key, rows).map((entry): Operation => ({
              type: 'put',
              key: entry,
              value: new Uint8Array()
            })))
      )
    }
    await level.batch(operations)
  }
  return usage
}

async function dropStrayIndex(level: Level): Promise<void> {
  for await (const entries of steps(level, indexRange())) {
    const strays = await straysIn(level, entries)
    await level.batch(strays.map((key): Operation => ({ type: 'del', key })))
  }
}

async function straysIn(level: Level, entries: readonly Entry[]): Promise<readonly Uint8Array[]> {
  const keys = entries.map(([entry]) => keyOfIndex(entry))
  const values = await level.getMany(keys.map((key) => rowsKey(key ?? new Uint8Array())))
  return entries.flatMap(([entry], i) => {
    const [key, value] = [keys[i], values[i]]
    if (key === undefined || value === undefined) return [entry]
    const { rows } = decodeRows(key, value)
    return indexOf(key, rows).some((known) => Buffer.compare(known, entry) === 0) ? [] : [entry]
  })
}

function indexOf(key: Uint8Array, rows: readonly StoredRow[]): readonly Uint8Array[] {
  return [...new Set(rows.map(({ row }) => row.expiry))].map((expiry) => indexKey(expiry, key))
}

function* rowsIn(
  entries: readonly Entry[]
): Generator<{ key: Uint8Array; rows: readonly StoredRow[]; damaged: number }> {
  for (const [id, value] of entries) {
    const key = registryKeyOf(id)
    yield key === undefined
      ? { key: new Uint8Array(), rows: [], damaged: 1 }
      : { key, ...decodeRows(key, value) }
  }
}

async function* steps(level: Level, range: Range): AsyncGenerator<readonly Entry[]> {
  const iterator = level.iterator(range)
  try {
    for (;;) {
      const entries = await iterator.nextv(entriesPerStep)
      if (entries.length === 0) return
      yield entries
    }
  } finally {
    await iterator.close()
  }
}
