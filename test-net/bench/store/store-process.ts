import { createHash, randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { StoreFindings } from './findings.ts'
import { bareLevel, recordStore } from './subjects.ts'
import type { Subject } from './subjects.ts'

const wave = 512
const valuesPerKey = 2
const fewKeys = 10_000

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

async function measure(
  subject: Subject,
  {
    values,
    reads,
    directory
  }: { readonly values: number; readonly reads: number; readonly directory: string }
): Promise<StoreFindings> {
  const emptyRss = await restingRss()
  const few = Math.min(values, fewKeys * valuesPerKey)
  let insertMs = await insert(subject, 0, few)
  const fewRss = await restingRss()
  insertMs += await insert(subject, few, values)
  const fullRss = await restingRss()
  const diskBytes = await bytesIn(directory)

  for (let i = 0; i < reads / 10; i++) await readMs(subject, values)
  const latencies: number[] = []
  for (let i = 0; i < reads; i++) latencies.push(await readMs(subject, values))

  const sweeping = new AbortController()
  const sweepReads: number[] = []
  const reader = (async () => {
    while (!sweeping.signal.aborted) sweepReads.push(await readMs(subject, values))
  })()
  const begunAtMs = performance.now()
  const sweptRows = await subject.sweep()
  const sweepMs = performance.now() - begunAtMs
  sweeping.abort()
  await reader
  return {
    insertPerSecond: values / (insertMs / 1000),
    readP50Ms: quantile(latencies, 0.5),
    readP99Ms: quantile(latencies, 0.99),
    sweptRows,
    sweepPerSecond: sweptRows / (sweepMs / 1000),
    sweepReads: sweepReads.length,
    sweepReadP99Ms: quantile(sweepReads, 0.99),
    sweepStallMs: Math.max(...sweepReads),
    fewRssBytes: fewRss - emptyRss,
    fullRssBytes: fullRss - emptyRss,
    diskBytes
  }
}

/** Usage: `store|level VALUES READS`. Prints what it found as JSON. */
async function main([name, values, reads]: readonly string[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-bench-'))
  try {
    // What any work takes, be it compiled code or room for young objects, is not the price of what is stored.
    const warmUp = await (name === 'store' ? recordStore : bareLevel)(join(directory, 'warm-up'))
    await insert(warmUp, 0, fewKeys)
    await warmUp.close()
    const subject = await (name === 'store' ? recordStore : bareLevel)(join(directory, 'measured'))
    const init = { values: Number(values), reads: Number(reads) }
    const findings = await measure(subject, { ...init, directory: join(directory, 'measured') })
    await subject.close()
    process.stdout.write(`${JSON.stringify(findings)}\n`)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

await main(process.argv.slice(2))
