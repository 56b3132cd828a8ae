import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { consoleProgress } from '../console-progress.ts'
import { stopSignals } from '../stop-signals.ts'
import { checkFormally } from './formal.ts'
import type { FormalReport } from './formal.ts'
import { quickSeconds } from './proverif-check.ts'

const usage = `Usage: npm run formal -- [--all] [--record] [--no-spin] [--json]

Checks the models in formal/: those of Spin always; those of ProVerif, where it is installed, against their recorded results.

  --all      run also the models of ProVerif that took more than ${quickSeconds} s
  --record   write what ProVerif finds to formal/proverif/results.json; changed models that are not run are unproved in it
  --no-spin  leave the models of Spin out
  --json     print the results as JSON
`

function summary({ spin, proverif, complaints, seconds }: FormalReport): string {
  const good = (expected: string): number =>
    spin.filter((run) => run.expected === expected && run.found === expected).length
  const of = (expected: string): number => spin.filter((run) => run.expected === expected).length
  const skipped = proverif.filter(({ found }) => found === undefined).length
  const unproved = proverif.filter(({ recorded }) => recorded.prover === null)
  const names = unproved.length > 0 ? `: ${unproved.map(({ file }) => file).join(', ')}` : ''
  return (
    `Spin: ${good('holds')} of ${of('holds')} verified, ${good('fails')} of ${of('fails')} broken variants found broken. ` +
    `ProVerif: ${proverif.length - skipped} models run, ${skipped} skipped, ${unproved.length} unproved${names}. ` +
    `${complaints.length} mismatches, ${seconds} s.`
  )
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean' },
      record: { type: 'boolean' },
      spin: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' }
    },
    allowNegative: true
  })
  if (values.help === true) {
    process.stdout.write(usage)
    return 0
  }
  const print = (line: string): void => {
    ;(values.json === true ? process.stderr : process.stdout).write(`${line}\n`)
  }
  const report = await checkFormally(join(import.meta.dirname, '../../../formal'), {
    onProgress: consoleProgress(),
    onLine: print,
    signal: stopSignals(),
    run: values.all === true ? 'all' : 'quick',
    record: values.record === true,
    spin: values.spin !== false
  })
  for (const complaint of report.complaints) print(`mismatch: ${complaint}`)
  if (values.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  print(summary(report))
  return report.complaints.length === 0 ? 0 : 1
}

process.exitCode = await main()
