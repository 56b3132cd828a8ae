import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Acceptance, Outcome } from './acceptance.ts'
import { firstLight } from './first-light.ts'
import { describeCommit, describeMachine } from './machine.ts'
import { protocol } from './protocol.ts'
import { registry } from './registry.ts'
import { renderReport, statusOf } from './report.ts'
import type { CheckedLine } from './report.ts'
import { Workbench } from './workbench.ts'

const repository = join(import.meta.dirname, '../../..')
const acceptances: readonly Acceptance[] = [firstLight, protocol, registry]

const usage = `Usage: npm run verify -- TOPIC [--only 1,4]

Runs an acceptance in full and writes its result to docs/verification/TOPIC.md.

Topics:
${acceptances.map(({ topic, lines }) => `  ${topic} (${lines.length} lines)`).join('\n')}
`

async function check(bench: Workbench, line: Acceptance['lines'][number]): Promise<Outcome[]> {
  try {
    const outcomes = await line.check(bench)
    return outcomes.map((part) => ({
      ...part,
      figures: part.figures.map((figure) => bench.withoutPaths(figure))
    }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ status: 'failed', command: 'preparation', figures: [bench.withoutPaths(reason)] }]
  }
}

async function verify(acceptance: Acceptance, selected: ReadonlySet<number>): Promise<boolean> {
  await using bench = await Workbench.open(repository)
  const date = new Date().toISOString().slice(0, 10)
  const lines: CheckedLine[] = []
  for (const [index, line] of acceptance.lines.entries()) {
    const number = index + 1
    const outcomes = selected.has(number) ? await check(bench, line) : undefined
    const checked = { number, promise: line.promise, outcomes }
    console.log(`${number}. ${line.promise}: ${statusOf(checked)}`)
    for (const { status, command, figures } of outcomes ?? []) {
      console.log([`   ${status}: ${command}`, ...figures].join('\n     '))
    }
    lines.push(checked)
  }
  const [commit, machine] = await Promise.all([describeCommit(repository), describeMachine()])
  const page = join(repository, `docs/verification/${acceptance.topic}.md`)
  await mkdir(dirname(page), { recursive: true })
  await writeFile(page, renderReport({ acceptance, date, commit, machine, lines }))
  return lines.every((line) => statusOf(line) !== 'failed')
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } }
  })
  const acceptance = acceptances.find(({ topic }) => topic === positionals[0])
  if (acceptance === undefined || values.help === true) {
    console.log(usage)
    return values.help === true ? 0 : 2
  }
  const numbers = acceptance.lines.map((_, index) => index + 1)
  const selected = new Set(values.only?.split(',').map(Number) ?? numbers)
  return (await verify(acceptance, selected)) ? 0 : 1
}

process.exitCode = await main()
