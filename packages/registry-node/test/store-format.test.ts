import { readFileSync } from 'node:fs'

import { hex, ownedRegistryKey } from '@hushlamp/shared'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { checkStore } from '../src/store/doctor.ts'
import type { Level } from '../src/store/level-database.ts'
import { decodeCounters, decodeRows, encodeRows, versionKey } from '../src/store/row-codec.ts'
import type { StoredRow } from '../src/store/row-codec.ts'
import { key, StoreFolder, textsOf } from './store-folder.ts'

/** Every key and value of a store that was made by the code of format 1. */
const format1 = readFileSync(new URL('fixtures/store-format-1.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' '))
const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const hashes = { valueHash: bytes(20), secretHash: bytes(20), expiry: fc.nat(0xffffffff) }
const content = fc.uint8Array({ minLength: 1, maxLength: 1024 })
const owner = fc.record({
  publicKey: bytes(32),
  expiry: fc.nat(0xffffffff),
  signature: bytes(64)
})
const storedRow: fc.Arbitrary<StoredRow> = fc.record({
  row: fc.oneof(
    fc.record({ ...hashes, kind: fc.constant('put' as const), value: content }),
    fc.record({ ...hashes, kind: fc.constant('remove' as const), secret: bytes(40) }),
    fc
      .record({ ...hashes, kind: fc.constant('owned' as const), value: content, owner })
      .map((row) => ({ ...row, secretHash: new Uint8Array(20) }))
  ),
  class: fc.constantFrom('hour', 'day', 'week'),
  stamped: fc.boolean()
})
const keyed = fc.record({ key: bytes(20), rows: fc.array(storedRow, { maxLength: 5 }) })

describe('the format of the store', () => {
  it('gives back the rows that were put into it', () => {
    fc.assert(
      fc.property(keyed, ({ key: registryKey, rows }) => {
        const decoded = decodeRows(registryKey, encodeRows(registryKey, rows))
        expect(decoded.damaged).toBe(0)
        expect(decoded.rows).toHaveLength(rows.length)
        for (const row of rows) expect(decoded.rows).toContainEqual(row)
      })
    )
  })

  it('never gives a row that was not put into it, whatever bit has flipped', () => {
    const flip = fc.record({ keyed, at: fc.nat(), bit: fc.nat(7) })
    fc.assert(
      fc.property(flip, ({ keyed: { key: registryKey, rows }, at, bit }) => {
        const encoded = encodeRows(registryKey, rows)
        const place = at % encoded.length
        encoded[place] = (encoded[place] ?? 0) ^ (1 << bit)
        const decoded = decodeRows(registryKey, encoded)
        expect(decoded.damaged).toBeGreaterThan(0)
        for (const row of decoded.rows) expect(rows).toContainEqual(row)
      })
    )
  })

  it('takes nothing for rows or counters that is something else', () => {
    fc.assert(
      fc.property(bytes(20), fc.uint8Array({ maxLength: 300 }), (registryKey, junk) => {
        expect(decodeRows(registryKey, junk)).toEqual({ rows: [], damaged: 1 })
        expect(decodeCounters(junk)).toBeUndefined()
      })
    )
  })
})

describe('a store of another format', () => {
  let folder: StoreFolder

  beforeEach(async () => {
    folder = await StoreFolder.create()
  })
  afterEach(async () => folder[Symbol.asyncDispose]())

  async function withLevel(use: (level: Level) => Promise<void>): Promise<void> {
    const level: Level = new ClassicLevel<Uint8Array, Uint8Array>(folder.path('store'), {
      keyEncoding: 'view',
      valueEncoding: 'view'
    })
    await use(level)
    await level.close()
  }

  /** A database that format 1 has left: three puts, a remove and an owned put, at the start of the virtual clock. */
  async function openFormat1(level: Level): Promise<void> {
    await level.batch(
      format1.map(([id = '', value = '']) => ({
        type: 'put' as const,
        key: Buffer.from(id, 'hex'),
        value: Buffer.from(value, 'hex')
      }))
    )
  }

  const ownedKey = (): Uint8Array => {
    const [id = ''] = format1.find(([, value = '']) => value.slice(8, 10) === '01') ?? []
    return new Uint8Array(Buffer.from(id.slice(2, 42), 'hex'))
  }

  async function expectFormat1(): Promise<void> {
    await using store = await folder.open()
    const texts = textsOf(await store.rows(key(1)))
    expect(new Set(texts)).toEqual(new Set(['red', 'green', 'blue']))
    expect(await store.rows(key(2))).toMatchObject([{ kind: 'remove' }])
    const [owned] = await store.rows(ownedKey())
    if (owned?.kind !== 'owned') throw new Error('the owned row is lost')
    expect(hex(ownedRegistryKey(owned.owner.publicKey))).toBe(hex(ownedKey()))
    expect(store.usage).toMatchObject({
      rows: 5,
      byClass: { hour: { rows: 1 }, day: { rows: 3 }, week: { rows: 1 } }
    })
    expect(await store.recount()).toBe(false)
  }

  it('is rewritten when it is the first one, and nothing is lost', async () => {
    await withLevel(openFormat1)
    await expectFormat1()
    await expectFormat1()
    const directory = folder.path('store')
    const report = await checkStore({ directory }, folder.clock.unixSeconds())
    expect(report).toMatchObject({ sound: true, keys: 3 })
    await withLevel(async (level) => {
      const old = await level.keys({ gte: Uint8Array.of(0x45), lt: Uint8Array.of(0x46) }).all()
      expect(old).toEqual([])
    })
  })

  it('is rewritten to the end when that was interrupted', async () => {
    await withLevel(openFormat1)
    await expectFormat1()
    // As if the last batches had not been written: two rows are there in the old form only.
    await withLevel(async (level) => {
      await level.del(versionKey)
      await openFormat1(level)
    })
    await expectFormat1()
  })

  it('is refused untouched when it comes from a newer version', async () => {
    await withLevel(async (level) => level.put(versionKey, Uint8Array.of(3)))
    await expect(folder.open()).rejects.toMatchObject({ code: 'storage-newer' })
    const directory = folder.path('store')
    await expect(checkStore({ directory }, 0)).rejects.toMatchObject({ code: 'storage-newer' })
    await withLevel(async (level) => {
      expect(await level.get(versionKey)).toEqual(Buffer.of(3))
    })
  })
})
