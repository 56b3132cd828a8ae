import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'

import fc from 'fast-check'

import { fuzzInputs } from './inputs.ts'
import type { FuzzTarget } from './target.ts'

const mutationsPerTarget = 12
const maxSavedBytes = 4_096
const root = new URL('corpus/', import.meta.url)

/** The saved inputs of a target, in the order of their names. */
export async function readCorpus(target: FuzzTarget): Promise<readonly Uint8Array[]> {
  const folder = new URL(`${target.name}/`, root)
  const names = (await readdir(folder)).sort()
  return Promise.all(
    names.map(async (name) => new Uint8Array(await readFile(new URL(name, folder))))
  )
}

/** Writes the corpus of a target anew: its valid inputs, and some mutations of them that are always the same. */
export async function writeCorpus(target: FuzzTarget): Promise<void> {
  const folder = new URL(`${target.name}/`, root)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const seeds = await target.seeds()
  const samples = fc.sample(fuzzInputs(seeds), { numRuns: mutationsPerTarget, seed: 1 })
  const save = async (kind: string, all: readonly Uint8Array[]): Promise<void> => {
    for (const [i, bytes] of all.entries()) {
      const name = `${kind}-${String(i).padStart(2, '0')}`
      await writeFile(new URL(name, folder), bytes.subarray(0, maxSavedBytes))
    }
  }
  await save('valid', seeds)
  await save(
    'mutated',
    samples.map(({ bytes }) => bytes)
  )
}
