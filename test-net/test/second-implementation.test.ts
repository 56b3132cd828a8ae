import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { HushlampError, fromHex, hex, identityBytes, readCertificate } from '@hushlamp/shared'

import { resolvePrograms } from '../src/index.ts'
import { readSpecification } from '../src/verify/readings.ts'
import { mutationRound, readVectorFolder, wrongPlaces } from '../src/verify/vector-mutations.ts'
import { certificatesCreated } from '../../vectors/certificate-vectors.ts'

const vectors = fileURLToPath(new URL('../../vectors', import.meta.url))
const checker = join(vectors, 'check', 'check.py')
const specification = fileURLToPath(new URL('../../docs/protocol.md', import.meta.url))

interface Outcome {
  readonly code: number
  readonly output: string
  readonly errors: string
}

let python: string
let environment: NodeJS.ProcessEnv
let copy: string

beforeAll(async () => {
  const programs = await resolvePrograms(['python3-cryptography'])
  python = programs.paths.get('python3-cryptography') ?? ''
  environment = programs.environment
}, 180_000)

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'hushlamp-vectors-'))
  for (const name of vectorNames()) cpSync(join(vectors, name), join(copy, name))
})

afterEach(() => {
  rmSync(copy, { recursive: true, force: true })
})

function vectorNames(): readonly string[] {
  return readdirSync(vectors).filter((name) => name.endsWith('.json'))
}

function check(folder: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(python, [checker, folder], { env: environment }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code), output, errors })
    })
  })
}

/** What the checker says of the folder in which some files are others. */
async function checkChanged(texts: ReadonlyMap<string, string>): Promise<Outcome> {
  const folder = mkdtempSync(join(copy, 'changed-'))
  for (const [name, text] of texts) writeFileSync(join(folder, name), text)
  return await check(folder)
}

describe('The second implementation', () => {
  it('computes every value of the committed vectors', async () => {
    const { code, output, errors } = await check(copy)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const files = vectorNames().map((name) => readJson(join(vectors, name)))
    const cases = files.flatMap((file) => Object.values(file).flatMap(list))
    expect(output).toBe(`${files.length} files, ${cases.length} cases, 0 wrong\n`)
  })

  it('notices another character in any name or value', async (test) => {
    const folder = await readVectorFolder(vectors)
    let tried = 0
    // The acceptance of the protocol goes on until each name and value had its round.
    for (let round = 0; round < 12; round++) {
      const { texts, places } = mutationRound(folder, round)
      const { code, output } = await checkChanged(texts)
      expect(code).toBe(1)
      expect(wrongPlaces(output)).toEqual(expect.arrayContaining([...places]))
      tried += places.length
    }
    await test.annotate(`Mutations tried: ${tried}`)
    expect(tried).toBeGreaterThan(2_000)
  }, 60_000)

  it.each<[string, string, (text: string) => string, string]>([
    ['a digit of a record', 'record.json', (text) => flipped(text, 'record'), '$.openRecord[0]'],
    ['a number', 'epochs.json', (text) => text.replace('14399', '14398'), '$.epochCourse[2]'],
    ['a reason', 'frames.json', (text) => text.replace('"tag"', '"kind"'), '$.receive[3]'],
    ['a name', 'handshake.json', (text) => text.replace('"mark":', '"tag":'), '$.handshake[0]'],
    ['a function', 'signatures.json', (text) => text.replace('"sign":', '"sing":'), '$.sing[0]'],
    ['a value missing', 'epochs.json', (text) => text.replace(/ +"endsAt".+\n/, ''), '$.index[0]'],
    ['a value too much', 'epochs.json', (text) => twice(text, '"endsAt": 1'), '$.index[0]'],
    ['a case missing', 'constants.json', withoutLastConstant, '$.index[0]']
  ])('refuses a folder with %s', async (_what, name, change, place) => {
    const path = join(copy, name)
    const text = readFileSync(path, 'utf8')
    expect(change(text)).not.toBe(text)
    writeFileSync(path, change(text))
    const { code, output, errors } = await check(copy)
    expect({ code, errors }).toEqual({ code: 1, errors: '' })
    expect(output).toContain(` ${place}: computed `)
  })

  it('refuses a folder with a file that is missing, unknown or no JSON', async () => {
    writeFileSync(join(copy, 'more.json'), '{}')
    expect((await check(copy)).code).toBe(1)
    rmSync(join(copy, 'more.json'))
    expect((await check(copy)).code).toBe(0)
    writeFileSync(join(copy, 'constants.json'), '{')
    expect((await check(copy)).code).toBe(1)
    rmSync(join(copy, 'constants.json'))
    expect((await check(copy)).code).toBe(1)
  })

  it('can be read in one sitting: no more than 400 lines of at most 100 columns', () => {
    const folder = join(vectors, 'check')
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const lines = sources
      .filter((name) => name.endsWith('.py'))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
    expect(lines.length).toBeGreaterThan(100)
    expect(lines.length).toBeLessThanOrEqual(400)
    expect(lines.filter((line) => line.length > 100 || line.includes(';'))).toEqual([])
  })
})

describe('The core', () => {
  it('reads the certificates of the vectors, and none of those to be refused', async () => {
    const { readCertificate: cases } = readVectors(join(vectors, 'certificate.json'))
    const [good, bad] = [true, false].map((isGood) =>
      list(cases).filter((entry) => 'expected' in Object(entry) === isGood)
    )
    const read = async (entry: unknown): Promise<string> => {
      const bytes = fromHex(textAt(entry, 'given', 'certificate')) ?? new Uint8Array(0)
      const { identity } = await readCertificate(bytes, certificatesCreated)
      return hex(identityBytes(identity))
    }
    for (const entry of list(good)) expect(await read(entry)).toBe(textAt(entry, 'expected', 'id'))
    for (const entry of list(bad)) await expect(read(entry)).rejects.toThrow(HushlampError)
  })
})

describe('The specification', () => {
  const text = readFileSync(specification, 'utf8')

  it('points to vectors that exist, in every file', () => {
    const references = [...text.matchAll(/`([a-z-]+\.json) (\$[^`]*)`/g)].map(
      ([, name = '', path = '']) => ({ name, path })
    )
    for (const { name, path } of references)
      expect(resolves(readJson(join(vectors, name)), path), `${name} ${path}`).toBe(true)
    expect(new Set(references.map(({ name }) => name))).toEqual(new Set(vectorNames()))
  })

  it('gives each field of its formats a vector', () => {
    const { fields, fieldsWithout } = readSpecification(text)
    expect(fieldsWithout).toEqual([])
    expect(fields).toBeGreaterThan(60)
  })

  it('says what each shared constant is', () => {
    const rows = text.replaceAll(/ +/g, ' ')
    for (const each of list(readVectors(join(vectors, 'constants.json'))['constant'])) {
      const name = textAt(each, 'given', 'name')
      const shown = textAt(each, 'expected', 'value').replaceAll(',', ', ')
      expect(rows).toContain(`| \`${name}\` | ${shown} |`)
    }
  })
})

/** Whether a path like `$.cases[].metadata` leads to something; `[]` is any entry. */
function resolves(value: unknown, path: string): boolean {
  let found: readonly unknown[] = [value]
  for (const [, name, entries] of path.matchAll(/\.(\w+)|(\[\])/g)) {
    found = found.flatMap((each) => {
      if (entries !== undefined) return Array.isArray(each) ? (each as readonly unknown[]) : []
      return typeof each === 'object' && each !== null && name !== undefined && name in each
        ? [Reflect.get(each, name) as unknown]
        : []
    })
  }
  return found.length > 0
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw new TypeError('no entries')
  return value
}

/** The text with the first hexadecimal digit of the first value of that name changed. */
function flipped(text: string, name: string): string {
  return text.replace(
    new RegExp(`("${name}": ")(.)`),
    (_all, before: string, digit: string) => `${before}${digit === '0' ? '1' : '0'}`
  )
}

/** The text with a line of that beginning once more, under another name. */
function twice(text: string, beginning: string): string {
  const [line = ''] = new RegExp(`.*${beginning}.*\\n`).exec(text) ?? []
  return text.replace(line, line.replace('"', '"more') + line)
}

function withoutLastConstant(text: string): string {
  const { constant } = parseObject(text)
  return `${JSON.stringify({ constant: list(constant).slice(0, -1) }, null, 2)}\n`
}

/** What stands under two names, one in the other, as text. */
function textAt(value: unknown, outer: string, inner: string): string {
  return String(Reflect.get(Object(Reflect.get(Object(value), outer)), inner))
}

function readVectors(path: string): Record<string, readonly unknown[]> {
  return Object.fromEntries(
    Object.entries(readJson(path)).map(([name, cases]) => [name, list(cases)])
  )
}

function readJson(path: string): Record<string, unknown> {
  return parseObject(readFileSync(path, 'utf8'))
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object')
  return { ...value }
}
