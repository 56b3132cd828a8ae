import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resolvePrograms } from '../programs.ts'
import { outcome } from './acceptance.ts'
import type { Acceptance, Outcome } from './acceptance.ts'
import { checkTestFile, testFigure, timed } from './checks.ts'
import { withoutColours } from './command.ts'
import type { CommandResult } from './command.ts'
import {
  readCoverage,
  readFormal,
  readRatios,
  readSpecification,
  readTestCounts
} from './readings.ts'
import { mutationRound, readVectorFolder, wrongPlaces } from './vector-mutations.ts'
import type { Workbench } from './workbench.ts'

const minute = 60_000

/** Not more of the lines and branches of the core may be left out by its tests. */
const leastCoverage = 95

/** How much longer something may take than what it is made of. */
const bars = [
  { subject: 'seal a record', base: 'Ed25519 sign', most: 3 },
  { subject: 'open a record', base: 'Ed25519 verify', most: 2.5 },
  { subject: 'reject junk', base: 'open a record', most: 1 / 6 }
] as const

async function checkSpecification(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const text = await readFile(join(clone.directory, 'docs/protocol.md'), 'utf8')
  const { sections, references, fields, fieldsWithout } = readSpecification(text)
  const complete = references > 0 && fields > 0 && fieldsWithout.length === 0
  const resolved = await checkTestFile(bench, 'test-net', 'test/second-implementation.test.ts')
  return [
    outcome(
      complete,
      'cat docs/protocol.md',
      `${sections} sections, ${references} references to vectors`,
      `${fields - fieldsWithout.length} of ${fields} fields in tables have a vector`,
      ...fieldsWithout.map((field) => `without: ${field}`)
    ),
    resolved
  ]
}

async function checkCore(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const command = 'npm test --workspace packages/shared'
  const result = await bench.run(clone, command, 10 * minute)
  const output = withoutColours(result.output)
  const coverage = readCoverage(output)
  const covered =
    coverage !== undefined && Math.min(coverage.lines, coverage.branches) >= leastCoverage
  return [
    timed(
      result.status === 0 && covered,
      command,
      result,
      testFigure(readTestCounts(output)),
      coverage
        ? `covered: ${coverage.lines} % of the lines, ${coverage.branches} % of the branches`
        : 'no coverage was told'
    ),
    await checkTestFile(bench, 'test-net', 'test/walls.test.ts')
  ]
}

async function checkSecondImplementation(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const programs = await resolvePrograms(['python3-cryptography'], {
    environment: clone.environment
  })
  const python = programs.paths.get('python3-cryptography') ?? 'python3'
  const environment = Object.fromEntries(
    Object.entries(programs.environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]]
    )
  )
  const check = 'vectors/check/check.py'
  const run = async (folder: string): Promise<CommandResult> =>
    await bench.run({ ...clone, environment }, `'${python}' ${check} ${folder}`, minute)
  const result = await run('vectors')
  const summary = /^\d+ files, \d+ cases, 0 wrong$/m.exec(result.output)?.[0]
  const { tried, unnoticed } = await tryMutations(join(clone.directory, 'vectors'), run)
  const held = result.status === 0 && summary !== undefined && tried > 0 && unnoticed.length === 0
  const figures = [
    summary ?? 'not all cases were computed',
    `${tried - unnoticed.length} of ${tried} mutations noticed`,
    ...unnoticed.slice(0, 5).map((place) => `not noticed: ${place}`)
  ]
  return [timed(held, `python3 ${check}`, result, ...figures)]
}

/** Changes every name and value of the vectors once; `run` checks a folder. */
async function tryMutations(
  vectors: string,
  run: (folder: string) => Promise<CommandResult>
): Promise<{ readonly tried: number; readonly unnoticed: readonly string[] }> {
  const folder = await readVectorFolder(vectors)
  const mutants = join(vectors, 'mutants')
  const unnoticed: string[] = []
  let tried = 0
  for (let round = 0; ; round++) {
    const { texts, places } = mutationRound(folder, round)
    if (places.length === 0) return { tried, unnoticed }
    await mkdir(mutants)
    for (const [name, text] of texts) await writeFile(join(mutants, name), text)
    const wrong = new Set(wrongPlaces((await run(mutants)).output))
    await rm(mutants, { recursive: true })
    unnoticed.push(...places.filter((place) => !wrong.has(place)))
    tried += places.length
  }
}

async function checkModels(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const command = 'npm run formal'
  const result = await bench.run(clone, command, 10 * minute)
  const found = readFormal(withoutColours(result.output))
  if (!found) return [timed(false, command, result)]
  const { verified, broken, mismatches, skipped, unproved } = found
  const all = [verified, broken].every(([good, expected]) => good === expected && good > 0)
  const held = result.status === 0 && all && mismatches === 0
  const proofs = `ProVerif: ${skipped} models skipped, ${unproved} of them never run by anybody`
  return [timed(held, command, result, found.summary, proofs)]
}

async function checkGpg(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const version = await bench.run(clone, 'gpg --version', minute)
  const [gpg = ''] = version.output.split('\n')
  return [await checkTestFile(bench, 'packages/shared', 'test/gpg.test.ts', { figures: [gpg] })]
}

async function checkSpeed(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const command = 'npm run bench -- crypto'
  const results = join(clone.directory, 'docs/benchmarks/crypto.json')
  // What is read must come from this run, not from the one that is committed.
  const result = await bench.run(clone, `rm -f docs/benchmarks/crypto.* && ${command}`, 5 * minute)
  const ratios = readRatios(await readFile(results, 'utf8').catch(() => '{}'))
  const measured = bars.map((bar) => {
    const { subject, base, most } = bar
    const found = ratios.find((each) => each.subject === subject && each.base === base)
    const times = found ? `${found.ratio.toFixed(3)} ×` : 'not measured:'
    return {
      figure: `${subject}: ${times} ${base} (at most ${most.toFixed(3)})`,
      held: found !== undefined && found.ratio <= most
    }
  })
  const held = result.status === 0 && measured.every((bar) => bar.held)
  return [timed(held, command, result, ...measured.map(({ figure }) => figure))]
}

/** The second stage: the protocol is written down, and what is written is checked from more than one side. */
export const protocol: Acceptance = {
  topic: 'protocol',
  title: 'Protocol',
  lines: [
    {
      promise:
        'The specification is complete: every reference to a vector resolves, and every field of every format has one',
      check: checkSpecification
    },
    {
      promise:
        'The tests of the core pass and run at least 95 % of its lines and branches, and its walls hold',
      check: checkCore
    },
    {
      promise:
        'A second implementation computes every value of the vectors and notices every mutation',
      check: checkSecondImplementation
    },
    {
      promise:
        'The formal models hold, each broken variant is found broken, and what was not proved is told',
      check: checkModels
    },
    { promise: 'gpg reads our certificates and we read those of gpg', check: checkGpg },
    {
      promise:
        'Sealing takes at most 3 × a signature, opening 2.5 × a verification, junk 1/6 of opening',
      check: checkSpeed
    }
  ]
}
