import { mkdir, writeFile } from 'node:fs/promises'

import type { Benchmark } from './benchmark.ts'
import { crypto } from './crypto.ts'
import { registry } from './registry/registry.ts'
import { store } from './store/store.ts'

const benchmarks: readonly Benchmark[] = [crypto, registry, store]

const usage = `Usage:
  npm run bench -- NAME            measures; writes docs/benchmarks/NAME.{json,md}
  npm run bench -- NAME --quick    the same in a shorter time, and only prints

What is measured:
${benchmarks.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`).join('\n')}

Ends with 1 where a bar is not reached.
`
const results = new URL('../../docs/benchmarks/', import.meta.url)

const progress = (text: string): void => {
  process.stderr.write(`… ${text}\n`)
}

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith('--'))
  const [what, ...more] = args.filter((arg) => !arg.startsWith('--'))
  const benchmark = benchmarks.find(({ name }) => name === what)
  if (benchmark === undefined || more.length > 0 || flags.some((flag) => flag !== '--quick')) {
    process.stderr.write(usage)
    return 2
  }
  const quick = flags.length > 0
  const { findings, markdown, passed } = await benchmark.run({ quick, progress })
  process.stdout.write(markdown)
  if (!quick) {
    await mkdir(results, { recursive: true })
    const json = `${JSON.stringify(findings, undefined, 2)}\n`
    await writeFile(new URL(`${benchmark.name}.json`, results), json)
    await writeFile(new URL(`${benchmark.name}.md`, results), markdown)
  }
  return passed ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
