import {
  hasRoom,
  hex,
  HushlampError,
  isLive,
  mergeRow,
  resultCode,
  rowPosition
} from '@hushlamp/shared'
import type { Clock, RegistryRow, ResultCode } from '@hushlamp/shared'
import { ClassicLevel } from 'classic-level'

import type { Logger } from '../log.ts'
import { errorCode } from '../log.ts'
import {
  bytesOnDisk,
  countersKey,
  decodeRow,
  decodeSize,
  decodeUsage,
  encodeRow,
  encodeSize,
  encodeUsage,
  expiredRange,
  indexKey,
  rowKey,
  rowKeyOfIndex,
  rowRange,
  splitRowKey
} from './row-codec.ts'
import type { StoreUsage } from './row-codec.ts'
import type { RowStore } from './row-store.ts'

type Database = ClassicLevel<Uint8Array, Uint8Array>
type Operation =
  | { type: 'put'; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; key: Uint8Array }

/** Rows offered under one key, waiting for their commit. */
interface Offer {
  readonly key: Uint8Array
  readonly rows: readonly RegistryRow[]
  resolve(codes: ResultCode[]): void
  reject(error: unknown): void
}

/** What a record store is made of. */
export interface RecordStoreComponents {
  readonly clock: Clock
  readonly logger: Logger
}

/** How a record store is configured. */
export interface RecordStoreInit {
  /** Folder of the database; made if it is missing. */
  readonly directory: string
  /** Most bytes that rows may take; what exceeds them is refused, nothing is evicted. */
  readonly maxBytes: number
}

const sweepIntervalMs = 10_000
const sweepChunk = 500
const maxOffersPerCommit = 1000
const keysPerScan = 256

/**
 * The rows that this node holds, on disk. Commits are serial: while one is written and synced, the next collects all
 * offers that arrive (group commit), so an answered offer is on disk, and two offers for one key see each other.
 */
export class RecordStore implements RowStore, AsyncDisposable {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #maxBytes: number
  readonly #database: Database
  readonly #offers: Offer[] = []
  #usage: StoreUsage = { rows: 0, bytes: 0 }
  #commits: Promise<void> = Promise.resolve()
  #committing = false
  #closing = false
  #cancelSweep: () => void = () => {}

  private constructor(
    components: RecordStoreComponents,
    init: RecordStoreInit,
    database: Database
  ) {
    this.#clock = components.clock
    this.#logger = components.logger
    this.#maxBytes = init.maxBytes
    this.#database = database
  }

  /**
   * Opens the store of a folder and starts to sweep it.
   *
   * @throws HushlampError `storage-locked`, `storage-corrupt` or `storage-failed`
   */
  static async open(
    components: RecordStoreComponents,
    init: RecordStoreInit
  ): Promise<RecordStore> {
    const database: Database = new ClassicLevel<Uint8Array, Uint8Array>(init.directory, {
      keyEncoding: 'view',
      valueEncoding: 'view'
    })
    try {
      await database.open()
      const store = new RecordStore(components, init, database)
      store.#usage = decodeUsage(await database.get(countersKey))
      store.#scheduleSweep()
      return store
    } catch (error) {
      await database.close().catch(() => {})
      throw openError(error)
    }
  }

  /** How much the store holds. */
  get usage(): StoreUsage {
    return this.#usage
  }

  /** The live rows of a key in the order of their positions. */
  async rows(key: Uint8Array): Promise<readonly RegistryRow[]> {
    const now = this.#clock.unixSeconds()
    const entries = await this.#database.iterator(rowRange(key)).all()
    return entries
      .map(([id, value]) => decodeRow(splitRowKey(id).position, value))
      .filter((row) => isLive(row, now))
  }

  /**
   * Merges rows into a key. Each is answered by its own code: 0 if the store now holds it or something that outranks it,
   * 1 if there is no room for it.
   *
   * @throws HushlampError `storage-failed`; then nothing of it was stored.
   */
  async offer(key: Uint8Array, rows: readonly RegistryRow[]): Promise<ResultCode[]> {
    if (this.#closing) throw new HushlampError('storage-failed', 'The store is closed.')
    return new Promise((resolve, reject) => {
      this.#offers.push({ key, rows, resolve, reject })
      if (!this.#committing) {
        this.#committing = true
        this.#serially(async () => this.#commitOffers())
      }
    })
  }

  /** Goes through all keys with their live rows, in order. Keys that come while it runs may be missed. */
  async *entries(): AsyncGenerator<{ key: Uint8Array; rows: readonly RegistryRow[] }> {
    const { gte, lt } = rowRange()
    let from = gte
    while (!this.#closing) {
      const ids = await this.#database.keys({ gt: from, lt, limit: keysPerScan }).all()
      const keys = new Map(ids.map((id) => [hex(id.subarray(1, 21)), splitRowKey(id).key]))
      let last: Uint8Array | undefined
      for (const key of keys.values()) {
        last = key
        const rows = await this.rows(key)
        if (rows.length > 0) yield { key, rows }
      }
      if (last === undefined) return
      from = rowRange(last).lt
    }
  }

  /** Deletes what has expired, in chunks between which other work goes on. Answers with the number of rows. */
  async sweep(): Promise<number> {
    let swept = 0
    for (;;) {
      const chunk = await new Promise<number>((resolve, reject) => {
        this.#serially(async () => this.#sweepChunk().then(resolve, reject))
      })
      swept += chunk
      if (chunk < sweepChunk) return swept
    }
  }

  /** Commits what was offered and closes the database. */
  async close(): Promise<void> {
    this.#closing = true
    this.#cancelSweep()
    await this.#commits
    await this.#database.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #serially(task: () => Promise<void>): void {
    this.#commits = this.#commits.then(task).catch((error: unknown) => {
      this.#logger.error(`the store failed: ${errorCode(error)}`)
    })
  }

  async #commitOffers(): Promise<void> {
    while (this.#offers.length > 0) {
      const offers = this.#offers.splice(0, maxOffersPerCommit)
      try {
        const answers = await this.#commit(offers)
        offers.forEach((offer, i) => offer.resolve(answers[i] ?? []))
      } catch (cause) {
        const error = new HushlampError('storage-failed', undefined, { cause })
        for (const offer of offers) offer.reject(error)
      }
    }
    this.#committing = false
  }

  async #commit(offers: readonly Offer[]): Promise<ResultCode[][]> {
    const now = this.#clock.unixSeconds()
    const keys = new Map<string, KeyChanges>()
    for (const { key } of offers) {
      const name = hex(key)
      if (!keys.has(name)) keys.set(name, await KeyChanges.load(this.#database, key))
    }
    let usage = this.#usage
    const answers = offers.map(({ key, rows }) =>
      rows.map((row): ResultCode => {
        const changes = keys.get(hex(key))
        if (changes === undefined) return resultCode.tryAgain
        const position = hex(rowPosition(row))
        const existing = changes.rows.get(position)
        const merged = mergeRow(existing, row, now)
        if (merged === undefined || merged === existing) return resultCode.ok
        const growth = bytesOnDisk(encodeRow(row)) - changes.bytesOf(existing)
        if (existing === undefined) {
          const full = usage.bytes + growth > this.#maxBytes
          if (full || !hasRoom(changes.rows.values(), row, now)) return resultCode.overCapacity
        }
        changes.rows.set(position, merged)
        usage = {
          rows: usage.rows + (existing === undefined ? 1 : 0),
          bytes: usage.bytes + growth
        }
        return resultCode.ok
      })
    )
    const operations = [...keys.values()].flatMap((changes) => changes.operations())
    if (operations.length > 0) await this.#write(operations, usage)
    return answers
  }

  async #sweepChunk(): Promise<number> {
    if (this.#closing) return 0
    const range = expiredRange(this.#clock.unixSeconds())
    const expired = await this.#database.iterator({ ...range, limit: sweepChunk }).all()
    if (expired.length === 0) return 0
    let { rows, bytes } = this.#usage
    const operations: Operation[] = []
    for (const [entry, size] of expired) {
      operations.push({ type: 'del', key: entry }, { type: 'del', key: rowKeyOfIndex(entry) })
      rows--
      bytes -= decodeSize(size)
    }
    await this.#write(operations, { rows, bytes })
    return expired.length
  }

  async #write(operations: Operation[], usage: StoreUsage): Promise<void> {
    operations.push({ type: 'put', key: countersKey, value: encodeUsage(usage) })
    await this.#database.batch(operations, { sync: true })
    this.#usage = usage
  }

  #scheduleSweep(): void {
    if (this.#closing) return
    this.#cancelSweep = this.#clock.after(sweepIntervalMs, () => {
      void this.sweep()
        .catch((error: unknown) => {
          this.#logger.error(`sweeping failed: ${errorCode(error)}`)
        })
        .finally(() => this.#scheduleSweep())
    })
  }
}

/** The rows of one key during a commit: as they were, expired ones included, and as they will be. */
class KeyChanges {
  readonly key: Uint8Array
  readonly rows: Map<string, RegistryRow>
  readonly #before: ReadonlyMap<string, RegistryRow>

  private constructor(key: Uint8Array, before: ReadonlyMap<string, RegistryRow>) {
    this.key = key
    this.#before = before
    this.rows = new Map(before)
  }

  static async load(database: Database, key: Uint8Array): Promise<KeyChanges> {
    const entries = await database.iterator(rowRange(key)).all()
    return new KeyChanges(
      key,
      new Map(
        entries.map(([id, value]) => {
          const { position } = splitRowKey(id)
          return [hex(position), decodeRow(position, value)]
        })
      )
    )
  }

  bytesOf(row: RegistryRow | undefined): number {
    return row === undefined ? 0 : bytesOnDisk(encodeRow(row))
  }

  operations(): Operation[] {
    const operations: Operation[] = []
    for (const [position, row] of this.rows) {
      const before = this.#before.get(position)
      if (before === row) continue
      const id = rowKey(this.key, rowPosition(row))
      const value = encodeRow(row)
      if (before !== undefined) {
        operations.push({ type: 'del', key: indexKey(before.expiry, id) })
      }
      operations.push(
        { type: 'put', key: id, value },
        { type: 'put', key: indexKey(row.expiry, id), value: encodeSize(bytesOnDisk(value)) }
      )
    }
    return operations
  }
}

function openError(error: unknown): HushlampError {
  if (error instanceof HushlampError) return error
  const codes = [error, error instanceof Error ? error.cause : undefined].map(errorCode)
  if (codes.includes('LEVEL_LOCKED')) {
    return new HushlampError('storage-locked', undefined, { cause: error })
  }
  const corrupt = codes.includes('LEVEL_CORRUPTION')
  return new HushlampError(corrupt ? 'storage-corrupt' : 'storage-failed', undefined, {
    cause: error
  })
}
