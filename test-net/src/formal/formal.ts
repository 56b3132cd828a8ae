import { join } from 'node:path'

import type { OnProgress } from '@hushlamp/client'
import type { AbortOptions } from '@hushlamp/shared'

import {
  findMismatches,
  findProverif,
  prove,
  readProverifModels,
  readRecordedResults
} from './proverif-check.ts'
import type { QueryResult } from './proverif-check.ts'
import { checkModel } from './spin-check.ts'
import type { SpinOutcome } from './spin-check.ts'
import { spinModels } from './spin-models.ts'
import { findSpinTools } from './spin-tools.ts'

/** The outcome of one model of formal/proverif. */
export interface ProverifOutcome {
  readonly file: string
  readonly expected: readonly QueryResult[]
  /** Undefined where ProVerif is not installed, or broke off. */
  readonly found?: readonly QueryResult[]
  /** What results.json says of this file. */
  readonly recorded: string
}

/** Everything that `npm run formal` found. */
export interface FormalReport {
  readonly spin: readonly (SpinOutcome & { readonly file: string })[]
  readonly proverif: readonly ProverifOutcome[]
  readonly complaints: readonly string[]
  readonly seconds: number
}

/** Settings of {@link checkFormally}. */
export interface FormalOptions extends AbortOptions {
  readonly onProgress?: OnProgress
  /** Takes each line of the result as soon as it is known. */
  readonly onLine?: (line: string) => void
}

/** Checks all models below `folder`, one after the other: memory, not time, is what they need most. */
export async function checkFormally(
  folder: string,
  options: FormalOptions = {}
): Promise<FormalReport> {
  const begunAtMs = performance.now()
  const spin = await checkSpin(join(folder, 'spin'), options)
  const proverif = await checkProverif(join(folder, 'proverif'), options)
  const wrong = spin
    .filter(({ expected, found }) => expected !== found)
    .map(({ file, macros, found, trouble }) => `${file} ${macros}: ${found} ${trouble ?? ''}`)
  const seconds = Math.round((performance.now() - begunAtMs) / 1000)
  const complaints = [...wrong, ...proverif.complaints]
  return { spin, proverif: proverif.outcomes, complaints, seconds }
}

async function checkSpin(folder: string, options: FormalOptions): Promise<FormalReport['spin']> {
  const tools = await findSpinTools({ ...options, fetch: true })
  if (!tools) return []
  const outcomes: (SpinOutcome & { file: string })[] = []
  for (const model of spinModels) {
    options.onLine?.(`${model.file}: ${model.property}`)
    const runs = [
      ...model.holds.map((macros) => ({ macros, expected: 'holds' as const })),
      ...model.fails.map((macros) => ({ macros, expected: 'fails' as const }))
    ]
    for (const run of runs) {
      const outcome = await checkModel(tools, folder, model, run, options)
      outcomes.push({ file: model.file, ...outcome })
      options.onLine?.(describe(outcome))
    }
  }
  return outcomes
}

function describe({ macros, expected, found, states, depth, seconds }: SpinOutcome): string {
  const figures = `${states} states, ${seconds.toFixed(1)} s`
  if (found !== expected)
    return `  ${macros}: ${found.toUpperCase()}, must be: ${expected}; ${figures}`
  return found === 'holds'
    ? `  ${macros}: verified; ${figures}, longest path ${depth}`
    : `  ${macros}: found broken, as it must be; counterexample of ${depth} steps`
}

async function checkProverif(
  folder: string,
  options: FormalOptions
): Promise<{ outcomes: readonly ProverifOutcome[]; complaints: readonly string[] }> {
  const models = await readProverifModels(folder)
  const recorded = await readRecordedResults(folder)
  const complaints = [...findMismatches(models, recorded)]
  const prover = await findProverif()
  const outcomes: ProverifOutcome[] = []
  for (const model of models) {
    const row = recorded.find(({ sha256 }) => sha256 === model.sha256)
    const status = row?.prover ? `proved with ${row.prover}` : 'unproved'
    const { file, expected } = model
    if (prover === undefined) {
      outcomes.push({ file, expected, recorded: status })
      options.onLine?.(`${file}: skipped: proverif is not installed (${status})`)
      continue
    }
    const found = await prove(folder, model, options).catch(() => [])
    outcomes.push({ file, expected, found, recorded: status })
    const fits = found.join() === expected.join()
    if (!fits)
      complaints.push(`${file}: found ${found.join() || 'nothing'}, expected ${expected.join()}`)
    options.onLine?.(`${file}: ${fits ? 'as expected' : 'NOT as expected'}: ${found.join(', ')}`)
  }
  return { outcomes, complaints }
}
