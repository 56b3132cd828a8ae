import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { Benchmark } from '../benchmark.ts'
import { machine } from '../machine.ts'
import { table, verdict } from '../markdown-table.ts'
import type { StoreFindings } from './findings.ts'

const storeProcess = fileURLToPath(new URL('store-process.ts', import.meta.url))
const processMs = 1_800_000
const mebibyte = 1024 * 1024

/** The store of a node beside the bare database. */
export const store: Benchmark = {
  name: 'store',
  about: 'the store of a node beside bare LevelDB: rates, look-ups, sweeping, memory, disk',
  async run({ quick, progress }) {
    const values = quick ? 50_000 : 1_000_000
    const reads = quick ? 5000 : 50_000
    const measure = async (name: string): Promise<StoreFindings> => {
      progress(`${name}, ${number(values)} values`)
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--conditions=source', '--expose-gc', storeProcess, name, String(values), String(reads)],
        { timeout: processMs }
      )
      return JSON.parse(stdout)
    }
    const floor = await measure('level')
    const own = await measure('store')
    const bars = barsOf(own)
    const findings = { machine: machine(), values, store: own, level: floor, bars }
    return {
      findings,
      markdown: markdown(findings),
      passed: quick || bars.every(({ passed }) => passed)
    }
  }
}

interface Bar {
  readonly what: string
  readonly found: string
  readonly bar: string
  readonly passed: boolean
}

interface Findings {
  readonly machine: Readonly<Record<string, string | number>>
  readonly values: number
  readonly store: StoreFindings
  readonly level: StoreFindings
  readonly bars: readonly Bar[]
}

function barsOf(own: StoreFindings): readonly Bar[] {
  return [
    {
      what: 'p99 of a look-up by key',
      found: `${own.readP99Ms.toFixed(3)} ms`,
      bar: '< 1 ms',
      passed: own.readP99Ms < 1
    },
    {
      what: 'rows swept per second, with a reader beside',
      found: number(own.sweepPerSecond),
      bar: '≥ 20,000',
      passed: own.sweepPerSecond >= 20_000
    },
    {
      what: 'longest read during the sweep',
      found: `${own.sweepStallMs.toFixed(1)} ms`,
      bar: '≤ 20 ms',
      passed: own.sweepStallMs <= 20
    },
    {
      what: 'memory for 10,000 keys',
      found: `${mebibytes(own.fewRssBytes)} MiB`,
      bar: '≤ 60 MiB',
      passed: own.fewRssBytes <= 60 * mebibyte
    }
  ]
}

function markdown({ machine: facts, values, store: own, level, bars }: Findings): string {
  const line = (
    what: string,
    of: (found: StoreFindings) => number,
    format: (value: number) => string
  ): string[] => [what, format(of(own)), format(of(level)), (of(own) / of(level)).toFixed(2)]
  return [
    '# Speed of the store',
    '',
    `\`npm run bench -- store\`: ${number(values)} values of 128 bytes, two under each key, put in waves of 512 that are on disk when they are`,
    'acknowledged; then random keys read one after the other; then one value in ten swept while a reader goes on. Beside it, in a',
    'process of its own in the same run, bare classic-level with the same values in the same synchronous batches, a row and an index',
    'entry for each: it decides nothing and checks nothing. Memory is resident memory beyond that of the same process with an empty',
    'database, after ten thousand values have gone through another; it includes the files that LevelDB maps.',
    '',
    ...table(['machine', ''], Object.entries(facts)),
    '',
    ...table(
      ['', 'store', 'bare LevelDB', 'ratio'],
      [
        line('values put per second', (found) => found.insertPerSecond, number),
        line('look-up by key, p50 ms', (found) => found.readP50Ms, ms),
        line('look-up by key, p99 ms', (found) => found.readP99Ms, ms),
        line('rows swept per second', (found) => found.sweepPerSecond, number),
        line('reads answered during the sweep', (found) => found.sweepReads, number),
        line('read during the sweep, p99 ms', (found) => found.sweepReadP99Ms, ms),
        line('longest read during the sweep, ms', (found) => found.sweepStallMs, ms),
        line('memory for 10,000 keys, MiB', (found) => found.fewRssBytes, mebibytes),
        line('memory for all values, MiB', (found) => found.fullRssBytes, mebibytes),
        line('disk, MiB', (found) => found.diskBytes, mebibytes)
      ]
    ),
    '',
    ...table(
      ['this', 'found', 'bar', ''],
      bars.map(({ what, found, bar, passed }) => [what, found, bar, verdict(passed)])
    ),
    ''
  ].join('\n')
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function ms(value: number): string {
  return value.toFixed(3)
}

function mebibytes(value: number): string {
  return (value / mebibyte).toFixed(1)
}
