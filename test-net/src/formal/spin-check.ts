import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { AbortOptions } from '@hushlamp/shared'

import type { SpinModel } from './spin-models.ts'
import type { SpinTools } from './spin-tools.ts'

const execute = promisify(execFile)

/** What Spin found in one run over all states within the bounds. */
export interface SpinOutcome {
  readonly macros: string
  readonly expected: 'holds' | 'fails'
  /** `unfinished`: out of time, memory or depth, or the model does not compile. */
  readonly found: 'holds' | 'fails' | 'unfinished'
  readonly states: number
  /** Steps of the counterexample; for a run that holds the longest path. */
  readonly depth: number
  readonly seconds: number
  /** What is wrong, where nothing could be found. */
  readonly trouble?: string
}

const memoryMegabytes = 2_000
const maxDepth = 1_000_000
const timeLimitMs = 150_000

/** Explores a model with these macros. The files that Spin writes are gone afterwards. */
export async function checkModel(
  tools: SpinTools,
  folder: string,
  model: SpinModel,
  run: { readonly macros: string; readonly expected: 'holds' | 'fails' },
  options: AbortOptions = {}
): Promise<SpinOutcome> {
  const scratch = await mkdtemp(join(tmpdir(), 'hushlamp-spin-'))
  const begunAtMs = performance.now()
  try {
    await copyFile(join(folder, model.file), join(scratch, 'model.pml'))
    const report = await explore(tools, scratch, model, run.macros, options)
    return { ...run, ...readReport(report), seconds: secondsSince(begunAtMs) }
  } catch (error) {
    options.signal?.throwIfAborted()
    const trouble = error instanceof Error ? error.message.split('\n').slice(0, 3).join(' ') : ''
    const seconds = secondsSince(begunAtMs)
    return { ...run, found: 'unfinished', states: 0, depth: 0, seconds, trouble }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function explore(
  { spin, compiler, environment }: SpinTools,
  scratch: string,
  { weakFairness }: SpinModel,
  macros: string,
  { signal }: AbortOptions
): Promise<string> {
  const options = {
    cwd: scratch,
    env: environment,
    maxBuffer: 16_777_216,
    timeout: timeLimitMs,
    ...(signal === undefined ? {} : { signal })
  }
  const defined = macros.split(' ').map((macro) => `-D${macro}`)
  await execute(spin, [`-P${compiler.preprocessor}`, ...defined, '-a', 'model.pml'], options)
  const limits = [`-DMEMLIM=${memoryMegabytes}`, '-DVECTORSZ=2048', '-DCOLLAPSE', '-DNFAIR=3']
  const compile = [...compiler.flags, ...limits, '-o', 'pan', 'pan.c']
  await execute(compiler.program, compile, options)
  const fairness = weakFairness === true ? ['-f'] : []
  const { stdout } = await execute(
    join(scratch, 'pan'),
    ['-a', ...fairness, `-m${maxDepth}`],
    options
  )
  return stdout
}

/** Reads what the verifier prints. */
export function readReport(report: string): Pick<SpinOutcome, 'found' | 'states' | 'depth'> {
  const errors = numberAfter(report, /errors: (\d+)/)
  const states = numberAfter(report, /^\s*([\d.e+]+) states, stored/m)
  const incomplete =
    errors === undefined ||
    states === undefined ||
    /search was not completed|max search depth too small|out of memory/i.test(report)
  const counterexample = numberAfter(report, /\(at depth (\d+)\)/)
  const deepest = numberAfter(report, /depth reached (\d+)/)
  const found = errors !== undefined && errors > 0 ? 'fails' : incomplete ? 'unfinished' : 'holds'
  return { found, states: states ?? 0, depth: counterexample ?? deepest ?? 0 }
}

function numberAfter(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

function secondsSince(begunAtMs: number): number {
  return Math.round(performance.now() - begunAtMs) / 1000
}
