import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { RecordStore } from '../src/store/record-store.ts'
import { key, StoreFolder, textsOf } from './store-folder.ts'

const minute = 60_000
const day = 86_400

describe('the record store and a wall clock that jumps', () => {
  let folder: StoreFolder
  let store: RecordStore

  beforeEach(async () => {
    folder = await StoreFolder.create()
    store = await folder.open()
    await store.offer(key(1), [folder.row('short', 3600), folder.row('long', 5 * day)])
  })
  afterEach(async () => folder[Symbol.asyncDispose]())

  const texts = async (): Promise<readonly string[]> => textsOf(await store.rows(key(1)))

  it('hides what a clock put forward calls expired, and has it again when that is put right', async () => {
    folder.clock.adjust(2 * day)
    expect(await texts()).toEqual(['long'])
    folder.clock.advance(5 * minute)
    expect(await store.sweep()).toBe(0)
    folder.clock.adjust(0)
    expect(await texts()).toEqual(['short', 'long'])
  })

  it('believes a clock that stays forward', async () => {
    folder.clock.adjust(2 * day)
    expect(await store.sweep()).toBe(0)
    folder.clock.advance(5 * minute)
    expect(await store.sweep()).toBe(0)
    folder.clock.advance(6 * minute)
    await store.sweep()
    expect(store.usage.rows).toBe(1)
    folder.clock.adjust(0)
    expect(await texts()).toEqual(['long'])
  })

  it('starts to believe anew with each jump', async () => {
    for (let i = 0; i < 5; i++) {
      folder.clock.adjust(2 * day)
      folder.clock.advance(8 * minute)
      expect(await store.sweep()).toBe(0)
      folder.clock.adjust(0)
      folder.clock.advance(minute)
      expect(await store.sweep()).toBe(0)
    }
    expect(await texts()).toEqual(['short', 'long'])
  })

  it('returns nothing that has expired by the clock of the moment, however often that changes', async () => {
    for (const ahead of [-day, 3599, 3600, 0, 5 * day, -1, 5 * day - 1, 0]) {
      folder.clock.adjust(ahead)
      const expected = [...(ahead < 3600 ? ['short'] : []), ...(ahead < 5 * day ? ['long'] : [])]
      expect(await texts()).toEqual(expected)
      expect(await store.sweep()).toBe(0)
    }
  })

  it('keeps what a clock that was put back makes live for longer', async () => {
    folder.clock.adjust(-day)
    folder.clock.advance(3600_000)
    expect(await store.sweep()).toBe(0)
    expect(await texts()).toEqual(['short', 'long'])
  })

  it('deletes nothing because the clock is wrong when the node starts', async () => {
    await store.close()
    folder.clock.adjust(30 * day)
    store = await folder.open()
    folder.clock.advance(minute)
    expect(await store.sweep()).toBe(0)
    folder.clock.adjust(0)
    expect(await texts()).toEqual(['short', 'long'])
  })

  it('deletes after a start what had expired before, and what expired meanwhile after a while', async () => {
    await store.offer(key(2), [folder.row('shortest', 1)])
    folder.clock.advance(1000)
    await store.close()
    folder.clock.adjust(2 * day)
    store = await folder.open()
    expect(await store.sweep()).toBe(1)
    folder.clock.advance(11 * minute)
    await store.sweep()
    expect(store.usage.rows).toBe(1)
  })
})
