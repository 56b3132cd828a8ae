import fc from 'fast-check'

import { readCorpus } from './corpus.ts'
import { fuzzInputs } from './inputs.ts'
import type { FuzzTarget } from './target.ts'

/** No input may keep a decoder busy for longer than this, far above what any needs on a loaded machine. */
const hangMs = 20_000

/** Throws what a target breaks: first the corpus as it is, then `runs` inputs that follow from `seed`. */
export async function fuzz(
  target: FuzzTarget,
  { seed, runs }: { readonly seed: number; readonly runs: number }
): Promise<void> {
  const corpus = await readCorpus(target)
  const whole = corpus.map(
    (bytes) => [{ bytes, cuts: [] }] as [{ bytes: Uint8Array; cuts: number[] }]
  )
  await fc.assert(
    fc.asyncProperty(fuzzInputs(corpus), async (input) => {
      const begunAtMs = performance.now()
      await target.run(input)
      if (performance.now() - begunAtMs > hangMs) throw new Error('the decoder hangs')
    }),
    { seed, numRuns: runs + whole.length, examples: whole }
  )
}
