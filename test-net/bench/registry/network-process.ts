import { startBittorrentImmutable, startBittorrentMutable } from './bittorrent-store.ts'
import type { StartStore } from './distributed-store.ts'
import { startHushlamp } from './hushlamp-store.ts'
import { startHyperdhtImmutable, startHyperdhtMutable } from './hyperdht-store.ts'
import { startKadDht } from './kad-dht-store.ts'

/** What one kind of operation took. */
export interface OperationSample {
  readonly operations: number
  /** CPU of the whole process, which is that of all nodes, per operation. */
  readonly cpuMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What a process of this file prints at its end. */
export interface NetworkSample {
  readonly put: OperationSample
  readonly get: OperationSample
}

const systems: Readonly<Record<string, StartStore>> = {
  hushlamp: startHushlamp,
  'kad-dht': startKadDht,
  'hyperdht mutable': startHyperdhtMutable,
  'hyperdht immutable': startHyperdhtImmutable,
  'bittorrent-dht mutable': startBittorrentMutable,
  'bittorrent-dht immutable': startBittorrentImmutable
}

const warmUp = 20

/** Does as many operations as fit into the time, at most `most`, one after the other. */
async function sample(
  operation: (i: number) => Promise<void>,
  from: number,
  { most, budgetMs }: { readonly most: number; readonly budgetMs: number }
): Promise<OperationSample> {
  const times: number[] = []
  const cpuBefore = process.cpuUsage()
  const begunMs = performance.now()
  while (times.length < most && performance.now() - begunMs < budgetMs) {
    const beforeMs = performance.now()
    await operation(from + times.length)
    times.push(performance.now() - beforeMs)
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  times.sort((a, b) => a - b)
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN
  const operations = times.length
  return { operations, cpuMs: (user + system) / 1000 / operations, p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function main([
  name = '',
  nodes = '10',
  most = '200',
  seconds = '30'
]: readonly string[]): Promise<void> {
  const start = systems[name]
  if (start === undefined) throw new RangeError(`there is no system ${name}`)
  const store = await start(Number(nodes))
  for (let i = 0; i < warmUp; i++) await store.put(i)
  for (let i = 0; i < warmUp; i++) await store.get(i)
  const budget = { most: Number(most), budgetMs: Number(seconds) * 1000 }
  const put = await sample(async (i) => store.put(i), warmUp, budget)
  const get = await sample(async (i) => store.get(i), warmUp, { ...budget, most: put.operations })
  process.stdout.write(`${JSON.stringify({ put, get } satisfies NetworkSample)}\n`)
  // Stopping fifty nodes in good order takes longer than measuring them.
  process.exit(0)
}

await main(process.argv.slice(2))
