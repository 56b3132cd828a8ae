import { access, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { HushlampError } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'
import { ClassicLevel } from 'classic-level'
import type { Iterator } from 'classic-level'

import { errorCode } from '../log.ts'

/** A database of bytes under bytes. */
export type Level = ClassicLevel<Uint8Array, Uint8Array>

/** One step of a batch. */
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Bounds of a scan, and how many entries it answers with at most. */
export interface Scan {
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lt: Uint8Array
  readonly limit?: number
}

/** A key with its value. */
export type Entry = [key: Uint8Array, value: Uint8Array]

/** Stands for a value that is there and cannot be read. */
export const unreadable: unique symbol = Symbol('unreadable')

const tryAgainMs = 1000
/** What opening anew may write: the log as a table, and some more. */
const reserveBytes = 8 * 1024 * 1024

/**
 * A database that outlives a full disk. After a write that failed LevelDB takes no more, and what it appended to its log
 * after a torn record could be lost: so nothing is written from then on, but all can be read; and as soon as there is
 * room, the database is opened anew.
 */
export class LevelDatabase {
  readonly #clock: Clock
  readonly #directory: string
  readonly #prepare: (level: Level) => Promise<void>
  #level: Level
  #failedAtMs: number | undefined
  #reading = 0
  #drained: (() => void) | undefined
  #reopening: Promise<void> | undefined

  private constructor(
    clock: Clock,
    init: { directory: string; prepare: (level: Level) => Promise<void> },
    level: Level
  ) {
    this.#clock = clock
    this.#directory = init.directory
    this.#prepare = init.prepare
    this.#level = level
  }

  /**
   * Opens the database of a folder, and makes it if there is none.
   *
   * @param init `prepare` is called whenever the database has been opened, before anything else happens to it.
   * @throws HushlampError `storage-locked`, `storage-corrupt` or `storage-failed`
   */
  static async open(
    clock: Clock,
    init: { readonly directory: string; readonly prepare: (level: Level) => Promise<void> }
  ): Promise<LevelDatabase> {
    return new LevelDatabase(clock, init, await openPrepared(init.directory, init.prepare))
  }

  /**
   * The entries of a range, in order.
   *
   * @throws HushlampError `storage-corrupt` or `storage-failed`
   */
  async entries(scan: Scan): Promise<Entry[]> {
    return this.#read(async (level) => level.iterator(scan).all())
  }

  /**
   * The value of a key; undefined if there is none.
   *
   * @throws HushlampError `storage-corrupt` or `storage-failed`
   */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read(async (level) => level.get(key))
  }

  /**
   * The values of keys, undefined where there is none; `unreadable` where the disk does not give it.
   *
   * @throws HushlampError `storage-failed`
   */
  async getMany(
    keys: readonly Uint8Array[]
  ): Promise<readonly (Uint8Array | undefined | typeof unreadable)[]> {
    return this.#read(async (level) => {
      try {
        return await level.getMany([...keys])
      } catch {
        // One key that cannot be read is no reason to miss the others.
        return Promise.all(keys.map(async (key) => level.get(key).catch(() => unreadable)))
      }
    })
  }

  /**
   * Goes through a range as it is now, whatever is written meanwhile, in chunks between which other work goes on.
   * Breaks off with `storage-failed` when the database is closed or opened anew.
   */
  snapshot(scan: Scan, chunk: number): AsyncGenerator<readonly Entry[]> {
    try {
      return chunks(this.#level.iterator(scan), chunk)
    } catch (error) {
      throw storageError(error)
    }
  }

  /** Whether writing has failed and {@link recover} has not succeeded since. */
  get failed(): boolean {
    return this.#failedAtMs !== undefined
  }

  /**
   * Writes all or nothing; on disk when it resolves, or with `lazily` in the course of time, but before anything that
   * is written later.
   *
   * @throws HushlampError `storage-failed` or `storage-corrupt`; then nothing can be written until {@link recover}.
   */
  async write(operations: readonly Operation[], options?: { lazily: boolean }): Promise<void> {
    if (this.failed) throw new HushlampError('storage-failed')
    try {
      const batch = this.#level.batch()
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value)
        else batch.del(operation.key)
      }
      await batch.write({ sync: options?.lazily !== true })
    } catch (error) {
      this.#failedAtMs = this.#clock.monotonicMs()
      throw storageError(error)
    }
  }

  /**
   * If a write has failed: opens the database anew, where there is room again. Tries once a second at most.
   *
   * @throws HushlampError `storage-failed`, `storage-corrupt` or `storage-locked` while that is not possible
   */
  async recover(): Promise<void> {
    if (this.#failedAtMs === undefined) return
    const now = this.#clock.monotonicMs()
    if (now - this.#failedAtMs < tryAgainMs) throw new HushlampError('storage-failed')
    this.#failedAtMs = now
    this.#reopening = this.#reopen()
    try {
      await this.#reopening
      this.#failedAtMs = undefined
    } finally {
      this.#reopening = undefined
    }
  }

  /** Closes the database. */
  async close(): Promise<void> {
    await this.#level.close()
  }

  async #reopen(): Promise<void> {
    await proveRoom(this.#directory)
    if (this.#reading > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    await this.#level.close()
    this.#level = await openPrepared(this.#directory, this.#prepare)
  }

  async #read<T>(read: (level: Level) => Promise<T>): Promise<T> {
    await this.#reopening?.catch(() => {})
    this.#reading++
    try {
      return await read(this.#level)
    } catch (error) {
      throw storageError(error)
    } finally {
      this.#reading--
      if (this.#reading === 0) {
        this.#drained?.()
        this.#drained = undefined
      }
    }
  }
}

async function* chunks(
  iterator: Iterator<Level, Uint8Array, Uint8Array>,
  size: number
): AsyncGenerator<readonly Entry[]> {
  try {
    for (;;) {
      const entries = await iterator.nextv(size)
      if (entries.length === 0) return
      yield entries
      await new Promise(setImmediate)
    }
  } catch (error) {
    throw storageError(error)
  } finally {
    await iterator.close()
  }
}

/**
 * Opens a database without more ado.
 *
 * @param options by default a missing database is made
 * @throws HushlampError `storage-locked`, `storage-corrupt` or `storage-failed`
 */
export async function openLevel(
  directory: string,
  { createIfMissing }: { readonly createIfMissing: boolean } = { createIfMissing: true }
): Promise<Level> {
  const files = await readdir(directory).catch((): string[] => [])
  if (!files.includes('CURRENT')) {
    // Where only the file that leads to all others is missing, LevelDB would begin anew and delete those.
    if (files.some((name) => /\.(ldb|sst|log)$/.test(name))) throw corrupt()
    if (!createIfMissing) {
      throw new HushlampError('storage-failed', 'There is no store in this folder.')
    }
  }
  const level: Level = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view'
  })
  try {
    await level.open()
    return level
  } catch (error) {
    throw storageError(error)
  }
}

/** What went wrong in the database, in the terms of a store. */
export function storageError(error: unknown): HushlampError {
  if (error instanceof HushlampError) return error
  const errors = [error, error instanceof Error ? error.cause : undefined]
  const codes = errors.map(errorCode)
  if (codes.includes('LEVEL_LOCKED')) {
    return new HushlampError('storage-locked', undefined, { cause: error })
  }
  // Files that are missing or too short are errors of input and output to LevelDB.
  const mismatch = errors.some(
    (each) =>
      errorCode(each) === 'LEVEL_IO_ERROR' &&
      each instanceof Error &&
      /No such file or directory|Invalid argument/.test(each.message)
  )
  if (mismatch || codes.includes('LEVEL_CORRUPTION')) return corrupt(error)
  return new HushlampError('storage-failed', undefined, { cause: error })
}

function corrupt(cause?: unknown): HushlampError {
  return new HushlampError(
    'storage-corrupt',
    'The database of this node is damaged. Stop the node and run `hushlamp-node doctor --repair`, or restore a backup.',
    { cause }
  )
}

async function openPrepared(
  directory: string,
  prepare: (level: Level) => Promise<void>
): Promise<Level> {
  const level = await openLevel(directory)
  try {
    await prepare(level)
    return level
  } catch (error) {
    await level.close()
    throw storageError(error)
  }
}

async function proveRoom(directory: string): Promise<void> {
  const file = join(directory, 'room.probe')
  try {
    await access(directory)
    const handle = await open(file, 'w', 0o600)
    try {
      await handle.writeFile(new Uint8Array(reserveBytes))
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new HushlampError('storage-failed', undefined, { cause })
  } finally {
    await rm(file, { force: true })
  }
}
