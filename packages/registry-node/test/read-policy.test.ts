import { rowFromPut, utf8 } from '@hushlamp/shared'
import { describe, expect, it } from 'vitest'

import { readPolicy } from '../src/overlay/policies.ts'

const key = new Uint8Array(20)
const red = rowFromPut({ key, value: utf8('red'), ttlSeconds: 60 }, 1000)
const blue = rowFromPut({ key, value: utf8('blue'), ttlSeconds: 60 }, 1000)
const times = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item)

describe('a get', () => {
  it('has enough with four holders that agree', () => {
    expect(readPolicy.enough(times(3, [red]), 8)).toBe(false)
    expect(readPolicy.enough(times(4, [red]), 8)).toBe(true)
  })

  it('waits for all where holders have nothing', () => {
    expect(readPolicy.enough(times(7, []), 8)).toBe(false)
  })

  it('waits for all where holders differ', () => {
    expect(readPolicy.enough([...times(3, [red]), [red, blue]], 8)).toBe(false)
    expect(readPolicy.enough([...times(3, [red]), []], 8)).toBe(false)
  })

  it('asks four at first, and all where holders differ or have nothing', () => {
    expect(readPolicy.width([])).toBe(4)
    expect(readPolicy.width(times(3, [red]))).toBe(4)
    expect(readPolicy.width([[red], [blue]])).toBe(8)
    expect(readPolicy.width([[]])).toBe(8)
  })

  it('has enough with all there are in a small network', () => {
    expect(readPolicy.enough(times(2, [red]), 2)).toBe(true)
  })
})
