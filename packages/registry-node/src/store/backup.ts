import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

import { HushlampError } from '@hushlamp/shared'

import { openLevel, storageError } from './level-database.ts'
import type { Entry, Level } from './level-database.ts'
import { writeRows } from './merge-offers.ts'
import {
  countersKey,
  decodeRows,
  encodeCounters,
  formatVersion,
  registryKeyOf,
  versionKey
} from './row-codec.ts'
import type { Counters } from './row-codec.ts'

/** How far a backup is. */
export interface BackupProgress {
  readonly rows: number
  /** How many rows there are in all, about. */
  readonly of: number
}

/** How a backup is made. */
export interface BackupOptions {
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((done: BackupProgress) => void) | undefined
}

/**
 * Writes rows into a new database in the folder `directory`, which must not exist. It is made under another name and
 * renamed when it is complete and on disk. Damaged rows are left out.
 *
 * @throws HushlampError `storage-exists`, `storage-failed`, `storage-corrupt` or `aborted`
 */
export async function writeBackup(
  directory: string,
  from: {
    readonly counters: Counters
    readonly rows: AsyncGenerator<readonly Entry[]>
    /** Whether there is still somebody to read from. */
    readonly closing: () => boolean
  },
  { signal, progress }: BackupOptions = {}
): Promise<void> {
  const unfinished = `${directory}.part`
  if (await exists(directory)) throw new HushlampError('storage-exists')
  let level: Level | undefined
  try {
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true, mode: 0o700 })
    level = await openLevel(unfinished)
    const of = from.counters.usage.rows
    let rows = 0
    for await (const entries of from.rows) {
      if (signal?.aborted === true) throw new HushlampError('aborted')
      if (from.closing()) throw new HushlampError('storage-failed', 'The store is closed.')
      for (const [id, value] of entries) {
        const key = registryKeyOf(id)
        if (key === undefined) continue
        const { rows: readable } = decodeRows(key, value)
        if (readable.length > 0) await level.batch([...writeRows(key, [], readable)])
        rows += readable.length
      }
      progress?.({ rows, of })
    }
    await level.batch(
      [
        { type: 'put', key: versionKey, value: Uint8Array.of(formatVersion) },
        { type: 'put', key: countersKey, value: encodeCounters(from.counters) }
      ],
      { sync: true }
    )
    await level.close()
    await rename(unfinished, directory)
    await syncFolder(dirname(directory))
  } catch (error) {
    await level?.close()
    await rm(unfinished, { recursive: true, force: true })
    throw storageError(error)
  } finally {
    await from.rows.return(undefined)
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

/** A renaming is on disk when the folder is. */
async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
