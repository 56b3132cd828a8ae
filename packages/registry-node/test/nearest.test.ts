import { compareBytes } from '@hushlamp/shared'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { distance } from '../src/overlay/distance.ts'
import { nearest } from '../src/overlay/nearest.ts'

it('finds the same as sorting by the distance written out', () => {
  // Few different bytes, so that many places share their beginning.
  const place = fc.uint8Array({ minLength: 6, maxLength: 6, max: 2 })
  fc.assert(
    fc.property(fc.array(place), place, fc.integer({ min: 1, max: 9 }), (places, target, count) => {
      const sorted = places.toSorted((a, b) =>
        compareBytes(distance(a, target), distance(b, target))
      )
      expect(nearest(places, (at) => at, target, count)).toEqual(sorted.slice(0, count))
    })
  )
})
