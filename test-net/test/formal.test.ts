import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { checkProverif, quickSeconds } from '../src/formal/proverif-check.ts'
import {
  findMismatches,
  readExpectations,
  readLibraries,
  readProverifModels,
  readRecordedResults,
  writeRecordedResults
} from '../src/formal/proverif-models.ts'
import { findProverif, prove, readProverifOutput } from '../src/formal/prover.ts'
import { checkModel, readReport } from '../src/formal/spin-check.ts'
import { spinModels } from '../src/formal/spin-models.ts'
import { findSpinTools } from '../src/formal/spin-tools.ts'
import type { SpinTools } from '../src/formal/spin-tools.ts'

const formal = join(import.meta.dirname, '../../formal')

describe('the models of ProVerif', () => {
  it('have expectations, and results that were recorded for exactly these files', async () => {
    const folder = join(formal, 'proverif')
    const models = await readProverifModels(folder)
    expect(models.length).toBeGreaterThan(30)
    expect(findMismatches(models, await readRecordedResults(folder))).toEqual([])
  })

  it('build on no library that is missing, and leave none unused', async () => {
    const folder = join(formal, 'proverif')
    const used = (await readProverifModels(folder)).flatMap(({ libraries }) => libraries)
    const there = (await readdir(folder)).filter((file) => file.endsWith('.pvl'))
    expect([...new Set(used)].sort()).toEqual(there.sort())
  })

  it('are not accepted when one has changed, is missing or was never listed', () => {
    const model = { file: 'a.pv', libraries: [], sha256: '1', expected: ['true' as const] }
    const row = {
      model: 'a.pv',
      sha256: '1',
      prover: 'ProVerif 2.05',
      results: ['true' as const],
      seconds: 1
    }
    expect(findMismatches([model], [row])).toEqual([])
    expect(findMismatches([{ ...model, sha256: '2' }], [row])).toHaveLength(1)
    expect(findMismatches([model], [{ ...row, results: ['false'] }])).toHaveLength(1)
    expect(findMismatches([model], [{ ...row, prover: null }])).toHaveLength(1)
    expect(findMismatches([], [row])).toHaveLength(1)
    expect(findMismatches([model], [])).toHaveLength(1)
  })

  it('tell what they expect in order, and ProVerif what it found', () => {
    expect(readExpectations('(* EXPECT 1: true *)\n(* EXPECT 2: not equivalent *)\n')).toEqual([
      'true',
      'not equivalent'
    ])
    expect(readExpectations('(* EXPECT 2: true *)\n')).toEqual([])
    expect(readLibraries('(* A. *)\n(* WITH a.pvl b.pvl *)\n')).toEqual(['a.pvl', 'b.pvl'])
    const output = [
      'RESULT not attacker(a[]) is true.',
      'A trace has been found.',
      'RESULT event(A) ==> event(B) is false.',
      'RESULT (even event(A) ==> event(B) is false.)',
      'RESULT Observational equivalence is true.'
    ]
    expect(readProverifOutput(output.join('\n'))).toEqual(['true', 'false', 'equivalent'])
  })

  it('count as broken only where ProVerif shows how', () => {
    const unable = ['RESULT Observational equivalence cannot be proved.']
    expect(readProverifOutput(unable.join('\n'))).toEqual(['not proved'])
    expect(readProverifOutput(['A trace has been found.', ...unable].join('\n'))).toEqual([
      'not equivalent'
    ])
    expect(readProverifOutput('RESULT not attacker(a[]) cannot be proved.')).toEqual(['not proved'])
  })
})

/** Says what the model has it say, and searches for ever where the model has it do so. */
const obedientProver = `#!/bin/sh
if [ "$1" = -help ]; then echo 'Proverif 9.9. Cryptographic protocol verifier'; exit; fi
for model; do :; done
sed -n 's/^(\\* SAY \\(.*\\) \\*)$/\\1/p' "$@" 2>/dev/null
grep -q 'FOR EVER' "$model" && exec sleep 60
! grep -q FAIL "$model"
`

describe('the check of the models of ProVerif', () => {
  let folder: string
  let program: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hushlamp-formal-'))
    program = join(folder, 'proverif')
    await writeFile(program, obedientProver)
    await chmod(program, 0o755)
    await writeFile(join(folder, 'results.json'), '[]')
    await writeFile(join(folder, 'l.pvl'), '(* SAY from the library *)\n')
    await model('a.pv', '(* SAY RESULT not attacker(a[]) is true. *)')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  const model = (file: string, text: string): Promise<void> =>
    writeFile(join(folder, file), `(* WITH l.pvl *)\n(* EXPECT 1: true *)\n${text}\n`)
  const record = async (seconds: number): Promise<void> => {
    await checkProverif(folder, { program, record: true })
    const rows = await readRecordedResults(folder)
    await writeRecordedResults(
      folder,
      rows.map((row) => ({ ...row, seconds }))
    )
  }

  it('records what the prover found, with its version, and is content with that', async () => {
    await record(1)
    const [row] = await readRecordedResults(folder)
    expect(row).toMatchObject({ model: 'a.pv', prover: 'ProVerif 9.9', results: ['true'] })
    expect((await checkProverif(folder, { program: 'no-such-prover' })).complaints).toEqual([])
  })

  it.each(['a.pv', 'l.pvl'])('fails when %s has changed and was not run anew', async (file) => {
    await record(1)
    await writeFile(join(folder, file), '(* WITH l.pvl *)\n(* EXPECT 1: true *)\n(* more *)\n')
    const { complaints } = await checkProverif(folder, { program: 'no-such-prover' })
    expect(complaints).toEqual([expect.stringContaining('changed since its results')])
  })

  it('marks a new model that was not run as unproved', async () => {
    const lines: string[] = []
    const onLine = (line: string): number => lines.push(line)
    await checkProverif(folder, { program: 'no-such-prover', record: true, onLine })
    const [row] = await readRecordedResults(folder)
    expect(row).toMatchObject({ prover: null, results: 'unproved', seconds: null })
    expect(lines).toEqual(['a.pv: skipped: proverif is not installed (unproved)'])
  })

  it('runs a slow model again only when asked for', async () => {
    await record(quickSeconds + 1)
    const quick = await checkProverif(folder, { program })
    expect(quick.outcomes[0]?.found).toBeUndefined()
    const all = await checkProverif(folder, { program, run: 'all' })
    expect(all.outcomes[0]?.found).toEqual(['true'])
  })

  it('fails when the prover finds something else than the model expects, and records nothing', async () => {
    await model('a.pv', '(* SAY RESULT not attacker(a[]) cannot be proved. *)')
    const { complaints } = await checkProverif(folder, { program, record: true })
    expect(complaints).toEqual(['a.pv: found not proved, expected true'])
    expect((await readRecordedResults(folder))[0]?.results).toBe('unproved')
  })

  it('kills a prover that does not come to an end, and tells what it had found', async () => {
    await model('a.pv', '(* SAY RESULT not attacker(a[]) is true. *)\nFOR EVER')
    const { complaints } = await checkProverif(folder, { program, limitMs: 500 })
    expect(complaints).toContain('a.pv: found true (killed after 0.5 s), expected true')
  })

  it('tells where the syntax of a model is wrong', async () => {
    await model('a.pv', '(* SAY File "a.pv", line 3: *)\n(* SAY Error: Syntax error. *)\nFAIL')
    const { complaints } = await checkProverif(folder, { program })
    expect(complaints.join()).toContain('(File "a.pv", line 3: Error: Syntax error.)')
  })
})

describe('with ProVerif on this machine', () => {
  it('an attack on the paper and our repair of it are told apart', async ({ skip }) => {
    if ((await findProverif()) === undefined) return skip('proverif is not installed')
    const models = await readProverifModels(join(formal, 'proverif'))
    for (const file of ['paper-forwarding.pv', 'record.pv']) {
      const model = models.find((each) => each.file === file)
      if (!model) throw new Error(`${file} is gone.`)
      const run = await prove(join(formal, 'proverif'), model)
      expect(run).toMatchObject({ results: model.expected })
    }
  })
})

describe('the models of Spin', () => {
  it('are all listed, each with variants that must fail', async () => {
    const files = (await readdir(join(formal, 'spin'))).filter((file) => file.endsWith('.pml'))
    expect(spinModels.map(({ file }) => file).sort()).toEqual(files.sort())
    for (const { holds, fails } of spinModels) {
      expect(holds.length).toBeGreaterThan(0)
      expect(fails.length).toBeGreaterThan(2)
    }
  })

  it('count as verified only when the search was complete', () => {
    const report = 'depth reached 9, errors: 0\n     1475 states, stored\n'
    expect(readReport(report)).toEqual({ found: 'holds', states: 1475, depth: 9 })
    expect(readReport(`error: max search depth too small\n${report}`).found).toBe('unfinished')
    expect(readReport('').found).toBe('unfinished')
  })

  describe('with Spin on this machine', () => {
    let tools: SpinTools | undefined
    beforeAll(async () => {
      tools = await findSpinTools({ fetch: false })
    })

    it('tell a broken rule from the right one', async ({ skip }) => {
      if (!tools) return skip('spin is not installed')
      const model = spinModels.find(({ file }) => file === 'invite-crossing.pml')
      if (!model) throw new Error('The model is gone.')
      const folder = join(formal, 'spin')
      for (const [macros, expected] of [
        ['FIRST_ONE_COUNTS', 'fails'],
        ['LOSSES=0 CRASHES=0', 'holds']
      ] as const) {
        const outcome = await checkModel(tools, folder, model, { macros, expected })
        expect(outcome.found).toBe(expected)
      }
    })
  })
})
