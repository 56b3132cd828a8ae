import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { consoleProgress } from '../console-progress.ts'
import { stopSignals } from '../stop-signals.ts'
import { checkFormally } from './formal.ts'
import type { FormalReport } from './formal.ts'

const usage = `Usage: npm run formal -- [--json]

Checks the models in formal/: those of Spin always, those of ProVerif where it is installed.
`

function summary({ spin, proverif, complaints, seconds }: FormalReport): string {
  const good = (expected: string): number =>
    spin.filter((run) => run.expected === expected && run.found === expected).length
  const of = (expected: string): number => spin.filter((run) => run.expected === expected).length
  const skipped = proverif.filter(({ found }) => found === undefined).length
  return (
    `Spin: ${good('holds')} of ${of('holds')} verified, ${good('fails')} of ${of('fails')} broken variants found broken. ` +
    `ProVerif: ${proverif.length - skipped} models run, ${skipped} skipped. ` +
    `${complaints.length} mismatches, ${seconds} s.`
  )
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }
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
    signal: stopSignals()
  })
  for (const complaint of report.complaints) print(`mismatch: ${complaint}`)
  if (values.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  print(summary(report))
  return report.complaints.length === 0 ? 0 : 1
}

process.exitCode = await main()
