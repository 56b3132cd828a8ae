import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { AbortOptions } from '@hushlamp/shared'

const run = promisify(execFile)
const timeLimitMs = 300_000

/** What a query comes to, as a model expects it and as ProVerif finds it. */
export type QueryResult = 'true' | 'false' | 'equivalent' | 'not equivalent' | 'not proved'

/** A row of formal/proverif/results.json: what was found when exactly this file was run. */
export interface RecordedResult {
  readonly model: string
  readonly sha256: string
  /** Name and version of the prover, null where the file was not run. */
  readonly prover: string | null
  readonly results: readonly QueryResult[] | 'unproved'
}

/** One model of formal/proverif. */
export interface ProverifModel {
  readonly file: string
  readonly sha256: string
  /** By query, from the lines `(* EXPECT n: … *)`. */
  readonly expected: readonly QueryResult[]
}

/** Reads the models with their expectations. */
export async function readProverifModels(folder: string): Promise<readonly ProverifModel[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.pv')).sort()
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), 'utf8')
      const sha256 = createHash('sha256').update(text).digest('hex')
      return { file, sha256, expected: readExpectations(text) }
    })
  )
}

/** The expected result of each query, in order; empty where the numbers are not 1, 2, 3… or a word is unknown. */
export function readExpectations(model: string): readonly QueryResult[] {
  const lines = [...model.matchAll(/^\(\* EXPECT (\d+): ([a-z ]+) \*\)$/gm)]
  const results = lines.map(([, , word]) => word).filter((word) => isQueryResult(word))
  const numbered = lines.every(([, number], index) => Number(number) === index + 1)
  return numbered && results.length === lines.length ? results : []
}

/** Reads formal/proverif/results.json. Throws where it is malformed. */
export async function readRecordedResults(folder: string): Promise<readonly RecordedResult[]> {
  const rows: unknown = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'))
  if (!Array.isArray(rows) || !rows.every((row) => isRecordedResult(row)))
    throw new TypeError('formal/proverif/results.json is not a list of results.')
  return rows
}

/** What does not fit between the models and the recorded results; empty where all does. */
export function findMismatches(
  models: readonly ProverifModel[],
  recorded: readonly RecordedResult[]
): readonly string[] {
  const complaints: string[] = []
  for (const { file, sha256, expected } of models) {
    const rows = recorded.filter(({ model }) => model === file)
    const row = rows[0]
    if (expected.length === 0) complaints.push(`${file}: no expectations, or not in order`)
    if (!row || rows.length > 1) complaints.push(`${file}: ${rows.length} rows in results.json`)
    else if (row.sha256 !== sha256) complaints.push(`${file}: changed since its results`)
    else if ((row.prover === null) !== (row.results === 'unproved'))
      complaints.push(`${file}: results without a prover, or a prover without results`)
    else if (row.results !== 'unproved' && row.results.join() !== expected.join())
      complaints.push(`${file}: recorded ${row.results.join()}, expected ${expected.join()}`)
  }
  for (const { model } of recorded)
    if (!models.some(({ file }) => file === model)) complaints.push(`${model}: is not there`)
  return complaints
}

/** Name and version of the installed ProVerif, undefined where there is none. */
export async function findProverif(): Promise<string | undefined> {
  const said = await run('proverif', ['-help']).catch(() => undefined)
  const version = /Proverif\s+([\d.]+\w*)/i.exec(`${said?.stdout ?? ''}${said?.stderr ?? ''}`)?.[1]
  return said && `ProVerif ${version ?? '(version unknown)'}`
}

/** Runs ProVerif on a model. */
export async function prove(
  folder: string,
  { file }: ProverifModel,
  { signal }: AbortOptions = {}
): Promise<readonly QueryResult[]> {
  const { stdout } = await run('proverif', [join(folder, file)], {
    maxBuffer: 67_108_864,
    timeout: timeLimitMs,
    ...(signal === undefined ? {} : { signal })
  })
  return readProverifOutput(stdout)
}

/** The result of each query, from the lines `RESULT …`. Notes in brackets below a result are no results. */
export function readProverifOutput(output: string): readonly QueryResult[] {
  return [...output.matchAll(/^RESULT (?!\()(.*)$/gm)].map(([, text = '']) => {
    if (text.startsWith('Observational equivalence'))
      return text.includes('is true') ? 'equivalent' : 'not equivalent'
    if (/is true\.?$/.test(text)) return 'true'
    return /is false\.?$/.test(text) ? 'false' : 'not proved'
  })
}

function isQueryResult(word: unknown): word is QueryResult {
  const words: readonly unknown[] = ['true', 'false', 'equivalent', 'not equivalent', 'not proved']
  return words.includes(word)
}

function isRecordedResult(row: unknown): row is RecordedResult {
  if (typeof row !== 'object' || row === null) return false
  if (!('model' in row && 'sha256' in row && 'prover' in row && 'results' in row)) return false
  const { model, sha256, prover, results } = row
  return (
    typeof model === 'string' &&
    typeof sha256 === 'string' &&
    (prover === null || typeof prover === 'string') &&
    (results === 'unproved' ||
      (Array.isArray(results) && results.every((result) => isQueryResult(result))))
  )
}
