import { createHash } from 'node:crypto'

import { ClassicLevel } from 'classic-level'

import { CapacityOnly, RecordStore, silentLogger } from '@hushlamp/registry-node'
import { concat, rowFromPut } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

/** What is measured: the store, or the bare database with the same batches. */
export interface Subject {
  /** Stores a wave of values, on disk when it resolves. */
  insert(values: readonly Value[]): Promise<void>
  /** Reads a key, and answers how many values it has. */
  read(key: Uint8Array): Promise<number>
  /** Deletes what has a short time to live. Answers how many rows that were. */
  sweep(): Promise<number>
  close(): Promise<void>
}

/** A value to be stored. */
export interface Value {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Whether it is swept in the end. */
  readonly short: boolean
}

const shortTtlSeconds = 600
const longTtlSeconds = 6 * 3600

class AdvancedClock implements Clock {
  #aheadSeconds = 0

  advance(seconds: number): void {
    this.#aheadSeconds += seconds
  }

  unixSeconds(): number {
    return Math.floor(Date.now() / 1000) + this.#aheadSeconds
  }

  monotonicMs(): number {
    return performance.now() + this.#aheadSeconds * 1000
  }

  /** Nothing happens by itself: the sweep that is measured is the only one. */
  after(): () => void {
    return () => {}
  }
}

/** The store of a node. */
export async function recordStore(directory: string): Promise<Subject> {
  const clock = new AdvancedClock()
  const admission = new CapacityOnly({ maxBytes: Number.MAX_SAFE_INTEGER })
  const store = await RecordStore.open({ clock, logger: silentLogger, admission }, { directory })
  return {
    async insert(values) {
      const now = clock.unixSeconds()
      const codes = await Promise.all(
        values.map(async ({ key, value, short }) => {
          const ttlSeconds = short ? shortTtlSeconds : longTtlSeconds
          return store.offer(key, [rowFromPut({ key, value, ttlSeconds }, now)])
        })
      )
      if (codes.flat().some((code) => code !== 0)) throw new Error('a value was refused')
    },
    read: async (key) => (await store.rows(key)).length,
    async sweep() {
      clock.advance(2 * shortTtlSeconds)
      return store.sweep()
    },
    close: async () => store.close()
  }
}

/** The bare database: the same values, as many entries, the same batches, and nothing else. */
export async function bareLevel(directory: string): Promise<Subject> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view'
  })
  await level.open()
  const [rows, index, counters] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]
  const head = new Uint8Array(58)
  return {
    async insert(values) {
      const operations = values.flatMap(({ key, value, short }) => {
        const number = createHash('sha1').update(value).digest()
        return [
          { type: 'put' as const, key: concat(rows, key, number), value: concat(head, value) },
          {
            type: 'put' as const,
            key: concat(index, expiry(short), key, number),
            value: new Uint8Array()
          }
        ]
      })
      const count = { type: 'put' as const, key: counters, value: new Uint8Array(57) }
      await level.batch([...operations, count], { sync: true })
    },
    async read(key) {
      const gte = concat(rows, key)
      const lt = concat(gte, new Uint8Array(21).fill(0xff))
      return (await level.iterator({ gte, lt }).all()).length
    },
    async sweep() {
      const range = { gte: concat(index, expiry(true)), lt: concat(index, expiry(false)) }
      for (let swept = 0; ;) {
        const entries = await level.keys({ ...range, limit: 500 }).all()
        if (entries.length === 0) return swept
        await level.batch(
          entries.flatMap((entry) => [
            { type: 'del' as const, key: entry },
            { type: 'del' as const, key: concat(rows, entry.subarray(5)) }
          ])
        )
        swept += entries.length
        await new Promise(setImmediate)
      }
    },
    close: async () => level.close()
  }
}

function expiry(short: boolean): Uint8Array {
  return Uint8Array.of(0, 0, 0, short ? 0 : 1)
}
