import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { rowFromPut, rowFromRemove, sha1, utf8 } from '@hushlamp/shared'
import { VirtualClock } from '@hushlamp/shared/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { CapacityOnly } from '../src/admission/admission.ts'
import { silentLogger } from '../src/log.ts'
import { RecordStore } from '../src/store/record-store.ts'
import { noUsage } from '../src/store/usage.ts'

const key = (n: number): Uint8Array => new Uint8Array(20).fill(n)

describe('the record store', () => {
  let directory: string
  let clock: VirtualClock
  let store: RecordStore
  const open = async (name = 'store', maxBytes = 1_000_000): Promise<RecordStore> =>
    RecordStore.open(
      { clock, logger: silentLogger, admission: new CapacityOnly({ maxBytes }) },
      { directory: join(directory, name) }
    )
  const row = (value: string, ttlSeconds = 60) =>
    rowFromPut({ key: key(1), value: utf8(value), ttlSeconds }, clock.unixSeconds())

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hushlamp-store-'))
    clock = new VirtualClock()
    store = await open()
  })
  afterEach(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('gives back rows of a key in the order of their positions', async () => {
    const offered = ['red', 'green', 'blue'].map((value) => row(value))
    await store.offer(key(1), offered)
    await store.offer(key(2), [row('other key')])
    const order = offered.sort((a, b) => Buffer.compare(a.valueHash, b.valueHash))
    expect(await store.rows(key(1))).toEqual(order)
  })

  it('answers each of many offers at the same moment, and loses none', async () => {
    const codes = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => store.offer(key(1), [row(`value ${i}`)]))
    )
    expect(codes.flat().every((code) => code === 0)).toBe(true)
    expect(await store.rows(key(1))).toHaveLength(64)
    expect(await store.offer(key(1), [row('one more'), row('value 3')])).toEqual([1, 0])
  })

  it('keeps what it acknowledged when the process ends without closing it', async () => {
    await store.offer(key(1), [row('acknowledged')])
    // What is on disk at this moment is what a crash would leave.
    await cp(join(directory, 'store'), join(directory, 'crashed'), { recursive: true })
    await store.offer(key(1), [row('later')])
    await rm(join(directory, 'crashed', 'LOCK'), { force: true })
    const reopened = await open('crashed')
    expect(await reopened.rows(key(1))).toEqual([row('acknowledged')])
    expect(reopened.usage.rows).toBe(1)
    await reopened.close()
  })

  it('counts rows and bytes, and knows them after reopening', async () => {
    await store.offer(key(1), [row('red'), row('blue')])
    await store.offer(key(1), [row('red', 600)])
    const { usage } = store
    expect(usage.rows).toBe(2)
    await store.close()
    store = await open()
    expect(store.usage).toEqual(usage)
  })

  it('never returns an expired row, swept or not', async () => {
    await store.offer(key(1), [row('short', 10), row('long', 100)])
    clock.advance(10_000 - 1)
    expect(await store.rows(key(1))).toHaveLength(2)
    clock.advance(1)
    expect(await store.rows(key(1))).toEqual([expect.objectContaining({ value: utf8('long') })])
  })

  it('sweeps what has expired and nothing else, and counts it off', async () => {
    const old = Array.from({ length: 1200 }, (_, i) => row(`old ${i}`, 10))
    await Promise.all(old.map(async (one, i) => store.offer(sha1(utf8(`key ${i}`)), [one])))
    await store.offer(key(1), [row('kept', 10)])
    await store.offer(key(1), [row('kept', 100)])
    expect(store.usage.rows).toBe(1201)
    clock.advance(11_000)
    await store.sweep()
    expect(store.usage.rows).toBe(1)
    expect(await store.rows(key(1))).toHaveLength(1)
    clock.advance(100_000)
    await store.sweep()
    expect(store.usage).toEqual(noUsage)
  })

  it('refuses beyond its capacity, evicts nothing, and still takes renewals and removes', async () => {
    await store.close()
    store = await open('small', 20_000)
    const secret = utf8('secret')
    const first = rowFromPut(
      { key: key(1), value: utf8('first'), ttlSeconds: 60, secretHash: sha1(secret) },
      clock.unixSeconds()
    )
    expect(await store.offer(key(1), [first])).toEqual([0])
    const codes: number[] = []
    for (let i = 0; i < 200; i++) {
      codes.push(...(await store.offer(sha1(utf8(`key ${i}`)), [row(`flood ${i}`)])))
    }
    const stored = codes.filter((code) => code === 0).length
    expect(stored).toBeGreaterThan(10)
    expect(codes.slice(stored).every((code) => code === 1)).toBe(true)
    expect(store.usage.bytes).toBeLessThanOrEqual(20_000)
    expect(await store.rows(key(1))).toEqual([first])
    const renewed = { ...first, expiry: first.expiry + 60 }
    expect(await store.offer(key(1), [renewed])).toEqual([0])
    const remove = rowFromRemove(
      { key: key(1), valueHash: sha1(utf8('first')), secret, ttlSeconds: 600 },
      clock.unixSeconds()
    )
    expect(await store.offer(key(1), [remove])).toEqual([0])
    clock.advance(61_000)
    await store.sweep()
    expect(await store.offer(key(3), [row('new')])).toEqual([0])
  })

  it('goes on reading and writing while it sweeps', async () => {
    const old = Array.from({ length: 6000 }, (_, i) => row(`old ${i}`, 10))
    await Promise.all(old.map(async (one, i) => store.offer(sha1(utf8(`key ${i}`)), [one])))
    await store.offer(key(1), [row('kept', 100)])
    clock.advance(9_999)
    const swept = new AbortController()
    let reads = 0
    let writes = 0
    const reader = (async () => {
      while (!swept.signal.aborted) reads += (await store.rows(key(1))).length
    })()
    const writer = (async () => {
      while (!swept.signal.aborted) {
        const [code] = await store.offer(sha1(utf8(`new ${writes}`)), [row('new', 100)])
        if (code === 0) writes++
      }
    })()
    clock.advance(2000)
    await store.sweep()
    swept.abort()
    await Promise.all([reader, writer])
    // A chunk has a thousand rows at most, and after each one others have their turn.
    expect(reads).toBeGreaterThanOrEqual(6)
    expect(writes).toBeGreaterThanOrEqual(6)
    expect(store.usage.rows).toBe(1 + writes)
  })

  it('goes through all keys', async () => {
    for (let i = 0; i < 40; i++) {
      const rows = Array.from({ length: 10 }, (_, n) => row(`value ${n}`))
      await store.offer(sha1(utf8(`key ${i}`)), rows)
    }
    const seen: number[] = []
    for await (const { rows } of store.entries()) seen.push(rows.length)
    expect(seen).toEqual(Array.from({ length: 40 }, () => 10))
  })

  it('says that another process has the folder', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'storage-locked' })
  })
})
