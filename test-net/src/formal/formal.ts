import { join } from 'node:path'

import type { OnProgress } from '@hushlamp/client'

import { checkProverif } from './proverif-check.ts'
import type { ProverifOptions, ProverifReport } from './proverif-check.ts'
import { checkModel } from './spin-check.ts'
import type { SpinOutcome } from './spin-check.ts'
import { spinModels } from './spin-models.ts'
import { findSpinTools } from './spin-tools.ts'

/** Everything that `npm run formal` found. */
export interface FormalReport {
  readonly spin: readonly (SpinOutcome & { readonly file: string })[]
  readonly proverif: ProverifReport['outcomes']
  readonly complaints: readonly string[]
  readonly seconds: number
}

/** Settings of {@link checkFormally}. */
export interface FormalOptions extends ProverifOptions {
  readonly onProgress?: OnProgress
  /** Whether the models of Spin are checked too. Default: yes. */
  readonly spin?: boolean
}

/** Checks all models below `folder`, one after the other: memory, not time, is what they need most. */
export async function checkFormally(
  folder: string,
  options: FormalOptions = {}
): Promise<FormalReport> {
  const begunAtMs = performance.now()
  const spin = options.spin === false ? [] : await checkSpin(join(folder, 'spin'), options)
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
