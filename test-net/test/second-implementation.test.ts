import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { HushlampError, fromHex, hex, identityBytes, readCertificate } from '@hushlamp/shared'

import { resolvePrograms } from '../src/index.ts'
import { readSpecification } from '../src/verify/readings.ts'

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

function check(...arguments_: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(python, [checker, ...arguments_], { env: environment }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code), output, errors })
    })
  })
}

describe('The second implementation', () => {
  it('computes every value of the committed vectors', async () => {
    const { code, output, errors } = await check(copy)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const index = readJson(join(vectors, 'index.json'))
    const values = Object.values(index).reduce((sum: number, count) => sum + Number(count), 0)
    const files = Object.keys(index).length + 1
    expect(output).toContain(`${files} files, ${values + files - 1} values`)
  })

  it('notices a change of any single value, and any value that is missing or too much', async (test) => {
    const { code, output, errors } = await check('--mutations', copy)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const tried = parseObject(output.slice(output.indexOf('{')))
    await test.annotate(`Mutations tried: ${JSON.stringify(tried)}`)
    expect(new Set(Object.keys(tried))).toEqual(new Set(vectorNames()))
    // Each value was changed and left out; entries that are too much come on top.
    for (const [name, count] of Object.entries(readJson(join(vectors, 'index.json'))))
      expect(Number(tried[name]), name).toBeGreaterThanOrEqual(2 * Number(count))
  }, 60_000)

  it.each<[string, string, (text: string) => string, string]>([
    ['a digit of a record', 'record.json', (text) => flipped(text, 'record'), 'record'],
    ['a number', 'epochs.json', (text) => text.replace('14399', '14398'), '$.cases[2].'],
    ['a reason', 'frames.json', (text) => text.replace('"seal"', '"kind"'), 'reason'],
    ['a name', 'handshake.json', (text) => text.replace('"mark":', '"tag":'), '$.mark: is missing'],
    ['a person', 'pair-keys.json', (text) => flipped(text, 'fingerprint'), 'pair-keys.json'],
    ['a form', 'constants.json', (text) => text.slice(1), '']
  ])('refuses a folder with %s changed', async (_what, name, change, place) => {
    const path = join(copy, name)
    const text = readFileSync(path, 'utf8')
    expect(change(text)).not.toBe(text)
    writeFileSync(path, change(text))
    const { code, errors } = await check(copy)
    expect(code).toBe(1)
    expect(errors).toMatch(/^check\.py: .+\n$/)
    expect(errors).toContain(place)
  })

  it('refuses a folder with a file that is missing or unknown', async () => {
    writeFileSync(join(copy, 'more.json'), '{}')
    expect(await check(copy)).toMatchObject({
      code: 1,
      errors: 'check.py: more.json: is unknown\n'
    })
    rmSync(join(copy, 'more.json'))
    rmSync(join(copy, 'record.json'))
    expect(await check(copy)).toMatchObject({
      code: 1,
      errors: 'check.py: record.json: is missing\n'
    })
  })
})

describe('The core', () => {
  it('reads the certificates of the vectors, and none of those to be refused', async () => {
    const { created, cases, rejected } = readJson(join(vectors, 'certificate.json'))
    const read = async (entry: unknown): Promise<string> => {
      const bytes = fromHex(String(Reflect.get(Object(entry), 'bytes'))) ?? new Uint8Array(0)
      const { identity } = await readCertificate(bytes, Number(created))
      return hex(identityBytes(identity))
    }
    for (const entry of list(cases))
      expect(await read(entry)).toBe(Reflect.get(Object(entry), 'id'))
    for (const entry of list(rejected)) await expect(read(entry)).rejects.toThrow(HushlampError)
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
    for (const [name, value] of Object.entries(readJson(join(vectors, 'constants.json')))) {
      const shown = (Array.isArray(value) ? value : [value]).join(', ')
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

function readJson(path: string): Record<string, unknown> {
  return parseObject(readFileSync(path, 'utf8'))
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object')
  return { ...value }
}
