import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../bin/hushlamp.js', import.meta.url))
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hushlamp-test-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the program as a user does, and to its end. */
async function hushlamp(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, out, err }
}

describe('The program hushlamp', () => {
  test('explains itself', async () => {
    const { code, out } = await hushlamp('--help')
    expect(code).toBe(0)
    for (const word of ['init', 'certificate', 'contacts', 'start', 'Examples', '--tor-control'])
      expect(out).toContain(word)
  })

  test('makes two identities that become each other’s contacts', async () => {
    const folders = ['alice', 'bob'].map((name) => ({ name, path: join(directory, name) }))
    for (const { name, path } of folders) {
      const made = await hushlamp('init', '--data-dir', path, '--name', name, '--account', name)
      expect(made).toMatchObject({ code: 0, err: '' })
      const { out } = await hushlamp('certificate', '--data-dir', path)
      expect(out).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----/)
      await writeFile(join(directory, `${name}.asc`), out)
    }
    const [alice, bob] = folders
    const file = join(directory, 'bob.asc')
    const added = await hushlamp('contacts', 'add', file, '--data-dir', alice?.path ?? '', '--json')
    expect(JSON.parse(added.out)).toMatchObject({ alias: 'bob' })
    const listed = await hushlamp('contacts', '--data-dir', alice?.path ?? '')
    expect(listed.out).toContain('bob')
    const twice = await hushlamp('contacts', 'add', file, '--data-dir', alice?.path ?? '')
    expect(twice).toMatchObject({ code: 1, out: '' })
    expect(twice.err).toContain('contact-exists')
    const self = await hushlamp('contacts', 'add', file, '--data-dir', bob?.path ?? '')
    expect(self.err).toContain('contact-is-self')
    const again = await hushlamp('init', '--data-dir', bob?.path ?? '')
    expect(again.code).toBe(2)
  })

  test.each([
    [['start'], '--registry'],
    [['start', '--registry', 'ftp://node'], 'http://HOST:PORT'],
    [['start', '--registry', 'http://127.0.0.1:5851', '--xmpp', '0.0.0.0:5222'], '--xmpp'],
    [['start', '--registry', 'http://127.0.0.1:5851', '--tor-socks', '/s'], '--tor-control'],
    [['certificate'], 'hushlamp init'],
    [['contacts', 'add', '/nowhere/x.asc'], 'hushlamp init'],
    [['dance'], 'unknown command']
  ])('refuses %j and says what is wrong', async (args, hint) => {
    const path = join(directory, 'empty')
    const flags = args[0] === 'dance' ? [] : ['--data-dir', path]
    const { code, out, err } = await hushlamp(...args, ...flags)
    expect(code).not.toBe(0)
    expect(out).toBe('')
    expect(err).toContain(hint)
    expect(err).not.toContain('    at ')
  })

  test('says that Tor is missing instead of going without', async () => {
    const path = join(directory, 'carol')
    await hushlamp('init', '--data-dir', path)
    const tor = ['--tor-control', join(directory, 'no-tor')]
    const registry = ['--registry', 'http://127.0.0.1:5851']
    const { code, err } = await hushlamp('start', '--data-dir', path, ...tor, ...registry)
    expect(code).toBe(1)
    expect(err).toMatch(/tor-[a-z]+/)
  })
})
