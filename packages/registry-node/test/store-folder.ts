import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { rowFromPut, sha1, utf8 } from '@hushlamp/shared'
import type { Clock, OwnedRow, PutRow } from '@hushlamp/shared'
import { VirtualClock } from '@hushlamp/shared/testing'

import { CapacityOnly } from '../src/admission/admission.ts'
import type { Admission } from '../src/admission/admission.ts'
import { silentLogger } from '../src/log.ts'
import type { Logger } from '../src/log.ts'
import { RecordStore } from '../src/store/record-store.ts'

/** A virtual clock of which the wall clock can be put forward and back. */
export class AdjustableClock implements Clock {
  readonly #clock = new VirtualClock()
  #aheadSeconds = 0

  unixSeconds(): number {
    return this.#clock.unixSeconds() + this.#aheadSeconds
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#clock.after(delayMs, callback)
  }

  advance(ms: number): void {
    this.#clock.advance(ms)
  }

  /** Puts the wall clock so far ahead of the right time; behind it if negative. */
  adjust(aheadSeconds: number): void {
    this.#aheadSeconds = aheadSeconds
  }
}

/** A temporary folder in which a test has its stores. */
export class StoreFolder implements AsyncDisposable {
  readonly directory: string
  readonly clock: AdjustableClock = new AdjustableClock()
  readonly #stores: RecordStore[] = []

  private constructor(directory: string) {
    this.directory = directory
  }

  static async create(): Promise<StoreFolder> {
    return new StoreFolder(await mkdtemp(join(tmpdir(), 'hushlamp-store-')))
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  async open(
    name = 'store',
    {
      admission = new CapacityOnly({ maxBytes: 100_000_000 }),
      logger = silentLogger
    }: {
      admission?: Admission
      logger?: Logger
    } = {}
  ): Promise<RecordStore> {
    const store = await RecordStore.open(
      { clock: this.clock, logger, admission },
      { directory: this.path(name) }
    )
    this.#stores.push(store)
    return store
  }

  /** The row of a put now. */
  row(value: string, ttlSeconds = 60): PutRow | OwnedRow {
    return rowFromPut({ key: key(1), value: utf8(value), ttlSeconds }, this.clock.unixSeconds())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close()
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** A registry key of one byte, repeated. */
export function key(n: number): Uint8Array {
  return new Uint8Array(20).fill(n)
}

/** A registry key that belongs to a text. */
export function keyOf(text: string): Uint8Array {
  return sha1(utf8(text))
}

/** The values of rows, as texts. */
export function textsOf(rows: readonly { readonly kind: string }[]): readonly string[] {
  return rows.flatMap((row) =>
    'value' in row && row.value instanceof Uint8Array ? [Buffer.from(row.value).toString()] : []
  )
}
