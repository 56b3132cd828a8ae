import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { outcome } from './acceptance.ts'
import type { Acceptance, Outcome } from './acceptance.ts'
import { lastLines } from './command.ts'
import type { CommandResult } from './command.ts'
import { checkFirstStart } from './first-start.ts'
import type { Workbench } from './workbench.ts'

const minute = 60_000
const seconds = (result: CommandResult): string => `${result.seconds.toFixed(1)} s`

function plainOutcome(command: string, result: CommandResult, held = result.status === 0): Outcome {
  return outcome(held, command, seconds(result), ...(held ? [] : lastLines(result.output)))
}

async function checkSmoke(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const outcomes: Outcome[] = []
  for (let run = 1; run <= 10; run += 1) {
    const result = await bench.run(clone, 'npm run smoke', 10 * minute)
    outcomes.push(plainOutcome(`npm run smoke (${run} of 10)`, result))
  }
  return outcomes
}

async function checkSilence(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const result = await bench.run(clone, 'npm run smoke', 10 * minute)
  const told = result.output.split('\n').filter((line) => /empty network namespace/i.test(line))
  const held = result.status === 0 && told.length > 0
  return [outcome(held, 'npm run smoke', ...(held ? told : lastLines(result.output)))]
}

async function checkTests(bench: Workbench): Promise<readonly Outcome[]> {
  const clone = await bench.clone()
  const first = await bench.run(clone, 'npm ci && npm test', 20 * minute)
  const second = await bench.run(clone, 'npm test', 20 * minute)
  return [
    plainOutcome('npm ci && npm test', first, first.status === 0 && first.seconds < 6 * 60),
    plainOutcome('npm test, again', second, second.status === 0 && second.seconds < 5)
  ]
}

async function checkGate(bench: Workbench): Promise<readonly Outcome[]> {
  const clone = await bench.clone()
  const result = await bench.run(clone, '.ci/run', 30 * minute)
  const [counts = ''] = lastLines(result.output, 1)
  const held = result.status === 0 && /^[1-9]\d* passed, 0 failed$/.test(counts)
  const seen = held ? [counts] : lastLines(result.output, 20)
  return [outcome(held, '.ci/run', seconds(result), ...seen)]
}

async function checkByHand(bench: Workbench): Promise<Outcome> {
  const { clone } = await bench.installed()
  const script =
    'PATH="$PWD/node_modules/.bin:$PATH" node --conditions=source test-net/src/verify/by-hand.ts'
  const result = await bench.run(clone, script, 5 * minute)
  const told = lastLines(result.output, result.status === 0 ? 3 : 20)
  return outcome(
    result.status === 0,
    'node test-net/src/verify/by-hand.ts',
    seconds(result),
    ...told
  )
}

async function checkCommands(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const outcomes: Outcome[] = []
  for (const program of ['hushlamp', 'hushlamp-node']) {
    // Never the program of a stranger who took the name in a registry.
    const command = `npx --no ${program} --help`
    const result = await bench.run(clone, command, minute)
    const useful = /usage/i.test(result.output) && result.output.split('\n').length >= 5
    const held = result.status === 0 && useful
    outcomes.push(outcome(held, command, seconds(result), ...lastLines(result.output, 20)))
  }
  return [...outcomes, await checkByHand(bench)]
}

/** What a reader looks for in the README. */
const readmeParts: Readonly<Record<string, RegExp>> = {
  'how to start': /npm ci && npm start/,
  'how to test': /npm ci && npm test/,
  'a section on starting': /^#+ .*(?:start|try|first steps)/im,
  'a section on how it works': /^#+ .*(?:works|design|idea)/im,
  'a section on what it protects and what not yet':
    /^#+ .*(?:protect|limit|status|promise|secur)/im,
  'a section on the parts of the repository': /^#+ .*(?:layout|packages|house|repository)/im,
  'a section on tests and figures': /^#+ .*(?:test|measure|verif)/im,
  'the licence': /MIT/
}

async function checkReadme(bench: Workbench): Promise<readonly Outcome[]> {
  const text = await readFile(join(bench.repository, 'README.md'), 'utf8').catch(() => '')
  const missing = Object.entries(readmeParts).filter(([, pattern]) => !pattern.test(text))
  const figures = missing.map(([part]) => `missing: ${part}`)
  return [outcome(missing.length === 0, 'cat README.md', ...figures)]
}

/** The first stage: a stranger clones, starts, tests and sees a message arrive. */
export const firstLight: Acceptance = {
  topic: 'first-light',
  title: 'First light',
  lines: [
    {
      promise:
        'A fresh clone is ready less than 60 s after its installation, and Ctrl-C leaves nothing behind',
      check: checkFirstStart
    },
    { promise: 'The smoke test passes ten times in a row', check: checkSmoke },
    {
      promise: 'The smoke test tells that daemons and clients ran in an empty network namespace',
      check: checkSilence
    },
    {
      promise: 'Installation and tests take less than 6 min, a second test less than 5 s',
      check: checkTests
    },
    { promise: 'The gate passes', check: checkGate },
    { promise: 'Both programs explain themselves and start by hand', check: checkCommands },
    { promise: 'The README tells what a newcomer needs', check: checkReadme }
  ]
}
