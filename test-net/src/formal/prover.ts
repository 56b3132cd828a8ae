import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { AbortOptions } from '@hushlamp/shared'

import type { ProverifModel, QueryResult } from './proverif-models.ts'

const execute = promisify(execFile)

/** What ProVerif made of a model. */
export interface ProverRun {
  /** By query; those that it did not get to are missing. */
  readonly results: readonly QueryResult[]
  readonly seconds: number
  /** What went wrong: a syntax error, or out of time. */
  readonly trouble?: string
}

/** Settings of {@link prove}. */
export interface ProveOptions extends AbortOptions {
  /** Program to start. Default: `proverif`, from PATH. */
  readonly program?: string
  /** After that long the prover is killed: not every search ends. Default: ten minutes. */
  readonly limitMs?: number
}

/** Name and version of the installed ProVerif, undefined where there is none. */
export async function findProverif(program = 'proverif'): Promise<string | undefined> {
  const said = await execute(program, ['-help']).catch(() => undefined)
  const version = /Proverif\s+(\d+(?:\.\d+)*\w*)/i.exec(
    `${said?.stdout ?? ''}${said?.stderr ?? ''}`
  )?.[1]
  return said && `ProVerif ${version ?? '(version unknown)'}`
}

/** Runs ProVerif on a model. Rejects only when aborted or where there is no such program. */
export async function prove(
  folder: string,
  { file, libraries }: Pick<ProverifModel, 'file' | 'libraries'>,
  { program = 'proverif', limitMs = 600_000, signal }: ProveOptions = {}
): Promise<ProverRun> {
  const begunAtMs = performance.now()
  const run = (stdout: string, trouble?: string): ProverRun => ({
    results: readProverifOutput(stdout),
    seconds: Math.round((performance.now() - begunAtMs) / 100) / 10,
    ...(trouble === undefined ? {} : { trouble })
  })
  const settings = {
    maxBuffer: 67_108_864,
    timeout: limitMs,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal })
  } as const
  const libraryArguments = libraries.flatMap((library) => ['-lib', join(folder, library)])
  try {
    const { stdout } = await execute(program, [...libraryArguments, join(folder, file)], settings)
    return run(stdout)
  } catch (error) {
    signal?.throwIfAborted()
    if (!hasOutput(error)) throw error
    if (error.killed) return run(error.stdout, `killed after ${limitMs / 1000} s`)
    return run(error.stdout, readComplaint(`${error.stdout}\n${error.stderr}`))
  }
}

/** The result of each query, from the lines `RESULT …`. Notes in brackets below a result are no results. */
export function readProverifOutput(output: string): readonly QueryResult[] {
  const results: QueryResult[] = []
  let traceFound = false
  for (const line of output.split('\n')) {
    if (line.startsWith('A trace has been found')) traceFound = true
    if (!line.startsWith('RESULT ') || line.startsWith('RESULT (')) continue
    results.push(readResult(line, traceFound))
    traceFound = false
  }
  return results
}

function readResult(line: string, traceFound: boolean): QueryResult {
  const refuted = line.startsWith('RESULT Observational equivalence') ? 'not equivalent' : 'false'
  if (/ is true\.?$/.test(line)) return refuted === 'false' ? 'true' : 'equivalent'
  return traceFound && / (?:is false|cannot be proved)\.?$/.test(line) ? refuted : 'not proved'
}

function readComplaint(output: string): string {
  const lines = output.split('\n')
  const error = lines.findIndex((line) => line.startsWith('Error: '))
  return error < 0 ? 'it failed' : lines.slice(Math.max(0, error - 1), error + 1).join(' ')
}

function hasOutput(
  error: unknown
): error is { readonly stdout: string; readonly stderr: string; readonly killed: boolean } {
  if (!(error instanceof Error) || !('stdout' in error) || !('stderr' in error)) return false
  // A program that could not be started has output too: none, with a code in words.
  return !('code' in error && error.code === 'ENOENT')
}
