import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { systemClock, systemRandom } from '@hushlamp/client'
import { utf8 } from '@hushlamp/shared'

import { DataFolder } from '../src/accounts/data-folder.ts'
import { EncryptedLevel } from '../src/storage/encrypted-level.ts'
import { openKeyFile } from '../src/storage/key-file.ts'
import { ValueSealer } from '../src/storage/sealed-value.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hushlamp-test-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

const key = systemRandom.bytes(32)
const put = (name: string, value: string): { type: 'put'; key: string; value: Uint8Array } => ({
  type: 'put',
  key: name,
  value: utf8(value)
})

describe('The encrypted storage', () => {
  test('gives back what was written, in the order of the keys, after it was closed and opened', async () => {
    const first = await EncryptedLevel.open(join(directory, 'store'), key)
    await first.write([put('b/2', 'two'), put('b/1', 'one'), put('c', 'other')])
    await first.write([{ type: 'delete', key: 'c' }])
    await first.close()
    await using again = await EncryptedLevel.open(join(directory, 'store'), key)
    expect(await again.entries('b/')).toEqual([
      ['b/1', utf8('one')],
      ['b/2', utf8('two')]
    ])
    expect(await again.get('c')).toBeUndefined()
  })

  test('leaves nothing readable on the disk', async () => {
    const storage = await EncryptedLevel.open(join(directory, 'store'), key)
    await storage.write([put('message', 'meet me at the old lighthouse')])
    await storage.close()
    for (const file of await readdir(join(directory, 'store'))) {
      const bytes = await readFile(join(directory, 'store', file), 'latin1')
      expect(bytes).not.toContain('lighthouse')
    }
  })

  test('refuses another key instead of giving garbage', async () => {
    await (await EncryptedLevel.open(join(directory, 'store'), key)).close()
    await expect(
      EncryptedLevel.open(join(directory, 'store'), systemRandom.bytes(32))
    ).rejects.toMatchObject({ code: 'storage-corrupt' })
  })

  test('is of one process at a time, and says so', async () => {
    await using _held = await EncryptedLevel.open(join(directory, 'store'), key)
    await expect(EncryptedLevel.open(join(directory, 'store'), key)).rejects.toMatchObject({
      code: 'storage-locked'
    })
  })
})

describe('A sealed value', () => {
  test('opens only in its own row, unchanged, under its own key', () => {
    const sealer = new ValueSealer(key)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (value, position) => {
        const sealed = sealer.seal('row', value)
        expect(sealer.open('row', sealed)).toEqual(value)
        expect(sealer.open('other row', sealed)).toBeUndefined()
        const damaged = sealed.slice()
        const index = position % damaged.length
        damaged[index] = (damaged[index] ?? 0) ^ 1
        expect(sealer.open('row', damaged)).toBeUndefined()
        expect(new ValueSealer(systemRandom.bytes(32)).open('row', sealed)).toBeUndefined()
      })
    )
  })
})

describe('The key file', () => {
  test('is made once, for its owner alone', async () => {
    const path = join(directory, 'key')
    const made = await openKeyFile(path)
    expect(made).toHaveLength(32)
    expect(await openKeyFile(path)).toEqual(made)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('that was cut short is not taken for a key', async () => {
    await writeFile(join(directory, 'key'), 'short')
    await expect(openKeyFile(join(directory, 'key'))).rejects.toMatchObject({
      code: 'storage-corrupt'
    })
  })
})

describe('A data folder', () => {
  const components = { clock: systemClock, random: systemRandom }

  test('keeps identity, account and password from one start to the next', async () => {
    const first = await DataFolder.open(directory, components, { account: 'alice', name: 'Alice' })
    await first[Symbol.asyncDispose]()
    await using again = await DataFolder.open(directory, components)
    expect(again.account).toBe('alice')
    expect(again.identity.certificate).toEqual(first.identity.certificate)
    expect(again.xmppPassword).toBe(first.xmppPassword)
    expect(again.xmppPassword).toMatch(/^[a-z2-9]{20}$/)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'xmpp-password'))).mode & 0o777).toBe(0o600)
  })

  test('without an identity says how to make one', async () => {
    await expect(DataFolder.open(directory, components)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('hushlamp init')
    })
  })

  test('takes no account name that is not an XMPP local part', async () => {
    await expect(
      DataFolder.open(directory, components, { account: 'Al ice', name: '' })
    ).rejects.toMatchObject({ code: 'config-invalid' })
  })
})
