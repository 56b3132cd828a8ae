import { createHash } from 'node:crypto'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What a query comes to, as a model expects it and as ProVerif finds it. `false` and `not equivalent` mean that a trace was found
 * that shows it; without one the query is `not proved`.
 */
export type QueryResult = 'true' | 'false' | 'equivalent' | 'not equivalent' | 'not proved'

/** A row of formal/proverif/results.json: what was found when exactly this model was run. */
export interface RecordedResult {
  readonly model: string
  /** Of the libraries in their order and then the model, one behind the other. */
  readonly sha256: string
  /** Name and version of the prover, null where the model was not run. */
  readonly prover: string | null
  readonly results: readonly QueryResult[] | 'unproved'
  /** How long the prover took, null where the model was not run. */
  readonly seconds: number | null
}

/** One model of formal/proverif. */
export interface ProverifModel {
  readonly file: string
  /** Files of the same folder that it builds on, from its line `(* WITH … *)`. */
  readonly libraries: readonly string[]
  /** As in {@link RecordedResult}. */
  readonly sha256: string
  /** By query, from the lines `(* EXPECT n: … *)`. */
  readonly expected: readonly QueryResult[]
}

/** Reads the models with their libraries and expectations. Throws where a library is not there. */
export async function readProverifModels(folder: string): Promise<readonly ProverifModel[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.pv')).sort()
  return Promise.all(files.map((file) => readModel(folder, file)))
}

async function readModel(folder: string, file: string): Promise<ProverifModel> {
  const text = await readFile(join(folder, file), 'utf8')
  const libraries = readLibraries(text)
  const hash = createHash('sha256')
  for (const library of libraries) hash.update(await readFile(join(folder, library)))
  const sha256 = hash.update(text).digest('hex')
  return { file, libraries, sha256, expected: readExpectations(text) }
}

/** The libraries that a model names, in order. */
export function readLibraries(model: string): readonly string[] {
  const names = /^\(\* WITH (.+) \*\)$/m.exec(model)?.[1]
  return names === undefined ? [] : names.split(' ')
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

/** Writes formal/proverif/results.json anew. */
export async function writeRecordedResults(
  folder: string,
  rows: readonly RecordedResult[]
): Promise<void> {
  // As the formatter has it: a row's fields on lines of their own, the results on one.
  const lines = rows.map((row) => {
    const { model, sha256, prover, results, seconds } = row
    const fields = Object.entries({ model, sha256, prover, results, seconds })
    const texts = fields.map(([name, value]) => `    "${name}": ${inOneLine(value)}`)
    return `  {\n${texts.join(',\n')}\n  }`
  })
  await writeFile(join(folder, 'results.json'), `[\n${lines.join(',\n')}\n]\n`)
}

function inOneLine(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value)
  return `[${value.map((each) => JSON.stringify(each)).join(', ')}]`
}

/** The row that was recorded for exactly this model; for any other one a row that says that it is unproved. */
export function recordOf(
  { file, sha256 }: ProverifModel,
  recorded: readonly RecordedResult[]
): RecordedResult {
  const row = recorded.find((each) => each.model === file && each.sha256 === sha256)
  return row ?? { model: file, sha256, prover: null, results: 'unproved', seconds: null }
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
    else if (row.sha256 !== sha256)
      complaints.push(`${file}: it or a library of it has changed since its results`)
    else if ((row.prover === null) !== (row.results === 'unproved'))
      complaints.push(`${file}: results without a prover, or a prover without results`)
    else if (row.results !== 'unproved' && row.results.join() !== expected.join())
      complaints.push(`${file}: recorded ${row.results.join()}, expected ${expected.join()}`)
  }
  for (const { model } of recorded)
    if (!models.some(({ file }) => file === model)) complaints.push(`${model}: is not there`)
  return complaints
}

function isQueryResult(word: unknown): word is QueryResult {
  const words: readonly unknown[] = ['true', 'false', 'equivalent', 'not equivalent', 'not proved']
  return words.includes(word)
}

function isRecordedResult(row: unknown): row is RecordedResult {
  if (typeof row !== 'object' || row === null) return false
  if (!('model' in row && 'sha256' in row && 'prover' in row)) return false
  if (!('results' in row && 'seconds' in row)) return false
  const { model, sha256, prover, results, seconds } = row
  return (
    typeof model === 'string' &&
    typeof sha256 === 'string' &&
    (prover === null || typeof prover === 'string') &&
    (seconds === null || typeof seconds === 'number') &&
    (results === 'unproved' ||
      (Array.isArray(results) && results.every((result) => isQueryResult(result))))
  )
}
