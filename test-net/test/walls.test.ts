import { beforeAll, describe, expect, it } from 'vitest'
import type { Attempt } from './walls/attempt.ts'
import { compile, lint } from './walls/findings.ts'
import { plantProbes } from './walls/probe-tree.ts'
import type { Finding, Section } from './walls/probe-tree.ts'
import { probedRooms } from './walls/probed-rooms.ts'
import {
  directivesAgainstWalls,
  lintedFiles,
  roomFiles,
  strayConfigurations
} from './walls/room-sources.ts'

/*
 * The linter and the compiler are given every way out of the rooms that we know, and each must be stopped by the rule
 * that is meant for it. What remains beyond their sight:
 * - a package on a room's list that dials by itself: the test in an empty network namespace is the proof at run time;
 * - names put together at run time and looked up by reflection (`Reflect.get(f, 'construc' + 'tor')`);
 * - an address other than loopback given to the inward door: a test of the door's own.
 */

const forCompiler = ({ caughtBy }: Attempt): boolean => caughtBy.startsWith('TS')

let planted: readonly Section[] = []
let findings: readonly Finding[] = []

async function examine(
  wanted: (attempt: Attempt) => boolean,
  tool: (root: string) => Promise<Finding[]>
): Promise<{ sections: readonly Section[]; found: readonly Finding[] }> {
  await using tree = await plantProbes(probedRooms, wanted)
  return { sections: tree.sections, found: await tool(tree.root) }
}

function codesIn(section: Section): string[] {
  return findings
    .filter(({ file }) => file === section.file)
    .filter(({ line }) => line >= section.firstLine && line <= section.lastLine)
    .map(({ code }) => code)
}

beforeAll(async () => {
  const results = await Promise.all([
    examine((attempt) => !forCompiler(attempt), lint),
    examine(forCompiler, compile)
  ])
  planted = results.flatMap(({ sections }) => sections)
  findings = results.flatMap(({ found }) => found)
}, 60_000)

describe.each(probedRooms)('$name', ({ name, attempts, controls }) => {
  const inRoom = (): Section[] => planted.filter(({ room }) => room === name)

  it('stops every attempt by the rule that is meant for it', () => {
    const outcomes = inRoom().flatMap((section) => {
      if (section.attempt === undefined) return []
      const codes = codesIn(section)
      const stopped = section.attempt.caughtBy.split('|').some((code) => codes.includes(code))
      return [{ attempt: section.name, outcome: stopped ? 'stopped' : `through: ${codes.join()}` }]
    })
    expect(outcomes.filter(({ outcome }) => outcome !== 'stopped')).toEqual([])
    expect(outcomes).toHaveLength(attempts.length)
    expect(outcomes.length).toBeGreaterThan(0)
  })

  it('leaves in peace what belongs there', () => {
    const complaints = inRoom().flatMap((section) =>
      section.attempt === undefined ? codesIn(section).map((code) => [section.file, code]) : []
    )
    expect(complaints).toEqual([])
    expect(Object.keys(controls).length).toBeGreaterThan(0)
  })
})

describe('the sources of the rooms', () => {
  it('are all looked at by the linter', async () => {
    const files = await roomFiles()
    const linted = await lintedFiles()
    expect(files.filter((file) => !linted.has(file))).toEqual([])
    expect(files.length).toBeGreaterThan(20)
  })

  it('have no linter configuration of their own', async () => {
    expect(await strayConfigurations()).toEqual([])
  })

  it('switch no wall off by a comment, but where that was agreed on', async () => {
    expect(await directivesAgainstWalls(await roomFiles())).toEqual([
      // OpenPGP's library takes moments as `Date`. A given one is converted there; no clock is read.
      expect.stringMatching(/^packages\/shared\/src\/identity\/openpgp-profile\.ts: .*globals --/)
    ])
  })
})
