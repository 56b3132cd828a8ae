import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Files of vectors by their names. */
export type VectorFolder = ReadonlyMap<string, VectorFile>

type VectorFile = Readonly<Record<string, readonly unknown[]>>

/** A folder in which each of some cases of the vectors has one character that is another. */
export interface MutationRound {
  /** What the changed files hold now; the others are not among them. */
  readonly texts: ReadonlyMap<string, string>
  /** The changed cases, as the second implementation names them. */
  readonly places: readonly string[]
}

/** Reads the files of vectors in a folder. */
export async function readVectorFolder(directory: string): Promise<VectorFolder> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'))
  const files = names.map(async (name): Promise<[string, VectorFile]> => {
    const file: unknown = JSON.parse(await readFile(join(directory, name), 'utf8'))
    if (!isVectorFile(file)) throw new TypeError(`${name} does not hold cases by their functions`)
    return [name, file]
  })
  return new Map(await Promise.all(files))
}

function isVectorFile(value: unknown): value is VectorFile {
  return typeof value === 'object' && value !== null && Object.values(value).every(Array.isArray)
}

/**
 * Changes one character of one name or value in every case that has more than `round` of them; each round takes another
 * one. Rounds are the same whenever they are made. No places: all have been tried.
 */
export function mutationRound(folder: VectorFolder, round: number): MutationRound {
  const texts = new Map<string, string>()
  const places: string[] = []
  for (const [name, file] of folder) {
    const before = places.length
    const changed = Object.entries(file).map(([function_, cases]) => [
      function_,
      cases.map((each, index) => {
        const mutant = mutated(JSON.stringify(each), round)
        if (mutant !== undefined) places.push(`${name} $.${function_}[${index}]`)
        return mutant === undefined ? each : (JSON.parse(mutant) as unknown)
      })
    ])
    if (places.length > before)
      texts.set(name, `${JSON.stringify(Object.fromEntries(changed), null, 2)}\n`)
  }
  return { texts, places }
}

/** The cases that the second implementation found wrong. */
export function wrongPlaces(output: string): readonly string[] {
  return [...output.matchAll(/^(\S+\.json \$\.\w+\[\d+\]): /gm)].map(([, place = '']) => place)
}

/** The JSON with another character in one of its tokens; undefined where all of them have had their round. */
function mutated(json: string, round: number): string | undefined {
  const tokens = [...json.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+|true|false|null/g)]
  if (round >= tokens.length) return undefined
  const chance = numbersFrom(json.length)
  // A walk through all tokens that does not go in their order.
  const stride = strideFor(tokens.length)
  const token = tokens[((round + 1) * stride) % tokens.length]
  if (token === undefined) return undefined
  for (let i = 0; i < round; i++) chance()
  const other = another(token[0], chance)
  return json.slice(0, token.index) + other + json.slice(token.index + token[0].length)
}

function another(token: string, chance: () => number): string {
  if (token === 'true' || token === 'null') return 'false'
  if (token === 'false') return 'true'
  if (token === '""') return '"0"'
  const places = [...token.matchAll(/[\dA-Za-z]/g)].map((match) => match.index)
  const at = places[chance() % places.length] ?? 0
  const digits = token.startsWith('"') ? '0123456789abcdef' : '123456789'
  const others = digits.replace(token[at] ?? '', '')
  return token.slice(0, at) + (others[chance() % others.length] ?? '') + token.slice(at + 1)
}

/** A step that has no divisor in common with the length. */
function strideFor(length: number): number {
  let stride = Math.floor(length * 0.618) + 1
  while (greatestCommonDivisor(stride, length) !== 1) stride++
  return stride
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** Pseudorandom numbers (the minimal standard of Park and Miller): repeatable, and good enough to choose characters. */
function numbersFrom(seed: number): () => number {
  let state = seed + 1
  return () => (state = (state * 48_271) % 2_147_483_647)
}
