import { hex, isLive } from '@hushlamp/shared'
import type { Clock, RegistryRow } from '@hushlamp/shared'

import type { Logger } from '../log.ts'
import { LevelDatabase } from './level-database.ts'
import type { Entry } from './level-database.ts'
import type { Operation } from './merge-offers.ts'
import { prepareFormat } from './migration.ts'
import { bytesOnDisk, countersKey, decodeRow, encodeCounters, rowRange } from './row-codec.ts'
import type { Counters, StoredRow } from './row-codec.ts'
import { SettledClock } from './settled-clock.ts'
import { addUsage, equalUsage, noUsage, sumUsage } from './usage.ts'
import type { StoreUsage } from './usage.ts'

const rowsPerCount = 500
const maxDamagedKnown = 10_000

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
  readonly #damaged = new Set<string>()

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

  /** How much is held. */
  get usage(): StoreUsage {
    return this.#state.usage
  }

  /** Whether the database was not closed the last time, so that a recount is worth its time. */
  get recountDue(): boolean {
    return this.#state.recountDue
  }

  /** How many different rows were found damaged. */
  get damagedRows(): number {
    return this.#damaged.size
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
    return this.decode(await this.#level.entries(rowRange(key)))
  }

  /** The rows of entries, without the damaged ones, which are counted. */
  decode(entries: readonly Entry[]): readonly StoredRow[] {
    return entries.flatMap(([id, value]) => {
      const stored = decodeRow(id, value)
      if (stored !== undefined) return [stored]
      if (this.#damaged.size < maxDamagedKnown) this.#damaged.add(hex(id))
      return []
    })
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
      rows: this.#level.snapshot(rowRange(), rowsPerCount)
    }
  }

  /** The difference between what a snapshot holds and what it was thought to hold; undefined if there is none. */
  async miscount({
    counters,
    rows
  }: ReturnType<RowDatabase['snapshot']>): Promise<StoreUsage | undefined> {
    let counted = noUsage
    for await (const entries of rows) counted = this.#count(counted, entries)
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

  #count(usage: StoreUsage, entries: readonly Entry[]): StoreUsage {
    return entries.reduce((sum, [id, value]) => {
      const stored = decodeRow(id, value)
      if (stored === undefined) return sum
      return addUsage(sum, stored.class, { rows: 1, bytes: bytesOnDisk(value.length) })
    }, usage)
  }
}

/** The rows that are live. */
export function liveRows(stored: readonly StoredRow[], now: number): readonly RegistryRow[] {
  return stored.map(({ row }) => row).filter((row) => isLive(row, now))
}
