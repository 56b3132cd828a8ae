import { hex, isLive } from '@hushlamp/shared'
import type { Clock, RegistryRow } from '@hushlamp/shared'

import type { Logger } from '../log.ts'
import { LevelDatabase, unreadable } from './level-database.ts'
import type { Entry, Operation } from './level-database.ts'
import { countEntries, prepareFormat } from './migration.ts'
import { allRows, countersKey, decodeRows, encodeCounters, rowsKey } from './row-codec.ts'
import type { Counters, StoredRow } from './row-codec.ts'
import { SettledClock } from './settled-clock.ts'
import { equalUsage, noUsage, sumUsage } from './usage.ts'
import type { StoreUsage } from './usage.ts'

const keysPerCount = 500
const maxDamagedKeys = 10_000

/** What the database held when it was opened, kept up since. */
interface State {
  usage: StoreUsage
  recountDue: boolean
}

/** The rows on disk, with the counters that are written together with them. Writes must not overlap. */
export class RowDatabase {
  readonly #logger: Logger
  readonly #level: LevelDatabase
  readonly #settled: SettledClock
  readonly #state: State
  readonly #damaged = new Map<string, number>()

  private constructor(
    logger: Logger,
    parts: {
      readonly level: LevelDatabase
      readonly settled: SettledClock
      readonly state: State
    }
  ) {
    this.#logger = logger
    this.#level = parts.level
    this.#settled = parts.settled
    this.#state = parts.state
  }

  /**
   * Opens the database of a folder, makes it if there is none, and brings it to the present format.
   *
   * @throws HushlampError `storage-locked`, `storage-corrupt`, `storage-newer` or `storage-failed`
   */
  static async open(
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    directory: string
  ): Promise<RowDatabase> {
    const state: State = { usage: noUsage, recountDue: false }
    let last: number | undefined
    const level = await LevelDatabase.open(clock, {
      directory,
      prepare: async (opened) => {
        const counters = await prepareFormat(opened, clock.unixSeconds())
        state.usage = counters.usage
        state.recountDue = !counters.clean
        last = counters.settled
      }
    })
    return new RowDatabase(logger, { level, settled: new SettledClock(clock, last), state })
  }

  /** Notes that the counters may be wrong. */
  doubt(): void {
    this.#state.recountDue = true
  }

  /** How much is held. */
  get usage(): StoreUsage {
    return this.#state.usage
  }

  /** Whether the counters may be wrong, because the database was not closed the last time or something was damaged. */
  get recountDue(): boolean {
    return this.#state.recountDue
  }

  /** How many rows were found damaged; a key of which nothing can be read counts as one. */
  get damagedRows(): number {
    return [...this.#damaged.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The time by which rows may be deleted. */
  get deletionTime(): number {
    return this.#settled.unixSeconds()
  }

  /** The database below, for whoever scans it. */
  get level(): LevelDatabase {
    return this.#level
  }

  /**
   * All rows of a key, expired ones too, in the order of their positions.
   *
   * @throws HushlampError `storage-corrupt` or `storage-failed`
   */
  async rows(key: Uint8Array): Promise<readonly StoredRow[]> {
    const value = await this.#level.get(rowsKey(key))
    return value === undefined ? [] : this.decode(key, value)
  }

  /** The rows of many keys, undefined for a key of which the disk gives nothing. */
  async rowsOfMany(
    keys: readonly Uint8Array[]
  ): Promise<readonly (readonly StoredRow[] | undefined)[]> {
    const values = await this.#level.getMany(keys.map(rowsKey))
    return keys.map((key, i) => {
      const value = values[i]
      if (value === unreadable) return undefined
      return value === undefined ? [] : this.decode(key, value)
    })
  }

  /** The rows of a key's value, without the damaged ones, which are counted. */
  decode(key: Uint8Array, value: Uint8Array): readonly StoredRow[] {
    const { rows, damaged } = decodeRows(key, value)
    if (damaged > 0 && this.#damaged.size < maxDamagedKeys) this.#damaged.set(hex(key), damaged)
    return rows
  }

  /**
   * If a write has failed: makes writing possible again, where there is room.
   *
   * @throws HushlampError `storage-failed` or `storage-corrupt` while there is none
   */
  async recover(): Promise<void> {
    await this.#level.recover()
  }

  /**
   * Writes all or nothing, with the usage after it.
   *
   * @throws HushlampError `storage-failed` or `storage-corrupt`
   */
  async write(
    operations: readonly Operation[],
    usage: StoreUsage,
    options?: { readonly lazily: boolean }
  ): Promise<void> {
    const value = encodeCounters(this.#counters(usage, false))
    const counters = { type: 'put', key: countersKey, value } as const
    await this.#level.write([...operations, counters], options)
    this.#state.usage = usage
  }

  /** All rows as they are now, whatever is written meanwhile, and their counters. */
  snapshot(): { readonly counters: Counters; readonly rows: AsyncGenerator<readonly Entry[]> } {
    return {
      counters: this.#counters(this.usage, true),
      rows: this.#level.snapshot(allRows, keysPerCount)
    }
  }

  /** The difference between what a snapshot holds and what it was thought to hold; undefined if there is none. */
  async miscount({
    counters,
    rows
  }: ReturnType<RowDatabase['snapshot']>): Promise<StoreUsage | undefined> {
    let counted = noUsage
    for await (const entries of rows) counted = countEntries(counted, entries)
    return equalUsage(counters.usage, counted) ? undefined : sumUsage(counted, counters.usage, -1)
  }

  /** Corrects the counters by what a recount has found. */
  async correct(difference: StoreUsage | undefined): Promise<void> {
    if (difference !== undefined) {
      this.#logger.warn('the counters of the store were wrong and have been corrected')
      await this.write([], sumUsage(this.usage, difference))
    }
    this.#state.recountDue = false
  }

  /** Closes the database. */
  async close(): Promise<void> {
    try {
      if (!this.#level.failed) {
        const clean = !this.recountDue && this.damagedRows === 0
        const value = encodeCounters(this.#counters(this.usage, clean))
        await this.#level.write([{ type: 'put', key: countersKey, value }])
      }
    } finally {
      await this.#level.close()
    }
  }

  #counters(usage: StoreUsage, clean: boolean): Counters {
    return { usage, settled: this.#settled.unixSeconds(), clean }
  }
}

/** The rows that are live. */
export function liveRows(stored: readonly StoredRow[], now: number): readonly RegistryRow[] {
  return stored.map(({ row }) => row).filter((row) => isLive(row, now))
}
