import { cp, readdir } from 'node:fs/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { checkStore } from '../src/store/doctor.ts'
import type { RecordStore } from '../src/store/record-store.ts'
import { keyOf, StoreFolder, textsOf } from './store-folder.ts'

const keys = 2000

describe('a backup of the store', () => {
  let folder: StoreFolder
  let store: RecordStore
  const put = async (text: string): Promise<unknown> =>
    store.offer(keyOf(text), [folder.row(text, 3600)])

  beforeEach(async () => {
    folder = await StoreFolder.create()
    store = await folder.open()
    await Promise.all(Array.from({ length: keys }, async (_, i) => put(`value ${i}`)))
  })
  afterEach(async () => folder[Symbol.asyncDispose]())

  it('holds exactly what was there when it was begun, whatever is put or swept meanwhile', async () => {
    await put('before')
    let later = 0
    const backup = store.backup(folder.path('backup'), {
      progress: () => {
        void put(`later ${later++}`)
      }
    })
    await put('meanwhile')
    folder.clock.advance(3_601_000)
    await store.sweep()
    await backup
    expect(later).toBeGreaterThan(1)
    const directory = folder.path('backup')
    const report = await checkStore({ directory }, folder.clock.unixSeconds())
    expect(report).toMatchObject({ sound: true, usage: { rows: keys + 1 } })
    expect(report.keys).toBe(keys + 1)
  })

  it('is restored by putting it where the store was', async () => {
    await store.backup(folder.path('backup'))
    await store.close()
    await cp(folder.path('backup'), folder.path('restored'), { recursive: true })
    await using restored = await folder.open('restored')
    expect(restored.usage).toEqual(store.usage)
    for (const text of ['value 0', `value ${keys - 1}`]) {
      expect(textsOf(await restored.rows(keyOf(text)))).toEqual([text])
    }
    expect(await restored.offer(keyOf('new'), [folder.row('new')])).toEqual([0])
  })

  it('tells how far it is', async () => {
    const progress: unknown[] = []
    await store.backup(folder.path('backup'), { progress: (done) => progress.push(done) })
    expect(progress.at(-1)).toEqual({ rows: keys, of: keys })
  })

  it('overwrites nothing', async () => {
    await store.backup(folder.path('backup'))
    await expect(store.backup(folder.path('backup'))).rejects.toMatchObject({
      code: 'storage-exists'
    })
  })

  it('leaves nothing behind when it is broken off', async () => {
    const controller = new AbortController()
    const backup = store.backup(folder.path('backup'), {
      signal: controller.signal,
      progress: () => controller.abort()
    })
    await expect(backup).rejects.toMatchObject({ code: 'aborted' })
    expect(await readdir(folder.directory)).toEqual(['store'])
  })

  it('ends when the store is closed, without a result', async () => {
    const backup = store.backup(folder.path('backup'), {
      progress: () => {
        void store.close()
      }
    })
    await expect(backup).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await readdir(folder.directory)).toEqual(['store'])
  })
})
