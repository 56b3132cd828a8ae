import { hex, HushlampError } from '@hushlamp/shared'
import type { Clock, RegistryRow, ResultCode } from '@hushlamp/shared'

import type { Admission } from '../admission/admission.ts'
import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import type { NodeMeter } from '../metrics/node-meter.ts'
import { writeBackup } from './backup.ts'
import type { BackupOptions } from './backup.ts'
import { KeyRows, mergeOffers } from './merge-offers.ts'
import type { Offer, OfferContext } from './merge-offers.ts'
import { allRows, registryKeyOf } from './row-codec.ts'
import { liveRows, RowDatabase } from './row-database.ts'
import type { RowStore } from './row-store.ts'
import { expiredChunk } from './sweeper.ts'
import { sumUsage } from './usage.ts'
import type { StoreUsage } from './usage.ts'

/** Rows offered under one key, waiting for their commit. */
interface WaitingOffer extends Offer {
  resolve(codes: ResultCode[]): void
  reject(error: unknown): void
}

/** What a record store is made of. */
export interface RecordStoreComponents {
  readonly clock: Clock
  readonly logger: Logger
  /** Asked before a row takes a new place or prolongs its stay. */
  readonly admission: Admission
  readonly meter?: Pick<NodeMeter, 'swept'> | undefined
}

/** How a record store is configured. */
export interface RecordStoreInit {
  /** Folder of the database; made if it is missing. */
  readonly directory: string
}

const sweepIntervalMs = 10_000
const sweepBudgetMs = 10
const sweepRows = { least: 50, most: 1000 }
const maxOffersPerCommit = 1000
const keysPerScan = 128

/**
 * The rows that this node holds, on disk. Commits are serial: while one is written and synced, the next collects all
 * offers that arrive (group commit), so an offer waits for the commit before its own and for nothing else, an answered
 * offer is on disk, and two offers for one key see each other.
 *
 * Rows that were damaged on disk are left out and counted. While the disk is full offers are rejected, and everything
 * can be read.
 */
export class RecordStore implements RowStore, AsyncDisposable {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #admission: Admission
  readonly #meter: Pick<NodeMeter, 'swept'> | undefined
  readonly #database: RowDatabase
  readonly #offers: WaitingOffer[] = []
  #tasks: Promise<unknown> = Promise.resolve()
  #committing = false
  #closing: Promise<void> | undefined
  #sweeping: Promise<number> | undefined
  #cancelTick: () => void = () => {}
  #sweepRows = sweepRows.least
  #reportedDamaged = 0

  private constructor(components: RecordStoreComponents, database: RowDatabase) {
    this.#clock = components.clock
    this.#logger = components.logger
    this.#admission = components.admission
    this.#meter = components.meter
    this.#database = database
  }

  /**
   * Opens the store of a folder and starts to sweep it. A store of an older format is brought to the present one first.
   *
   * @throws HushlampError `storage-locked`, `storage-corrupt`, `storage-newer` or `storage-failed`
   */
  static async open(
    components: RecordStoreComponents,
    init: RecordStoreInit
  ): Promise<RecordStore> {
    const store = new RecordStore(components, await RowDatabase.open(components, init.directory))
    store.#scheduleTick()
    return store
  }

  /** How much the store holds. */
  get usage(): StoreUsage {
    return this.#database.usage
  }

  /** How many different rows were found damaged since the store was opened. */
  get damagedRows(): number {
    return this.#database.damagedRows
  }

  /**
   * The live rows of a key in the order of their positions.
   *
   * @throws HushlampError `storage-corrupt` where this part of the disk cannot be read at all, or `storage-failed`
   */
  async rows(key: Uint8Array): Promise<readonly RegistryRow[]> {
    return liveRows(await this.#database.rows(key), this.#clock.unixSeconds())
  }

  /**
   * Merges rows into a key. Each is answered by its own code: 0 if the store now holds it or something that outranks it,
   * 1 if there is no room for it or it was not admitted, 2 if the rows of the key cannot be read now.
   *
   * @throws HushlampError `storage-failed` or `storage-corrupt`; then nothing is promised.
   */
  async offer(
    key: Uint8Array,
    rows: readonly RegistryRow[],
    context?: OfferContext
  ): Promise<ResultCode[]> {
    if (this.#closing !== undefined) throw closedError()
    return new Promise((resolve, reject) => {
      this.#offers.push({ key, rows, context, resolve, reject })
      if (this.#committing) return
      this.#committing = true
      void this.#serially(async () => this.#commitOffers())
    })
  }

  /** Goes through all keys with their live rows, in order. Keys that come while it runs may be missed. */
  async *entries(): AsyncGenerator<{ key: Uint8Array; rows: readonly RegistryRow[] }> {
    const { lt } = allRows
    let from = allRows.gte
    while (this.#closing === undefined) {
      const entries = await this.#database.level.entries({ gt: from, lt, limit: keysPerScan })
      for (const [id, value] of entries) {
        from = id
        const key = registryKeyOf(id)
        if (key === undefined) continue
        const rows = liveRows(this.#database.decode(key, value), this.#clock.unixSeconds())
        if (rows.length > 0) yield { key, rows }
      }
      if (entries.length < keysPerScan) return
    }
  }

  /**
   * Deletes what has expired, in chunks of some milliseconds between which other work goes on. Answers with the number
   * of rows.
   *
   * @throws HushlampError `storage-failed` or `storage-corrupt`
   */
  async sweep(): Promise<number> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  async #sweep(): Promise<number> {
    let swept = 0
    let after: Uint8Array | undefined
    do {
      if (this.#closing !== undefined) return swept
      const chunk = await this.#serially(async () => this.#sweepChunk(after))
      swept += chunk.gone.rows
      after = chunk.last
      await new Promise(setImmediate)
    } while (after !== undefined)
    this.#meter?.swept(swept)
    return swept
  }

  /**
   * Counts all rows anew, while other work goes on, and corrects the counters where they are wrong. Answers whether they
   * were.
   *
   * @throws HushlampError `storage-failed` or `storage-corrupt`
   */
  async recount(): Promise<boolean> {
    const snapshot = await this.#serially(async () => this.#database.snapshot())
    const difference = await this.#database.miscount(snapshot)
    await this.#serially(async () => this.#database.correct(difference))
    return difference !== undefined
  }

  /**
   * Writes a copy of the store, as it is at this moment, into a folder that does not exist yet; other work goes on. The
   * copy is a store like any other: to restore it, put it where the store was. A copy that was broken off does not bear
   * the name of the folder.
   *
   * @throws HushlampError `storage-exists`, `storage-failed`, `storage-corrupt` or `aborted`
   */
  async backup(directory: string, options?: BackupOptions): Promise<void> {
    const snapshot = await this.#serially(async () => this.#database.snapshot())
    const closing = (): boolean => this.#closing !== undefined
    await writeBackup(directory, { ...snapshot, closing }, options)
  }

  /** Commits what was offered and closes the database. May be called more than once. */
  async close(): Promise<void> {
    this.#cancelTick()
    this.#closing ??= this.#serially(async () => this.#database.close())
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Runs a task when those before it are done. Everything that writes is such a task. */
  async #serially<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#tasks.then(task)
    this.#tasks = run.catch(() => {})
    return run
  }

  async #commitOffers(): Promise<void> {
    while (this.#offers.length > 0) {
      const offers = this.#offers.splice(0, maxOffersPerCommit)
      try {
        const codes = await this.#commit(offers)
        offers.forEach((offer, i) => offer.resolve(codes[i] ?? []))
      } catch (error) {
        for (const offer of offers) offer.reject(error)
      }
    }
    this.#committing = false
  }

  async #commit(offers: readonly WaitingOffer[]): Promise<readonly ResultCode[][]> {
    const database = this.#database
    await database.recover()
    const names = new Map(offers.map(({ key }) => [hex(key), key]))
    const stored = await database.rowsOfMany([...names.values()])
    const keys = new Map<string, KeyRows>()
    for (const [i, [name, key]] of [...names].entries()) {
      const rows = stored[i]
      if (rows !== undefined) keys.set(name, new KeyRows(key, rows))
    }
    const { codes, operations, usage } = mergeOffers(offers, keys, database.usage, {
      admission: this.#admission,
      now: this.#clock.unixSeconds(),
      deletionTime: database.deletionTime,
      nowMonotonicMs: this.#clock.monotonicMs()
    })
    if (operations.length > 0) await database.write(operations, usage)
    return codes
  }

  async #sweepChunk(after: Uint8Array | undefined): ReturnType<typeof expiredChunk> {
    const database = this.#database
    const begunAtMs = this.#clock.monotonicMs()
    const now = database.deletionTime
    const chunk = await expiredChunk(database.level, { now, after, limit: this.#sweepRows })
    if (chunk.operations.length > 0) {
      // That it has gone may be forgotten in a crash: then it goes again.
      const usage = sumUsage(database.usage, chunk.gone, -1)
      await database.write(chunk.operations, usage, { lazily: true })
    }
    if (chunk.miscounted) database.doubt()
    const tookMs = Math.max(1, this.#clock.monotonicMs() - begunAtMs)
    const fitting = Math.round((this.#sweepRows * sweepBudgetMs) / tookMs)
    this.#sweepRows = Math.min(sweepRows.most, Math.max(sweepRows.least, fitting))
    return chunk
  }

  #scheduleTick(): void {
    if (this.#closing !== undefined) return
    this.#cancelTick = this.#clock.after(sweepIntervalMs, () => {
      void this.#tick()
        .catch((error: unknown) => {
          if (this.#closing !== undefined) return
          this.#logger.error(`the store is in trouble: ${errorCode(error)}`)
        })
        .finally(() => this.#scheduleTick())
    })
  }

  async #tick(): Promise<void> {
    await this.#serially(async () => this.#database.recover())
    await this.sweep()
    if (this.#database.recountDue) await this.recount()
    if (this.damagedRows === this.#reportedDamaged) return
    this.#reportedDamaged = this.damagedRows
    this.#logger.error(`rows that are damaged on disk and left out: ${this.damagedRows}`)
  }
}

function closedError(): HushlampError {
  return new HushlampError('storage-failed', 'The store is closed.')
}
