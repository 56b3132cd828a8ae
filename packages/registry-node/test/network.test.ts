import { randomBytes } from 'node:crypto'

import { utf8 } from '@hushlamp/shared'
import { registrySuite } from '@hushlamp/shared/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { LoopbackNetwork, until } from './loopback-network.ts'

const nodes = 11
const timings = { churnDelayMs: 200, slowAfterMs: 2000, rejoinIntervalMs: 500 }
const freshKey = (): Uint8Array => new Uint8Array(randomBytes(20))

let network: LoopbackNetwork
beforeAll(async () => {
  network = await LoopbackNetwork.start(nodes, { timings })
}, 60_000)
afterAll(async () => {
  await network?.[Symbol.asyncDispose]()
}, 30_000)

registrySuite('eleven nodes, each operation at another', {
  fullKeys: false,
  async create() {
    return {
      registry: network.registry,
      unixSeconds: () => network.clock.unixSeconds(),
      advance: (seconds) => network.clock.shift(seconds)
    }
  }
})

describe('a network of nodes', () => {
  const values = async (key: Uint8Array): Promise<number> =>
    (await network.node().get({ key })).values.length

  it('keeps a value with eight holders', async () => {
    const key = freshKey()
    expect(await network.node().put({ key, value: utf8('red'), ttlSeconds: 600 })).toBe(0)
    await until(async () => (await network.holders(key)) === 8)
    expect(await network.holders(key)).toBe(8)
  })

  it('hands out the HTTP addresses of its neighbours', async () => {
    const all = network.nodes.map((node) => node.httpAddress)
    await until(() => network.nodes.every((node) => node.nodes.length > 8))
    for (const node of network.nodes) {
      expect(node.nodes[0]).toBe(node.httpAddress)
      expect(all).toEqual(expect.arrayContaining([...node.nodes]))
    }
  })

  it('keeps the values of twenty writers at different nodes', async () => {
    const key = freshKey()
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        network.node().put({ key, value: utf8(`writer ${i}`), ttlSeconds: 600 })
      )
    )
    expect(codes).toEqual(codes.map(() => 0))
    for (const node of network.nodes) expect((await node.get({ key })).values).toHaveLength(20)
  })

  it('lets a node that comes later take its part', async () => {
    const key = freshKey()
    await network.node().put({ key, value: utf8('red'), ttlSeconds: 600 })
    const late = await network.add()
    await network.settled()
    expect((await late.get({ key })).values).toHaveLength(1)
    expect(await late.put({ key, value: utf8('blue'), ttlSeconds: 600 })).toBe(0)
    expect(await values(key)).toBe(2)
  })

  it('returns every value after five of its holders have stopped, and repairs it', async () => {
    const keys = Array.from({ length: 12 }, freshKey)
    for (const key of keys) {
      expect(await network.node().put({ key, value: utf8('red'), ttlSeconds: 600 })).toBe(0)
    }
    const [first] = keys
    if (first === undefined) throw new Error('there is a first key')
    await until(async () => (await network.holders(first)) === 8)
    const gone = []
    for (const node of network.nodes.slice(1)) {
      if (gone.length < 5 && (await node.heldRows(first)) > 0) gone.push(node)
    }
    await Promise.all(gone.map(async (node) => network.remove(node)))
    for (const key of keys) expect(await values(key)).toBe(1)

    const left = Math.min(8, network.nodes.length)
    await until(async () => {
      const counts = await Promise.all(keys.map(async (key) => network.holders(key)))
      return counts.every((count) => count >= left)
    })
    expect(await network.node().put({ key: first, value: utf8('blue'), ttlSeconds: 60 })).toBe(0)
    expect(await values(first)).toBe(2)
  })
})
