import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  hasRoom,
  hex,
  mergeRow,
  mergeRows,
  pageOf,
  rowFromPut,
  rowFromRemove,
  rowPosition,
  sha1,
  utf8
} from '../src/index.ts'
import type { RegistryRow } from '../src/index.ts'

const now = 1_000_000
const secrets = [utf8('one'), utf8('two')]
const values = [utf8('red'), utf8('blue'), utf8('green')]
const key = new Uint8Array(20)

/** Rows of few positions and expiries, some expired, so that they meet each other. */
const anyRow: fc.Arbitrary<RegistryRow> = fc
  .record({
    remove: fc.boolean(),
    value: fc.constantFrom(...values),
    secret: fc.constantFrom(undefined, ...secrets),
    ttlSeconds: fc.integer({ min: 1, max: 6 })
  })
  .map(({ remove, value, secret, ttlSeconds }) =>
    remove
      ? rowFromRemove(
          { key, valueHash: sha1(value), secret: secret ?? utf8('none'), ttlSeconds },
          now - 2
        )
      : rowFromPut({ key, value, ttlSeconds, ...(secret && { secretHash: sha1(secret) }) }, now - 2)
  )
const anyRows = fc.array(anyRow, { maxLength: 12 })
const merge = (...lists: (readonly RegistryRow[])[]) => mergeRows(lists, now)

describe('merging rows', () => {
  it('is commutative', () => {
    fc.assert(
      fc.property(anyRows, anyRows, (a, b) => {
        expect(merge(a, b)).toEqual(merge(b, a))
      })
    )
  })

  it('is associative', () => {
    fc.assert(
      fc.property(anyRows, anyRows, anyRows, (a, b, c) => {
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)))
      })
    )
  })

  it('is idempotent', () => {
    fc.assert(
      fc.property(anyRows, (a) => {
        expect(merge(merge(a), a)).toEqual(merge(a))
      })
    )
  })

  it('keeps no expired row, and every other position', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const merged = merge(rows)
        expect(merged.every((row) => row.expiry > now)).toBe(true)
        const live = rows.filter((row) => row.expiry > now).map((row) => hex(rowPosition(row)))
        expect(merged.map((row) => hex(rowPosition(row)))).toEqual([...new Set(live)].sort())
      })
    )
  })

  it('answers the existing row itself where nothing changes', () => {
    const existing = rowFromPut({ key, value: utf8('red'), ttlSeconds: 10 }, now)
    const shorter = rowFromPut({ key, value: utf8('red'), ttlSeconds: 5 }, now)
    expect(mergeRow(existing, shorter, now)).toBe(existing)
  })

  it('lets a remove win over a put that would live longer', () => {
    const secret = utf8('one')
    const put = rowFromPut(
      { key, value: utf8('red'), ttlSeconds: 500, secretHash: sha1(secret) },
      now
    )
    const remove = rowFromRemove({ key, valueHash: sha1(utf8('red')), secret, ttlSeconds: 5 }, now)
    expect(mergeRow(put, remove, now)).toBe(remove)
    expect(mergeRow(remove, put, now)).toBe(remove)
    expect(mergeRow(remove, put, now + 5)).toBe(put)
  })
})

describe('pages', () => {
  it('cover all values once, whatever their length', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 5 }), (rows, maxValues) => {
        const merged = merge(rows)
        const listed: string[] = []
        let placemark: Uint8Array = new Uint8Array()
        do {
          const page = pageOf(merged, { key, maxValues, placemark }, now)
          listed.push(...page.values.map(({ value, secretHash }) => hex(value) + hex(secretHash)))
          placemark = page.placemark
        } while (placemark.length > 0)
        const all = merged.flatMap((row) =>
          row.kind === 'remove' ? [] : [hex(row.value) + hex(row.secretHash)]
        )
        expect(listed).toEqual(all)
      })
    )
  })
})

describe('the room of a key', () => {
  const rows = Array.from({ length: 64 }, (_, i) =>
    rowFromPut({ key, value: utf8(`value ${i}`), ttlSeconds: i < 63 ? 100 : 10 }, now)
  )
  const one = rowFromPut({ key, value: utf8('one more'), ttlSeconds: 100 }, now)

  it('ends at 64 live rows', () => {
    expect(hasRoom(rows, one, now)).toBe(false)
    expect(hasRoom(rows, one, now + 10)).toBe(true)
    expect(hasRoom(rows.slice(1), one, now)).toBe(true)
  })
})
