import { compareBytes, sha256, utf8 } from '@hushlamp/shared'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { distance } from '../src/overlay/distance.ts'
import { estimateNetworkSize } from '../src/status/network-size.ts'

const neighbours = 16

function network(name: string, size: number): Uint8Array[] {
  return Array.from({ length: size }, (_, i) => sha256(utf8(`${name} ${i}`)))
}

/** What a node at `place` sees of the others. */
function around(place: Uint8Array, nodes: readonly Uint8Array[]): Uint8Array[] {
  return nodes
    .filter((node) => node !== place)
    .map((node) => distance(node, place))
    .sort(compareBytes)
    .slice(0, neighbours)
}

describe('the estimate of the size of a network', () => {
  it.each([1, 2, 3, 9, 40])('is what a node knows, while it knows all %i nodes', (size) => {
    const nodes = network('small', size)
    const estimates = nodes.map((node) => estimateNetworkSize([around(node, nodes)], size))
    const wrong = estimates.filter((estimate) => estimate !== size)
    // Two standard deviations are exceeded now and then.
    expect(wrong.length).toBeLessThanOrEqual(Math.ceil(size * 0.1))
  })

  it.each([300, 1500])('is right on the average where a node knows few of %i nodes', (size) => {
    const nodes = network('large', size)
    const estimates = nodes
      .slice(0, 120)
      .map((node) => estimateNetworkSize([around(node, nodes)], neighbours + 1))
    const mean = estimates.reduce((sum, estimate) => sum + estimate, 0) / estimates.length
    expect(mean).toBeGreaterThan(size * 0.9)
    expect(mean).toBeLessThan(size * 1.1)
  })

  it('comes closer the more places it looks at', () => {
    const nodes = network('places', 1000)
    const places = network('elsewhere', 120)
    const all = places.map((place) => around(place, nodes))
    const errorOf = (estimate: number): number => Math.abs(estimate - 1000)
    const alone = all.map((one) => errorOf(estimateNetworkSize([one], 1)))
    const meanAlone = alone.reduce((sum, error) => sum + error, 0) / alone.length
    expect(errorOf(estimateNetworkSize(all, 1))).toBeLessThan(meanAlone / 3)
  })

  it('is a whole number, and never less than what is known, whatever the distances are', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(fc.array(fc.array(bytes, { maxLength: 20 })), fc.nat(5000), (places, known) => {
        const sorted = places.map((distances) => distances.toSorted(compareBytes))
        const estimate = estimateNetworkSize(sorted, known)
        expect(Number.isSafeInteger(estimate) || estimate > 2 ** 53).toBe(true)
        expect(Number.isFinite(estimate)).toBe(true)
        expect(estimate).toBeGreaterThanOrEqual(known)
      })
    )
  })
})
