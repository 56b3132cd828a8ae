import {
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  utf8,
  verifyOwnership
} from '@hushlamp/shared'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { RoundTrip } from '../src/overlay/round-trip.ts'
import { rememberingVerify } from '../src/overlay/verified-ownerships.ts'
import type { VerifyOwnership } from '../src/overlay/wire.ts'

describe('the round trip of a peer', () => {
  const bounds = { minMs: 30, maxMs: 4000 }

  it('may be as long as it likes while nothing is known', () => {
    expect(new RoundTrip().timeoutMs(bounds)).toBe(4000)
    expect(new RoundTrip().hedgeMs(bounds)).toBe(4000)
  })

  it('comes close to what it always is', () => {
    const roundTrip = new RoundTrip()
    for (let i = 0; i < 50; i++) roundTrip.sample(200)
    expect(roundTrip.hedgeMs(bounds)).toBeCloseTo(200, 0)
    expect(roundTrip.timeoutMs(bounds)).toBeCloseTo(200, 0)
  })

  it('is given more time where it varies', () => {
    const roundTrip = new RoundTrip()
    for (let i = 0; i < 50; i++) roundTrip.sample(i % 2 === 0 ? 100 : 300)
    expect(roundTrip.hedgeMs(bounds)).toBeGreaterThan(300)
    expect(roundTrip.timeoutMs(bounds)).toBeGreaterThan(roundTrip.hedgeMs(bounds))
  })

  it('stays within its bounds, and further nodes are asked before it is given up', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }))
    fc.assert(
      fc.property(samples, (all) => {
        const roundTrip = new RoundTrip()
        for (const ms of all) roundTrip.sample(ms)
        const [hedge, timeout] = [roundTrip.hedgeMs(bounds), roundTrip.timeoutMs(bounds)]
        expect(hedge).toBeGreaterThanOrEqual(30)
        expect(timeout).toBeLessThanOrEqual(4000)
        expect(hedge).toBeLessThanOrEqual(timeout)
      })
    )
  })
})

describe('ownerships that were verified', () => {
  const owner = ownerKeyFromSeed(new Uint8Array(32).fill(3))
  const key = ownedRegistryKey(owner.publicKey)
  const value = utf8('red')
  const now = 1_800_000_000
  const proof = proveOwnership(owner, value, 600, now)

  it('are not verified again', () => {
    const verify = vi.fn<VerifyOwnership>(verifyOwnership)
    const remembering = rememberingVerify(verify)
    for (let i = 0; i < 3; i++) expect(remembering(key, value, proof, now)).toBe(true)
    expect(verify).toHaveBeenCalledOnce()
  })

  it('prove nothing else, and nothing for longer', () => {
    const remembering = rememberingVerify()
    expect(remembering(key, value, proof, now)).toBe(true)
    expect(remembering(key, utf8('blue'), proof, now)).toBe(false)
    expect(remembering(new Uint8Array(20), value, proof, now)).toBe(false)
    expect(remembering(key, value, { ...proof, expiry: proof.expiry + 1 }, now)).toBe(false)
    expect(remembering(key, value, { ...proof, signature: new Uint8Array(64) }, now)).toBe(false)
    expect(remembering(key, value, proof, proof.expiry)).toBe(false)
  })

  it('are forgotten in the end', () => {
    const verify = vi.fn<VerifyOwnership>(() => true)
    const remembering = rememberingVerify(verify)
    for (let i = 0; i <= 10_000; i++) remembering(key, utf8(`${i}`), proof, now)
    remembering(key, utf8('0'), proof, now)
    expect(verify).toHaveBeenCalledTimes(10_002)
  })
})
