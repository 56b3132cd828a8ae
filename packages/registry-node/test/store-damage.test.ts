import { appendFile, cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { hex, isHushlampError } from '@hushlamp/shared'
import type { RegistryRow } from '@hushlamp/shared'
import { seededRandom } from '@hushlamp/shared/test-inputs'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { lineLogger } from '../src/log.ts'
import { checkStore, repairStore } from '../src/store/doctor.ts'
import { countersKey, rowsKey } from '../src/store/row-codec.ts'
import { key, keyOf, StoreFolder, textsOf } from './store-folder.ts'

const keys = 120
const text = (n: number, i: number): string => `value ${i} of key ${n}`.padEnd(100, '.')

describe('a damaged store', () => {
  let folder: StoreFolder
  const now = (): number => folder.clock.unixSeconds()

  /** A store of which one part is in tables and another still in the log. */
  beforeAll(async () => {
    folder = await StoreFolder.create()
    for (const half of [0, 1]) {
      const store = await folder.open('whole')
      const offers = Array.from({ length: keys / 2 }, async (_, i) => {
        const n = half * (keys / 2) + i
        await store.offer(
          keyOf(`${n}`),
          [0, 1].map((each) => folder.row(text(n, each), 3600))
        )
      })
      await Promise.all(offers)
      await store.close()
    }
  })
  afterAll(async () => folder[Symbol.asyncDispose]())

  /** Counts the rows that a store gives, and fails if one of them was never put. */
  async function readAll(
    read: (key: Uint8Array) => Promise<readonly RegistryRow[]>
  ): Promise<{ rows: number; failures: number }> {
    let [rows, failures] = [0, 0]
    const readOne = async (n: number): Promise<void> => {
      try {
        const found = textsOf(await read(keyOf(`${n}`)))
        for (const each of found) expect([text(n, 0), text(n, 1)]).toContain(each)
        rows += found.length
      } catch (error) {
        if (!isHushlampError(error, 'storage-corrupt')) throw error
        failures++
      }
    }
    await Promise.all(Array.from({ length: keys }, async (_, n) => readOne(n)))
    return { rows, failures }
  }

  async function damage(directory: string, seed: string): Promise<string> {
    const random = seededRandom(seed)
    const number = (below: number): number =>
      new DataView(random.bytes(4).buffer).getUint32(0) % below
    const files = (await readdir(directory)).filter((file) => !/^(LOCK|LOG.*)$/.test(file))
    const name = files[number(files.length)] ?? ''
    const file = join(directory, name)
    const bytes = await readFile(file)
    switch (number(4)) {
      case 0:
        await truncate(file, number(bytes.length + 1))
        break
      case 1:
        await rm(file)
        break
      case 2:
        await appendFile(file, random.bytes(1 + number(5000)))
        break
      default:
        for (let flips = 1 + number(20); flips > 0 && bytes.length > 0; flips--) {
          const at = number(bytes.length)
          bytes[at] = (bytes[at] ?? 0) ^ (1 << number(8))
        }
        await writeFile(file, bytes)
    }
    return name
  }

  it.each(Array.from({ length: 30 }, (_, i) => i))(
    'gives right data or a clear error, and can be repaired (damage %i)',
    async (seed) => {
      const name = `damaged-${seed}`
      const directory = folder.path(name)
      await cp(folder.path('whole'), directory, { recursive: true })
      await damage(directory, name)
      const errors: unknown[] = []
      const opened = await folder.open(name).catch((error: unknown) => void errors.push(error))
      if (opened !== undefined) {
        await readAll(async (each) => opened.rows(each))
        const codes = await opened
          .offer(key(1), [folder.row('new')])
          .catch((error: unknown) => void errors.push(error))
        if (codes !== undefined && codes[0] !== 0) errors.push(codes)
        await opened.close().catch((error: unknown) => void errors.push(error))
      }
      expect(errors.filter((error) => !isHushlampError(error, 'storage-corrupt'))).toEqual([])
      expect(await repairStore({ directory }, now())).toMatchObject({ sound: true })
      await using store = await folder.open(name)
      expect(await readAll(async (each) => store.rows(each))).toMatchObject({ failures: 0 })
      expect(await store.offer(key(2), [folder.row('new')])).toEqual([0])
    }
  )

  /** Changes what the database holds under a key, behind the back of the store. */
  async function tamper(
    name: string,
    id: Uint8Array,
    change: (value: Uint8Array) => Uint8Array | undefined
  ): Promise<void> {
    const level = new ClassicLevel<Uint8Array, Uint8Array>(folder.path(name), {
      keyEncoding: 'view',
      valueEncoding: 'view'
    })
    const value = change((await level.get(id)) ?? new Uint8Array())
    await (value === undefined ? level.del(id) : level.put(id, value))
    await level.close()
  }

  it('leaves out one damaged row, gives the others, and says how many it left out', async () => {
    await cp(folder.path('whole'), folder.path('one'), { recursive: true })
    const target = keyOf('7')
    await tamper('one', rowsKey(target), (value) => {
      const changed = new Uint8Array(value)
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
      return changed
    })
    const lines: string[] = []
    const store = await folder.open('one', {
      logger: lineLogger('debug', (line) => lines.push(line))
    })
    expect(await store.rows(target)).toHaveLength(1)
    expect(await store.rows(target)).toHaveLength(1)
    expect(await readAll(async (each) => store.rows(each))).toEqual({
      rows: 2 * keys - 1,
      failures: 0
    })
    expect(store.damagedRows).toBe(1)
    folder.clock.advance(10_000)
    await store.sweep()
    await expect.poll(() => lines).toHaveLength(1)
    expect(lines[0]).toContain('1')
    expect(lines.join()).not.toContain(hex(target).slice(0, 8))

    await store.offer(target, [folder.row('new')])
    expect(await store.rows(target)).toHaveLength(2)
    await store.close()
    const report = await checkStore({ directory: folder.path('one') }, now())
    expect(report).toMatchObject({ damagedRows: 0, miscounted: true, sound: false })
    await using again = await folder.open('one')
    expect(await again.recount()).toBe(true)
    expect(again.usage.rows).toBe(2 * keys)
  })

  it('counts anew where the counters are lost or wrong', async () => {
    await cp(folder.path('whole'), folder.path('counters'), { recursive: true })
    for (const lost of [undefined, new Uint8Array(3), new Uint8Array(57)]) {
      await tamper('counters', countersKey, () => lost)
      await using store = await folder.open('counters')
      expect(store.usage.rows).toBe(2 * keys)
      expect(await store.recount()).toBe(false)
    }
  })

  it('repairs an index that leads nowhere or is incomplete', async () => {
    await cp(folder.path('whole'), folder.path('index'), { recursive: true })
    const expiry = folder.row('', 3600).expiry
    const level = new ClassicLevel<Uint8Array, Uint8Array>(folder.path('index'), {
      keyEncoding: 'view',
      valueEncoding: 'view'
    })
    const index = await level.keys({ gte: Uint8Array.of(0x49), lt: Uint8Array.of(0x4a) }).all()
    expect(index).toHaveLength(keys)
    const stray = Uint8Array.from(index[0] ?? [])
    stray[4] = (stray[4] ?? 0) - 1
    await level.batch([
      { type: 'del', key: index[5] ?? new Uint8Array() },
      { type: 'put', key: stray, value: new Uint8Array() }
    ])
    await level.close()
    const init = { directory: folder.path('index') }
    expect(await checkStore(init, now())).toMatchObject({ misindexed: 2, sound: false })
    expect(await repairStore(init, now())).toMatchObject({ sound: true, keys })
    await using store = await folder.open('index')
    folder.clock.advance(1000 * (expiry - now()))
    await store.sweep()
    expect(store.usage.rows).toBe(0)
  })

  it('is not sought where there is none, nor where a node runs', async () => {
    const init = { directory: folder.path('nowhere') }
    await expect(checkStore(init, now())).rejects.toMatchObject({ code: 'storage-failed' })
    await using store = await folder.open('running')
    const running = { directory: folder.path('running') }
    await expect(checkStore(running, now())).rejects.toMatchObject({ code: 'storage-locked' })
    await expect(repairStore(running, now())).rejects.toMatchObject({ code: 'storage-locked' })
    expect(await store.offer(key(1), [folder.row('new')])).toEqual([0])
  })
})
