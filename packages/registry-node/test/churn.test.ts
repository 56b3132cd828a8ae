import { randomBytes } from 'node:crypto'

import { defaultLimits, rowFromPut, rowFromRemove, sha1, utf8 } from '@hushlamp/shared'
import type { RegistryRow } from '@hushlamp/shared'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { silentLogger } from '../src/log.ts'
import { Overlay } from '../src/overlay/overlay.ts'
import { defaultTimings } from '../src/overlay/timings.ts'
import { systemClock } from '../src/system-clock.ts'
import { until } from './loopback-network.ts'
import { MemoryStore, MemoryWorld } from './memory-network.ts'

/** Twelve overlays in one process, as in `test-net/src/verify/registry/churn.ts`, which tells the same with processes. */
const names = Array.from({ length: 12 }, (_, i) => `node ${i}`)
const timings = {
  ...defaultTimings,
  requestTimeoutMs: 1000,
  minRequestTimeoutMs: 200,
  slowAfterMs: 100,
  dialTimeoutMs: 200,
  operationTimeoutMs: 3000,
  churnDelayMs: 50,
  handOverMs: 500,
  retryLostMs: 100,
  rejoinIntervalMs: 100
}

let world: MemoryWorld
let stores: Map<string, MemoryStore>
let overlays: Map<string, Overlay>

async function start(name: string): Promise<void> {
  const store = stores.get(name) ?? new MemoryStore()
  stores.set(name, store)
  const overlay = await Overlay.start(
    {
      clock: systemClock,
      logger: silentLogger,
      store,
      httpAddresses: () => [],
      makeNetwork: async (events) => world.join(name, events)
    },
    { bootstrap: [...overlays.keys()].slice(0, 3), limits: defaultLimits, timings }
  )
  overlays.set(name, overlay)
}

/** The process is gone: nothing is said, nothing is handed over. What is left of it here no longer reaches anybody. */
function kill(name: string): void {
  world.kill(name)
  killed.push(overlayOf(name))
  overlays.delete(name)
}
let killed: Overlay[]

function overlayOf(name: string): Overlay {
  const overlay = overlays.get(name)
  if (overlay === undefined) throw new Error('there is no such node')
  return overlay
}

async function holders(key: Uint8Array, rows: number): Promise<string[]> {
  const held = await Promise.all(
    [...overlays.keys()].map(async (name) => [name, await stores.get(name)?.rows(key)] as const)
  )
  return held.flatMap(([name, has]) => (has?.length === rows ? [name] : []))
}

const freshKey = (): Uint8Array => new Uint8Array(randomBytes(20))
const put = (key: Uint8Array, text: string): RegistryRow =>
  rowFromPut({ key, value: utf8(text), ttlSeconds: 3600 }, systemClock.unixSeconds())
const texts = (rows: readonly RegistryRow[]): string[] =>
  rows.flatMap((row) => (row.kind === 'remove' ? [] : [Buffer.from(row.value).toString()])).sort()

beforeEach(async () => {
  world = new MemoryWorld()
  stores = new Map()
  overlays = new Map()
  killed = []
  for (const name of names) await start(name)
  await until(() => [...overlays.values()].every(({ peers }) => peers >= 8))
})
afterEach(async () => {
  world.heal()
  await Promise.all([...overlays.values(), ...killed].map(async (overlay) => overlay.stop()))
})

it('keeps what twenty wrote at once, when five of its eight holders are killed, and repairs it', async () => {
  const key = freshKey()
  const codes = await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      overlayOf(`node ${i % 12}`).put(key, put(key, `writer ${i}`))
    )
  )
  expect(codes).toEqual(codes.map(() => 0))
  await until(async () => (await holders(key, 20)).length >= 8)
  const gone = (await holders(key, 20)).slice(0, 5)
  for (const name of gone) kill(name)
  for (const overlay of overlays.values()) expect(await overlay.get(key)).toHaveLength(20)
  await until(async () => (await holders(key, 20)).length === 7)
  for (const name of gone) await start(name)
  await until(async () => (await holders(key, 20)).length >= 8)
  for (const overlay of overlays.values()) expect(await overlay.get(key)).toHaveLength(20)
})

it('loses nothing while each node is restarted under load', async () => {
  const written: Uint8Array[] = []
  const over = new AbortController()
  const repeat = async (ask: (overlay: Overlay) => Promise<boolean>): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const all = [...overlays.values()]
      const overlay = all[Math.floor(Math.random() * all.length)]
      if (overlay && (await ask(overlay).catch(() => false))) return
    }
    throw new Error('a request failed')
  }
  const load = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const key = freshKey()
      await repeat(async (overlay) => (await overlay.put(key, put(key, 'red'))) === 0)
      written.push(key)
      const earlier = written[Math.floor(Math.random() * written.length)] ?? key
      await repeat(async (overlay) => (await overlay.get(earlier)).length === 1)
    }
  }
  const restart = async (): Promise<void> => {
    for (const name of names) {
      const overlay = overlayOf(name)
      overlays.delete(name)
      await overlay.stop()
      await start(name)
    }
    over.abort()
  }
  await Promise.all([load(), load(), restart()])
  expect(written.length).toBeGreaterThan(24)
  for (const key of written) await repeat(async (overlay) => (await overlay.get(key)).length === 1)
})

it('hands over before it stops, also where nobody is told that it does', async () => {
  const keys = Array.from({ length: 20 }, freshKey)
  for (const key of keys) expect(await overlayOf('node 0').put(key, put(key, 'red'))).toBe(0)
  const complete = async (): Promise<boolean> => {
    const counts = await Promise.all(keys.map(async (key) => (await holders(key, 1)).length))
    return counts.every((count) => count >= 8)
  }
  await until(complete)
  const overlay = overlayOf('node 5')
  overlays.delete('node 5')
  await overlay.stop()
  expect(await complete()).toBe(true)
})

it('does not take itself for the network when it is cut off, and is part of it again', async () => {
  const key = freshKey()
  world.divide((id) => (id === 'node 5' ? 'alone' : 'together'))
  const alone = overlayOf('node 5')
  await until(async () => (await alone.put(key, put(key, 'red'))) === 2 && alone.isolated)
  await expect(alone.get(key)).rejects.toMatchObject({ code: 'registry-unreachable' })
  await until(async () => (await overlayOf('node 1').put(key, put(key, 'blue'))) === 0)
  world.heal()
  await until(async () => (await alone.put(key, put(key, 'green')).catch(() => 2)) === 0)
  expect(texts(await overlayOf('node 2').get(key))).toContain('green')
})

it('has the union of what two halves wrote while they did not see each other, and removes win', async () => {
  const key = freshKey()
  const now = systemClock.unixSeconds()
  const doomed = { key, value: utf8('removed'), secretHash: sha1(utf8('secret')), ttlSeconds: 600 }
  expect(await overlayOf('node 0').put(key, rowFromPut(doomed, now))).toBe(0)
  await until(async () => (await holders(key, 1)).length >= 8)

  world.divide((id) => (Number(id.slice(5)) < 6 ? 'near' : 'far'))
  const near = overlayOf('node 1')
  const far = overlayOf('node 7')
  await until(async () => (await near.put(key, put(key, 'only near'))) === 0)
  await until(async () => (await far.put(key, put(key, 'only far'))) === 0)
  const remove = rowFromRemove(
    { key, valueHash: sha1(doomed.value), secret: utf8('secret'), ttlSeconds: 3600 },
    now
  )
  await until(async () => (await near.put(key, remove)) === 0)
  expect(texts(await near.get(key))).toEqual(['only near'])
  expect(texts(await far.get(key))).toEqual(['only far', 'removed'])

  world.heal()
  await until(async () => (await holders(key, 3)).length >= 8)
  for (const overlay of overlays.values()) {
    expect(texts(await overlay.get(key))).toEqual(['only far', 'only near'])
  }
})
