import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { outcome } from './acceptance.ts'
import type { Outcome } from './acceptance.ts'
import { lastLines, withoutColours } from './command.ts'
import type { CommandResult } from './command.ts'
import { readBars, readTestCounts } from './readings.ts'
import type { TestCounts } from './readings.ts'
import type { Workbench } from './workbench.ts'

const minute = 60_000
const seconds = (result: CommandResult): string => `${result.seconds.toFixed(1)} s`

/** The outcome with its time, and with the end of the output where it did not hold. */
export function timed(
  held: boolean,
  command: string,
  result: CommandResult,
  ...figures: readonly string[]
): Outcome {
  const seen = held ? [] : lastLines(result.output, 20)
  return outcome(held, command, seconds(result), ...figures, ...seen)
}

/** How many tests there were, as a figure. */
export function testFigure(counts: TestCounts | undefined): string {
  if (!counts) return 'no tests were counted'
  return `tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
}

/** Runs one file of tests. A skipped test says nothing, so no more may be skipped than the `skips` that are known. */
export async function checkTestFile(
  bench: Workbench,
  folder: string,
  file: string,
  {
    figures = [],
    skips = 0
  }: { readonly figures?: readonly string[]; readonly skips?: number } = {}
): Promise<Outcome> {
  const { clone } = await bench.installed()
  const command = `cd ${folder} && npx --no vitest run ${file}`
  const result = await bench.run(clone, command, 5 * minute)
  const counts = readTestCounts(withoutColours(result.output))
  const held =
    result.status === 0 && counts !== undefined && counts.passed > 0 && counts.skipped === skips
  return timed(held, command, result, ...figures, testFigure(counts))
}

/** Runs a command that tells in its last lines what it found, and by its exit status whether that is enough. */
export async function checkCommand(
  bench: Workbench,
  command: string,
  { minutes, lines }: { readonly minutes: number; readonly lines: number }
): Promise<Outcome> {
  const { clone } = await bench.installed()
  const result = await bench.run(clone, command, minutes * minute)
  const found = lastLines(withoutColours(result.output), lines)
  return outcome(result.status === 0, command, seconds(result), ...found)
}

/** Runs a benchmark in full and reads its bars from what it wrote. */
export async function checkBenchmark(
  bench: Workbench,
  name: string,
  minutes: number
): Promise<Outcome> {
  const { clone } = await bench.installed()
  const command = `npm run bench -- ${name}`
  const results = join(clone.directory, `docs/benchmarks/${name}.json`)
  // What is read must come from this run, not from the one that is committed.
  const fresh = `rm -f docs/benchmarks/${name}.* && ${command}`
  const result = await bench.run(clone, fresh, minutes * minute)
  const bars = readBars(await readFile(results, 'utf8').catch(() => '{}'))
  const held = result.status === 0 && bars.length > 0 && bars.every(({ passed }) => passed)
  return timed(held, command, result, ...bars.map(({ figure }) => figure))
}
