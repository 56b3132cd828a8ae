import type { OnProgress } from '@hushlamp/client'
import type { AbortOptions } from '@hushlamp/shared'

import { findProverif, prove } from './prover.ts'
import type { ProverRun } from './prover.ts'
import {
  findMismatches,
  readProverifModels,
  readRecordedResults,
  recordOf,
  writeRecordedResults
} from './proverif-models.ts'
import type { ProverifModel, QueryResult, RecordedResult } from './proverif-models.ts'

/** The outcome of one model of formal/proverif. */
export interface ProverifOutcome {
  readonly file: string
  readonly expected: readonly QueryResult[]
  /** Undefined where the model was not run now. */
  readonly found?: readonly QueryResult[]
  /** What results.json says of exactly this model. */
  readonly recorded: RecordedResult
}

/** Settings of {@link checkProverif}. */
export interface ProverifOptions extends AbortOptions {
  /** Which models are run, where there is a prover. Default: `quick`, those that took at most {@link quickSeconds} or never ran. */
  readonly run?: 'quick' | 'all'
  /** Whether results.json is written anew, after each run; models that have changed and could not be run are unproved in it. */
  readonly record?: boolean
  /** Program to start. Default: `proverif`, from PATH. */
  readonly program?: string
  /** After that long a prover is killed. Default: that of {@link prove}. */
  readonly limitMs?: number
  readonly onProgress?: OnProgress
  /** Takes each line of the result as soon as it is known. */
  readonly onLine?: (line: string) => void
}

/** Everything that was found about the models of formal/proverif. */
export interface ProverifReport {
  readonly outcomes: readonly ProverifOutcome[]
  /** What does not fit; empty where all does. */
  readonly complaints: readonly string[]
}

/** A model that took longer is not run again unless asked for, seconds. */
export const quickSeconds = 10

/** Runs the models of a folder where there is a prover, and holds what was found and recorded against what they expect. */
export async function checkProverif(
  folder: string,
  options: ProverifOptions = {}
): Promise<ProverifReport> {
  const models = await readProverifModels(folder)
  const recorded = await readRecordedResults(folder)
  const prover = await findProverif(options.program)
  const outcomes: ProverifOutcome[] = []
  const broken: string[] = []
  let rows = options.record === true ? models.map((model) => recordOf(model, recorded)) : recorded
  if (options.record === true) await writeRecordedResults(folder, rows)
  for (const [index, model] of models.entries()) {
    const { file, expected } = model
    const before = recordOf(model, recorded)
    const reason = reasonToSkip(before, prover, options)
    if (prover === undefined || reason !== undefined) {
      outcomes.push({ file, expected, recorded: before })
      options.onLine?.(`${file}: skipped: ${reason} (${statusOf(before)})`)
      continue
    }
    const fraction = index / models.length
    options.onProgress?.({ phase: 'proverif', fraction, text: `ProVerif runs ${file}` })
    const run = await prove(folder, model, options)
    const line = `${file}: ${describe(model, run)}`
    options.onLine?.(`${line}; ${run.seconds.toFixed(1)} s`)
    if (!fits(model, run)) broken.push(line)
    const { results, seconds } = run
    const record = options.record === true && fits(model, run)
    const row = record ? { ...before, prover, results, seconds } : before
    outcomes.push({ file, expected, found: results, recorded: row })
    if (!record) continue
    rows = rows.with(index, row)
    await writeRecordedResults(folder, rows)
  }
  return { outcomes, complaints: [...findMismatches(models, rows), ...broken] }
}

function reasonToSkip(
  { seconds }: RecordedResult,
  prover: string | undefined,
  { run = 'quick' }: ProverifOptions
): string | undefined {
  if (prover === undefined) return 'proverif is not installed'
  if (run === 'all' || seconds === null || seconds <= quickSeconds) return undefined
  return `it takes ${Math.round(seconds)} s, -- --all runs it`
}

function statusOf({ prover }: RecordedResult): string {
  return prover === null ? 'unproved' : `proved with ${prover}`
}

function fits({ expected }: ProverifModel, { results, trouble }: ProverRun): boolean {
  return trouble === undefined && results.join() === expected.join()
}

function describe(model: ProverifModel, run: ProverRun): string {
  const found = run.results.join(', ') || 'nothing'
  if (fits(model, run)) return `as expected: ${found}`
  const trouble = run.trouble === undefined ? '' : ` (${run.trouble})`
  return `found ${found}${trouble}, expected ${model.expected.join(', ')}`
}
