import { rowFromRemove, sha1, utf8 } from '@hushlamp/shared'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Admission, AdmissionRequest } from '../src/admission/admission.ts'
import type { RecordStore } from '../src/store/record-store.ts'
import { noUsage } from '../src/store/usage.ts'
import type { StoreUsage } from '../src/store/usage.ts'
import { key, keyOf, StoreFolder, textsOf } from './store-folder.ts'

class AskedAdmission implements Admission {
  readonly asked: AdmissionRequest[] = []
  readonly usages: StoreUsage[] = []
  answer = true

  admit(request: AdmissionRequest, usage: StoreUsage): boolean {
    this.asked.push(request)
    this.usages.push(usage)
    return this.answer
  }
}

describe('the store and its admission', () => {
  let folder: StoreFolder
  let admission: AskedAdmission
  let store: RecordStore
  const secret = utf8('secret')

  beforeEach(async () => {
    folder = await StoreFolder.create()
    admission = new AskedAdmission()
    store = await folder.open('store', { admission })
  })
  afterEach(async () => folder[Symbol.asyncDispose]())

  it('asks before a row takes a new place, and says what it knows of it', async () => {
    const rows = [folder.row('red', 60), folder.row('blue', 7 * 86_400)]
    await store.offer(key(1), rows, { source: 'gateway', effort: [0, 12] })
    expect(admission.asked).toEqual([
      { class: 'hour', bytes: expect.any(Number), renewal: false, effort: 0, source: 'gateway' },
      { class: 'week', bytes: expect.any(Number), renewal: false, effort: 12, source: 'gateway' }
    ])
    const [red, blue] = admission.asked
    expect(admission.usages[1]?.byClass.hour).toEqual({ rows: 1, bytes: red?.bytes })
    expect(store.usage.byClass.week).toEqual({ rows: 1, bytes: blue?.bytes })
    expect(store.usage.bytes).toBe((red?.bytes ?? 0) + (blue?.bytes ?? 0))
  })

  it('counts by the TTL that a row asks for', async () => {
    const ttls = [1, 3600, 3601, 86_400, 86_401, 604_800]
    for (const ttl of ttls) await store.offer(keyOf(`${ttl}`), [folder.row('value', ttl)])
    const classes = ['hour', 'hour', 'day', 'day', 'week', 'week']
    expect(admission.asked.map((request) => request.class)).toEqual(classes)
    expect(store.usage).toMatchObject({
      rows: 6,
      byClass: { hour: { rows: 2 }, day: { rows: 2 }, week: { rows: 2 } }
    })
  })

  it('calls it a renewal when a row that is live stays longer', async () => {
    await store.offer(key(1), [folder.row('red', 60)])
    await store.offer(key(1), [folder.row('red', 600)])
    expect(admission.asked[1]).toMatchObject({ class: 'hour', bytes: 0, renewal: true })
    await store.offer(key(1), [folder.row('red', 6000)])
    expect(admission.asked[2]).toMatchObject({ class: 'day', renewal: true })
    expect(admission.asked[2]?.bytes).toBe(admission.asked[0]?.bytes)
    expect(store.usage.byClass).toMatchObject({ hour: { rows: 0, bytes: 0 }, day: { rows: 1 } })
    folder.clock.advance(6_001_000)
    await store.offer(key(1), [folder.row('red', 60)])
    expect(admission.asked[3]).toMatchObject({ class: 'hour', renewal: false })
  })

  it('does not ask for what changes nothing, nor for what frees a place earlier', async () => {
    const put = { ...folder.row('red', 600), secretHash: sha1(secret) }
    await store.offer(key(1), [put, folder.row('blue', 600)])
    await store.offer(key(1), [put, folder.row('blue', 60)])
    const remove = { key: key(1), valueHash: put.valueHash, secret, ttlSeconds: 600 }
    await store.offer(key(1), [rowFromRemove(remove, folder.clock.unixSeconds())])
    expect(admission.asked).toHaveLength(2)
    expect(textsOf(await store.rows(key(1)))).toEqual(['blue'])
  })

  it('calls a remove that outlives its put a renewal without growth', async () => {
    const put = { ...folder.row('red', 60), secretHash: sha1(secret) }
    await store.offer(key(1), [put])
    const remove = { key: key(1), valueHash: put.valueHash, secret, ttlSeconds: 120 }
    await store.offer(key(1), [rowFromRemove(remove, folder.clock.unixSeconds())])
    expect(admission.asked[1]).toMatchObject({ class: 'hour', bytes: 0, renewal: true })
    expect(store.usage.rows).toBe(1)
  })

  it('refuses with 1 what is not admitted, and keeps what was there', async () => {
    await store.offer(key(1), [folder.row('red', 60)])
    const before = store.usage
    admission.answer = false
    const codes = await store.offer(key(1), [folder.row('red', 600), folder.row('blue', 60)])
    expect(codes).toEqual([1, 1])
    expect(store.usage).toEqual(before)
    folder.clock.advance(59_000)
    expect(textsOf(await store.rows(key(1)))).toEqual(['red'])
  })

  it('does not ask where the key itself is full', async () => {
    const rows = Array.from({ length: 64 }, (_, i) => folder.row(`value ${i}`))
    await store.offer(key(1), rows)
    expect(await store.offer(key(1), [folder.row('one more')])).toEqual([1])
    expect(admission.asked).toHaveLength(64)
  })

  it('lets nobody make a key grow by values that expire at once', async () => {
    await store.close()
    folder.clock.advance(1000)
    store = await folder.open('store', { admission })
    // The computer was asleep: nothing may be deleted yet by the clock that it has now.
    folder.clock.adjust(100_000)
    let stored = 0
    for (let second = 0; second < 10; second++) {
      const rows = Array.from({ length: 64 }, (_, i) => folder.row(`${second} ${i}`, 1))
      const codes = await store.offer(key(1), rows)
      stored += codes.filter((code) => code === 0).length
      folder.clock.adjust(100_000 + 2 * (second + 1))
    }
    expect(stored).toBe(128)
  })

  it('counts nothing any more when all has been swept', async () => {
    await store.offer(key(1), [folder.row('red', 60), folder.row('blue', 100_000)])
    folder.clock.advance(100_001_000)
    await store.sweep()
    expect(store.usage).toEqual(noUsage)
  })
})
