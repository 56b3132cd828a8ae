import { mkdir, writeFile } from 'node:fs/promises'

import { markdown, passes, reportOf } from './crypto-report.ts'
import { openPgp, operations, primitives } from './crypto-subjects.ts'
import { measure } from './interleaved.ts'

const usage = `Usage:
  npm run bench -- crypto            measures the cryptography; writes docs/benchmarks/crypto.{json,md}
  npm run bench -- crypto --quick    the same in seconds, and only prints
`
const results = new URL('../../docs/benchmarks/', import.meta.url)

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith('--'))
  const [what, ...more] = args.filter((arg) => !arg.startsWith('--'))
  if (what !== 'crypto' || more.length > 0 || flags.some((flag) => flag !== '--quick')) {
    process.stderr.write(usage)
    return 2
  }
  const quick = flags.length > 0
  const subjects = [...primitives(), ...operations(), ...(await openPgp())]
  const init = quick ? { rounds: 15, batchMs: 5 } : { rounds: 75, batchMs: 20 }
  const report = reportOf(await measure(subjects, init))
  const text = markdown(report)
  process.stdout.write(text)
  if (!quick) {
    await mkdir(results, { recursive: true })
    await writeFile(new URL('crypto.json', results), `${JSON.stringify(report, undefined, 2)}\n`)
    await writeFile(new URL('crypto.md', results), text)
  }
  return passes(report) ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
