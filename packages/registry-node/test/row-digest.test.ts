import {
  hex,
  mergeRows,
  rowFromPut,
  rowFromRemove,
  rowPosition,
  sha1,
  utf8
} from '@hushlamp/shared'
import type { RegistryRow } from '@hushlamp/shared'
import { VirtualClock } from '@hushlamp/shared/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Reconciler } from '../src/overlay/reconciler.ts'
import type { OtherHolder } from '../src/overlay/reconciler.ts'
import { missingFrom, rowDigest } from '../src/overlay/row-digest.ts'
import { MemoryStore } from './memory-network.ts'

const now = Math.floor(Date.now() / 1000)
const key = new Uint8Array(20).fill(5)
const put = (name: number, ttlSeconds = 3600): RegistryRow =>
  rowFromPut({ key, value: utf8(`${name}`), secretHash: sha1(utf8('s')), ttlSeconds }, now)
const remove = (name: number): RegistryRow =>
  rowFromRemove({ key, valueHash: sha1(utf8(`${name}`)), secret: utf8('s'), ttlSeconds: 7200 }, now)
const sorted = (rows: readonly RegistryRow[]): readonly RegistryRow[] => mergeRows([rows], now)
/** What counts, without the seconds that are lost on the way. */
const names = (rows: readonly RegistryRow[]): string[] =>
  rows.map((row) => `${row.kind} ${hex(rowPosition(row))}`)

describe('a digest of rows', () => {
  it('is the same for holders that differ by the seconds that handing on costs', () => {
    const row = { ...put(1), expiry: 1200 * 1_500_000 + 600 }
    expect(rowDigest([row])).toEqual(rowDigest([{ ...row, expiry: row.expiry - 40 }]))
  })

  it('tells a tombstone from a put, a renewal from none, and one value from another', () => {
    const digests = [[put(1)], [remove(1)], [put(1, 86_400)], [put(2)], [put(1), put(2)], []]
    const texts = digests.map((rows) => hex(rowDigest(sorted(rows))))
    expect(new Set(texts).size).toBe(digests.length)
  })
})

describe('what another holder misses', () => {
  it('is what it does not have, what it has for shorter, and tombstones of what it has', () => {
    expect(missingFrom([], [put(1)])).toEqual([put(1)])
    expect(missingFrom([put(1, 60)], [put(1, 600)])).toEqual([put(1, 600)])
    expect(missingFrom([put(1)], [remove(1)])).toEqual([remove(1)])
  })

  it('is not what it has, what it has for some seconds less, or what it knows to be removed', () => {
    expect(missingFrom([put(1)], [put(1)])).toEqual([])
    expect(missingFrom([put(1, 600)], [put(1, 640)])).toEqual([])
    expect(missingFrom([remove(1)], [put(1, 86_400)])).toEqual([])
  })
})

describe('two holders that reconcile', () => {
  const marginSeconds = 5

  async function reconcile(mine: readonly RegistryRow[], theirs: readonly RegistryRow[]) {
    const [here, there] = [new MemoryStore(), new MemoryStore()]
    await here.offer(key, mine)
    await there.offer(key, theirs)
    const asked: string[] = []
    const other: OtherHolder = {
      id: 'other',
      compare: async (keys) => {
        const rows = await there.rows(key)
        const same = hex(rowDigest(rows)) === hex(keys[0]?.digest ?? new Uint8Array())
        asked.push('compare')
        return {
          differing: same || rows.length === 0 ? [] : [0],
          absent: rows.length === 0 ? [0] : []
        }
      },
      fetch: async () => {
        asked.push('fetch')
        return there.rows(key)
      },
      store: async (_, rows) => {
        asked.push('store')
        await there.offer(key, rows)
      }
    }
    const clock = new VirtualClock(now)
    const reconciler = new Reconciler({ clock, store: here }, { marginSeconds })
    await reconciler.reconcile(other, [{ key, rows: await here.rows(key) }])
    return { asked, here: await here.rows(key), there: await there.rows(key) }
  }

  it('both have the union, and removes win', async () => {
    const { here, there } = await reconcile([put(1), put(2), remove(3)], [put(2), put(3), put(4)])
    const union = names(sorted([put(1), put(2), remove(3), put(4)]))
    expect(names(here)).toEqual(union)
    expect(names(there)).toEqual(union)
  })

  it('exchange one message where nothing differs', async () => {
    expect((await reconcile([put(1)], [put(1)])).asked).toEqual(['compare'])
  })

  it('do not ask for the rows of one who has none', async () => {
    expect((await reconcile([put(1)], [])).asked).toEqual(['compare', 'store'])
  })

  it('never make a life longer', async () => {
    const { there } = await reconcile([put(1)], [])
    expect(there[0]?.expiry).toBe(put(1).expiry - marginSeconds)
  })

  it('have the same whatever they had', async () => {
    const rows = fc.uniqueArray(fc.nat(6), { maxLength: 5 })
    const removed = fc.uniqueArray(fc.nat(6), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(rows, removed, rows, removed, async (a, aRemoved, b, bRemoved) => {
        const mine = [...aRemoved.map(remove), ...a.map((name) => put(name))]
        const theirs = [...bRemoved.map(remove), ...b.map((name) => put(name))]
        fc.pre(mine.length > 0)
        const { here, there } = await reconcile(mine, theirs)
        expect(names(here)).toEqual(names(sorted([...mine, ...theirs])))
        expect(names(there)).toEqual(names(here))
      })
    )
  })
})
