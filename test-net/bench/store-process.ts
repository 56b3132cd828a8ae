import { createHash, randomBytes, randomInt } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { CapacityOnly, RecordStore, silentLogger } from '@hushlamp/registry-node'
import { concat, rowFromPut } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import type { StoreFindings, StoreTask } from './store-findings.ts'

/** What is measured: the store, or the bare database with the same batches. */
interface Subject {
  /** Stores a wave of values, on disk when it resolves. */
  insert(values: readonly Value[]): Promise<void>
  /** Reads a key, and answers how many values it has. */
  read(key: Uint8Array): Promise<number>
  /** Deletes what has a short time to live. Answers how many rows that were. */
  sweep(): Promise<number>
  close(): Promise<void>
}

interface Value {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly short: boolean
}

const wave = 512
const valuesPerKey = 2
const shortTtlSeconds = 600
const longTtlSeconds = 6 * 3600
const fewKeys = 10_000

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

  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  }
}

async function recordStore(directory: string): Promise<Subject> {
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

/** As much of classic-level as the floor needs. */
interface BareLevel {
  batch(
    operations: readonly { type: 'put' | 'del'; key: Uint8Array; value?: Uint8Array }[],
    options?: { sync: boolean }
  ): Promise<void>
  iterator(range: { gte: Uint8Array; lt: Uint8Array; limit?: number }): {
    all(): Promise<[Uint8Array, Uint8Array][]>
  }
  close(): Promise<void>
}
interface Library {
  readonly ClassicLevel: new (directory: string, options: object) => BareLevel
}

/** The copy of the database library that the store itself uses, and nothing around it. */
function bareLevel(directory: string): Subject {
  const load: (name: string) => Library = createRequire(
    import.meta.resolve('@hushlamp/registry-node')
  )
  const { ClassicLevel } = load('classic-level')
  const level = new ClassicLevel(directory, { keyEncoding: 'view', valueEncoding: 'view' })
  const [rows, index, counters] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]
  const end = new Uint8Array(41).fill(0xff)
  return {
    async insert(values) {
      const operations = values.flatMap(({ key, value, short }) => {
        const id = concat(key, createHash('sha1').update(value).digest(), new Uint8Array(20))
        const expiry = Uint8Array.of(0, 0, 0, short ? 0 : 1)
        return [
          { type: 'put' as const, key: concat(rows, id), value: concat(new Uint8Array(10), value) },
          { type: 'put' as const, key: concat(index, expiry, id), value: new Uint8Array(3) }
        ]
      })
      const count = { type: 'put' as const, key: counters, value: new Uint8Array(57) }
      await level.batch([...operations, count], { sync: true })
    },
    async read(key) {
      const gte = concat(rows, key)
      return (await level.iterator({ gte, lt: concat(gte, end) }).all()).length
    },
    async sweep() {
      const range = {
        gte: concat(index, new Uint8Array(4)),
        lt: concat(index, Uint8Array.of(0, 0, 0, 1))
      }
      for (let swept = 0; ;) {
        const entries = await level.iterator({ ...range, limit: 500 }).all()
        if (entries.length === 0) return swept
        await level.batch(
          entries.flatMap(([entry]) => [
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

function keyOf(index: number): Uint8Array {
  return new Uint8Array(createHash('sha1').update(String(index)).digest())
}

async function insert(subject: Subject, from: number, to: number): Promise<number> {
  let ms = 0
  for (let first = from; first < to; first += wave) {
    const values = Array.from({ length: Math.min(wave, to - first) }, (_, i) => ({
      key: keyOf(Math.floor((first + i) / valuesPerKey)),
      value: new Uint8Array(randomBytes(128)),
      short: (first + i) % 10 === 0
    }))
    const begunAtMs = performance.now()
    await subject.insert(values)
    ms += performance.now() - begunAtMs
  }
  return ms
}

async function readMs(subject: Subject, values: number): Promise<number> {
  const key = keyOf(randomInt(Math.ceil(values / valuesPerKey)))
  const begunAtMs = performance.now()
  await subject.read(key)
  return performance.now() - begunAtMs
}

function quantile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN
}

async function restingRss(): Promise<number> {
  globalThis.gc?.()
  await delay(200)
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory)
  const sizes = await Promise.all(
    files.map(async (file) =>
      stat(join(directory, file)).then(
        ({ size }) => size,
        () => 0
      )
    )
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function measure({
  subject: name,
  values,
  reads,
  directory
}: StoreTask): Promise<StoreFindings> {
  const subject = await (name === 'store' ? recordStore(directory) : bareLevel(directory))
  // The first values compile the code and fill the buffers that are there for any number of values.
  const emptyRss = await restingRss()
  const few = Math.min(values, fewKeys * valuesPerKey)
  let insertMs = await insert(subject, 0, few)
  const fewRss = await restingRss()
  insertMs += await insert(subject, few, values)
  const fullRss = await restingRss()
  const disk = await bytesIn(directory)

  for (let i = 0; i < reads / 10; i++) await readMs(subject, values)
  const latencies: number[] = []
  for (let i = 0; i < reads; i++) latencies.push(await readMs(subject, values))

  const sweeping = new AbortController()
  const stalls: number[] = []
  const reader = (async () => {
    while (!sweeping.signal.aborted) stalls.push(await readMs(subject, values))
  })()
  const begunAtMs = performance.now()
  const swept = await subject.sweep()
  const sweepMs = performance.now() - begunAtMs
  sweeping.abort()
  await reader
  await subject.close()
  return {
    insertPerSecond: values / (insertMs / 1000),
    readP50Ms: quantile(latencies, 0.5),
    readP99Ms: quantile(latencies, 0.99),
    sweptRows: swept,
    sweepPerSecond: swept / (sweepMs / 1000),
    readsDuringSweep: stalls.length,
    sweepReadP99Ms: quantile(stalls, 0.99),
    sweepStallMs: Math.max(...stalls),
    fewRssBytes: fewRss - emptyRss,
    fullRssBytes: fullRss - emptyRss,
    diskBytes: disk
  }
}

process.once('message', (task: StoreTask) => {
  void measure(task).then((findings) => {
    process.send?.(findings)
    process.disconnect()
  })
})
