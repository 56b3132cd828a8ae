import { rowFromPut, rowFromRemove, sha1, utf8 } from '@hushlamp/shared'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { CapacityOnly } from '../src/admission/admission.ts'
import type { RecordStore } from '../src/store/record-store.ts'
import { key, StoreFolder } from './store-folder.ts'

const secret = utf8('secret')
const where = { keyNumber: fc.nat(3), value: fc.constantFrom('red', 'green', 'blue') }
const ttlSeconds = fc.constantFrom(1, 30, 3600, 7200, 86_400, 604_800)
const step = fc.oneof(
  fc.record({ ...where, kind: fc.constant('put' as const), ttlSeconds, removable: fc.boolean() }),
  fc.record({ ...where, kind: fc.constant('remove' as const), ttlSeconds }),
  fc.record({
    kind: fc.constant('advance' as const),
    seconds: fc.constantFrom(1, 60, 4000, 90_000)
  }),
  fc.record({ kind: fc.constant('adjust' as const), seconds: fc.constantFrom(-4000, 0, 90_000) }),
  fc.record({ kind: fc.constantFrom('sweep' as const, 'reopen' as const) })
)

describe('the counters of the store', () => {
  it('equal a recount after whatever has happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await using folder = await StoreFolder.create()
        const open = async (): Promise<RecordStore> =>
          folder.open('store', { admission: new CapacityOnly({ maxBytes: 1500 }) })
        let store = await open()
        for (const each of steps) {
          const now = folder.clock.unixSeconds()
          switch (each.kind) {
            case 'put': {
              const request = {
                key: key(each.keyNumber),
                value: utf8(each.value),
                ttlSeconds: each.ttlSeconds,
                ...(each.removable && { secretHash: sha1(secret) })
              }
              await store.offer(request.key, [rowFromPut(request, now)])
              break
            }
            case 'remove': {
              const request = {
                key: key(each.keyNumber),
                valueHash: sha1(utf8(each.value)),
                secret,
                ttlSeconds: each.ttlSeconds
              }
              await store.offer(request.key, [rowFromRemove(request, now)])
              break
            }
            case 'advance':
              folder.clock.advance(1000 * each.seconds)
              break
            case 'adjust':
              folder.clock.adjust(each.seconds)
              break
            case 'sweep':
              await store.sweep()
              break
            case 'reopen':
              await store.close()
              store = await open()
              break
            default:
              each satisfies never
          }
        }
        await store.sweep()
        expect(await store.recount()).toBe(false)
        const counts = Object.values(store.usage.byClass)
        expect(counts.every(({ rows, bytes }) => rows >= 0 && bytes >= rows)).toBe(true)
        expect(counts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(store.usage.bytes)
      }),
      { numRuns: 40 }
    )
  })
})
