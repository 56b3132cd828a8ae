import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'

import {
  findMismatches,
  readExpectations,
  readProverifModels,
  readProverifOutput,
  readRecordedResults
} from '../src/formal/proverif-check.ts'
import { checkModel, readReport } from '../src/formal/spin-check.ts'
import { spinModels } from '../src/formal/spin-models.ts'
import { findSpinTools } from '../src/formal/spin-tools.ts'
import type { SpinTools } from '../src/formal/spin-tools.ts'

const formal = join(import.meta.dirname, '../../formal')

describe('the models of ProVerif', () => {
  it('have expectations, and results that were recorded for exactly these files', async () => {
    const folder = join(formal, 'proverif')
    const models = await readProverifModels(folder)
    expect(models.length).toBeGreaterThan(10)
    expect(findMismatches(models, await readRecordedResults(folder))).toEqual([])
  })

  it('are not accepted when one has changed, is missing or was never listed', () => {
    const model = { file: 'a.pv', sha256: '1', expected: ['true' as const] }
    const row = { model: 'a.pv', sha256: '1', prover: 'ProVerif 2.05', results: ['true' as const] }
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
    const output = [
      'RESULT not attacker(a[]) is true.',
      'RESULT event(A) ==> event(B) is false.',
      'RESULT (even event(A) ==> event(B) is false.)',
      'RESULT Observational equivalence cannot be proved.'
    ]
    expect(readProverifOutput(output.join('\n'))).toEqual(['true', 'false', 'not equivalent'])
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
