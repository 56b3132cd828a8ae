import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { outcome } from '../src/verify/acceptance.ts'
import { lastLines, runCommand, startCommand } from '../src/verify/command.ts'
import { firstLight } from '../src/verify/first-light.ts'
import { processesMarked } from '../src/verify/processes.ts'
import {
  readBars,
  readCoverage,
  readFormal,
  readRatios,
  readSpecification,
  readTestCounts
} from '../src/verify/readings.ts'
import { renderReport, statusOf } from '../src/verify/report.ts'
import type { CheckedLine } from '../src/verify/report.ts'

const options = { directory: tmpdir(), deadlineMs: 10_000 }

function line(...outcomes: readonly ReturnType<typeof outcome>[]): CheckedLine {
  return { number: 1, promise: 'It works', outcomes }
}

describe('commands of an acceptance', () => {
  it('report their status, output and whether they ended by themselves', async () => {
    const result = await runCommand(['bash', '-c', 'echo seen; exit 3'], options)
    expect(result).toMatchObject({ status: 3, timedOut: false, output: 'seen\n' })
  })

  it('are killed with their whole group at the deadline', async () => {
    const result = await runCommand(['bash', '-c', 'sleep 60 & wait'], {
      ...options,
      deadlineMs: 200
    })
    expect(result).toMatchObject({ timedOut: true, status: 128 + 9 })
  })

  it('pass an interrupt on to the whole group', async () => {
    const script =
      'trap "echo interrupted; exit 0" INT; echo Ready; for i in $(seq 80); do sleep 0.1; done'
    const running = startCommand(['bash', '-c', script], options)
    await expect(running.untilLine(/^Ready/m)).resolves.toBeGreaterThan(0)
    running.signalGroup('SIGINT')
    await expect(running.finished).resolves.toMatchObject({
      timedOut: false,
      output: expect.stringContaining('interrupted')
    })
  })

  it('never seem ready if they end before', async () => {
    const running = startCommand(['bash', '-c', 'echo no'], options)
    await expect(running.untilLine(/^Ready/m)).resolves.toBeUndefined()
  })

  it('fail when the program does not exist', async () => {
    await expect(runCommand(['/nowhere/program'], options)).rejects.toThrow('ENOENT')
  })
})

describe('processesMarked', () => {
  it('finds what has left its group and its parent behind, until it ends', async () => {
    const environment = { HUSHLAMP_VERIFICATION: crypto.randomUUID() }
    const marker = `HUSHLAMP_VERIFICATION=${environment.HUSHLAMP_VERIFICATION}`
    const script = 'setsid sleep 60 >/dev/null 2>&1 </dev/null &'
    await runCommand(['bash', '-c', script], { ...options, environment })
    await expect
      .poll(() => processesMarked(marker))
      .toEqual([{ id: expect.any(Number), command: 'sleep 60' }])
    for (const { id } of await processesMarked(marker)) process.kill(id)
    await expect.poll(() => processesMarked(marker)).toEqual([])
  })
})

describe('what an acceptance reads', () => {
  it('counts sections, references and fields of a specification, and names fields without a vector', () => {
    const text = [
      '# Title\n\n## 1 One\n\n### 1.1 Two\n',
      '| field | vector |\n| --- | --- |\n| a | `a.json $.a` |\n| b | |\n',
      '| field | meaning |\n| --- | --- |\n| c | see `b.json $.cases[].c` |\n',
      '| name | vectors |\n| --- | --- |\n| d | |\n'
    ]
    expect(readSpecification(text.join('\n'))).toEqual({
      sections: 2,
      references: 2,
      fields: 3,
      fieldsWithout: ['| b | |', '| c | see `b.json $.cases[].c` |']
    })
  })

  it('counts tests, skipped ones apart', () => {
    const output = ' Test Files  1 passed (1)\n      Tests  2 failed | 11 passed | 3 skipped (16)\n'
    expect(readTestCounts(output)).toEqual({ passed: 11, failed: 2, skipped: 3 })
    expect(readTestCounts('nothing ran')).toBeUndefined()
  })

  it('takes lines and branches from the right columns of the coverage table', () => {
    const table =
      'File      | % Stmts | % Branch | % Funcs | % Lines | Uncovered Line #s\n' +
      'All files |   98.11 |    96.22 |     100 |   99.33 |                  \n'
    expect(readCoverage(table)).toEqual({ lines: 99.33, branches: 96.22 })
    expect(readCoverage('')).toBeUndefined()
  })

  it('tells verified models, broken variants, and what ProVerif has not seen', () => {
    const summary =
      'Spin: 11 of 12 verified, 20 of 20 broken variants found broken. ' +
      'ProVerif: 0 models run, 2 skipped. 1 mismatches, 90 s.'
    const skipped = 'skipped: proverif is not installed'
    const output = `a.pv: ${skipped} (unproved)\nb.pv: ${skipped} (proved with ProVerif 2.05)\n${summary}\n`
    expect(readFormal(output)).toEqual({
      summary,
      verified: [11, 12],
      broken: [20, 20],
      mismatches: 1,
      skipped: 2,
      unproved: 1
    })
    expect(readFormal('killed')).toBeUndefined()
  })

  it('takes ratios as they were measured, and nothing else', () => {
    const ratio = { subject: 'seal a record', base: 'Ed25519 sign', ratio: 2.5 }
    expect(readRatios(JSON.stringify({ comparisons: [ratio, { subject: 'x' }] }))).toEqual([ratio])
    expect(readRatios('{}')).toEqual([])
  })
})

describe('the report of an acceptance', () => {
  it('calls a line passed only if each of its parts passed', () => {
    const open = { status: 'not run', command: 'c', figures: [] } as const
    expect(statusOf(line(outcome(true, 'a'), outcome(true, 'b')))).toBe('passed')
    expect(statusOf(line(outcome(true, 'a'), outcome(false, 'b')))).toBe('failed')
    expect(statusOf(line(outcome(true, 'a'), open))).toBe('not run')
    expect(statusOf(line())).toBe('not run')
    expect(statusOf({ number: 1, promise: 'p', outcomes: undefined })).toBe('not selected')
  })

  it('tells machine, commit, commands, results and figures', () => {
    const page = renderReport({
      acceptance: firstLight,
      date: '2026-01-02',
      commit: 'abc',
      machine: { processor: '2 × fast' },
      lines: [line(outcome(false, 'npm test', '12.0 s')), { ...line(), outcomes: undefined }]
    })
    expect(page).toContain('# First light')
    expect(page).toContain('0 of 2 lines passed, 1 failed')
    expect(page).toContain('| processor | 2 × fast |')
    expect(page).toContain('- `npm test`: **failed**\n  - 12.0 s')
    expect(page).toContain('Result: **not selected**')
  })

  it('keeps colours out of what was printed', () => {
    expect(lastLines('first\n\u001B[31mred\u001B[0m\n', 1)).toEqual(['red'])
  })

  it('read the bars of a benchmark, and none from what is no report', () => {
    const comparisons = [
      { subject: 'a', base: 'b', ratio: 0.5, bar: { most: 1 }, passed: true },
      { subject: 'c', base: 'd', ratio: 0.5, bar: { least: 0.6 }, passed: false },
      { subject: 'e', base: 'f', ratio: 3 }
    ]
    expect(readBars(JSON.stringify({ comparisons }))).toEqual([
      { figure: 'a / b: 0.500 (most 1): reached', passed: true },
      { figure: 'c / d: 0.500 (least 0.6): missed', passed: false }
    ])
    expect(readBars('{}')).toEqual([])
  })
})
