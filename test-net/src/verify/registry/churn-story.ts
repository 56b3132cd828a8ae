import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { HushlampError, sha1, utf8 } from '@hushlamp/shared'

import { ChurnNodes } from './churn-nodes.ts'
import type { ChurnNode } from './churn-nodes.ts'
import { DividedNetwork } from './divided-network.ts'

/** Called with what has just been seen, in one line. */
export type OnChurnProgress = (line: string) => void

const nodeCount = 12
const replicas = 8
const writers = 20
const ttlSeconds = 7200
/** How long a network may take to repair itself. */
const repairMs = 60_000
/** How often a request is repeated, and how long it waits before. */
const retries = 10
const retryAfterMs = 500

/**
 * The whole story on twelve nodes, see {@link verifyChurn}. Must run in a network namespace of its own. Rejects at the first
 * thing that is not as it should be, and leaves nothing behind.
 */
export async function tellChurnStory(ip: string, progress: OnChurnProgress): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-churn-'))
  try {
    await using network = await DividedNetwork.create(ip)
    await using nodes = await ChurnNodes.start(network, directory, nodeCount)
    progress(`${nodeCount} nodes run, half of them in another network namespace`)
    const key = await writeAtOnce(nodes, progress)
    await killHolders(nodes, key, progress)
    await restartAll(nodes, key, progress)
    await divide(nodes, network, progress)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function writeAtOnce(nodes: ChurnNodes, progress: OnChurnProgress): Promise<Uint8Array> {
  const key = freshKey()
  await Promise.all(
    Array.from({ length: writers }, async (_, i) => {
      const node = nodeAt(nodes.running, i)
      await retry(async () => node.put({ key, value: utf8(`writer ${i}`), ttlSeconds }))
    })
  )
  for (const node of nodes.running) await expectValues(node, key, writers)
  progress(`${writers} writers to one key at once: every node reads ${writers} values`)
  await untilHeld(nodes, [key], writers, replicas)
  return key
}

async function killHolders(
  nodes: ChurnNodes,
  key: Uint8Array,
  progress: OnChurnProgress
): Promise<void> {
  const held = await nodes.held([key])
  const holders = nodes.running.filter((_, i) => held[i]?.[0] === writers)
  const killed = holders.slice(0, 5)
  await Promise.all(killed.map(async (node) => node.kill()))
  const began = performance.now()
  for (const node of nodes.running) await expectValues(node, key, writers)
  progress(`5 of ${holders.length} holders killed: the other ${nodes.running.length} read all`)
  await untilHeld(nodes, [key], writers, nodes.running.length)
  progress(`all ${nodes.running.length} that are left hold all after ${since(began)}`)
  for (const node of killed) await nodes.start(node)
  await untilHeld(nodes, [key], writers, replicas)
  for (const node of nodes.running) await expectValues(node, key, writers)
  progress(`the killed ones are back with their disks, and ${replicas} of ${nodeCount} hold all`)
}

async function restartAll(
  nodes: ChurnNodes,
  key: Uint8Array,
  progress: OnChurnProgress
): Promise<void> {
  const written: Uint8Array[] = []
  const over = new AbortController()
  let reads = 0
  let repeated = 0
  const load = Array.from({ length: 4 }, async (_, lane) => {
    for (let i = lane; !over.signal.aborted; i++) {
      const fresh = freshKey()
      const value = utf8(`load ${lane}`)
      repeated += await retry(async () =>
        nodeAt(nodes.running, i).put({ key: fresh, value, ttlSeconds })
      )
      written.push(fresh)
      const earlier = written[(i * 7) % written.length] ?? fresh
      repeated += await retry(async () => hasValues(nodeAt(nodes.running, i + 5), earlier, 1))
      reads++
      await setTimeout(20)
    }
  })
  const restarts = async (): Promise<void> => {
    const began = performance.now()
    let longestMs = 0
    for (const node of nodes.all) {
      const stopping = performance.now()
      await node.stop()
      longestMs = Math.max(longestMs, performance.now() - stopping)
      await nodes.start(node)
    }
    progress(`stopping took at most ${(longestMs / 1000).toFixed(1)} s`)
    over.abort()
    progress(`each node was stopped and started, which took ${since(began)}`)
  }
  await Promise.all([...load, restarts()])
  const seen = `${written.length} puts and ${reads} gets during a restart of each node`
  progress(`${seen}: none failed, ${repeated} were repeated`)
  await Promise.all(
    nodes.running.map(async (node, lane) => {
      for (let i = lane; i < written.length; i += nodes.running.length) {
        await expectValues(node, written[i] ?? key, 1)
      }
    })
  )
  for (const node of nodes.running) await expectValues(node, key, writers)
  progress('nothing of it is lost')
}

async function divide(
  nodes: ChurnNodes,
  network: DividedNetwork,
  progress: OnChurnProgress
): Promise<void> {
  const key = freshKey()
  const secret = utf8('secret')
  const doomed = utf8('removed during the partition')
  const near = nodes.running.filter(({ side }) => side === 'near')
  const far = nodes.running.filter(({ side }) => side === 'far')
  const removable = { key, value: doomed, secretHash: sha1(secret), ttlSeconds: ttlSeconds - 600 }
  await retry(async () => nodeAt(near, 0).put(removable))
  await network.cut()
  const began = performance.now()
  // Both halves must see that the other is gone before they accept what only they hold.
  for (const [name, half] of Object.entries({ near, far })) {
    await retryUntil(async () =>
      nodeAt(half, 1).put({ key, value: utf8(`only ${name}`), ttlSeconds })
    )
  }
  const remove = { key, valueHash: sha1(doomed), secret, ttlSeconds }
  await retryUntil(async () => nodeAt(near, 2).remove(remove))
  const farValues = await nodeAt(far, 2).get(key)
  if (farValues.values.length !== 2) {
    throw failed(`the far half reads ${farValues.values.length} values instead of 2`)
  }
  progress(`6 and 6 nodes without a way between: both halves write after ${since(began)}`)
  await network.heal()
  const healed = performance.now()
  for (const node of nodes.running) {
    await retryUntil(async () => hasValues(node, key, 2))
    const { values } = await node.get(key)
    if (values.some(({ value }) => Buffer.compare(value, doomed) === 0)) {
      throw failed('a removed value is back')
    }
  }
  // Two values and the tombstone.
  await untilHeld(nodes, [key], 3, replicas)
  progress(`healed: every node reads what both halves wrote, and not what one of them removed`)
  progress(`${replicas} nodes hold the union after ${since(healed)}`)
}

async function expectValues(node: ChurnNode, key: Uint8Array, count: number): Promise<void> {
  await retry(async () => hasValues(node, key, count))
}

/** Zero, as of a put, if the node reads as many values. */
async function hasValues(node: ChurnNode, key: Uint8Array, count: number): Promise<number> {
  const { values } = await node.get(key)
  if (values.length === count) return 0
  throw failed(`read ${values.length} values instead of ${count}`)
}

/** Repeats what answers otherwise than with 0; answers with how often. Rejects when that goes on. */
async function retry(ask: () => Promise<unknown>, times = retries): Promise<number> {
  let last: unknown
  for (let i = 0; i <= times; i++) {
    last = await ask().catch((error: unknown) => error)
    if (last === 0) return i
    await setTimeout(retryAfterMs)
  }
  throw last instanceof Error ? last : failed(`a request was answered by ${String(last)}`)
}

async function retryUntil(ask: () => Promise<unknown>): Promise<number> {
  return retry(ask, repairMs / retryAfterMs)
}

async function untilHeld(
  nodes: ChurnNodes,
  keys: readonly Uint8Array[],
  count: number,
  holders: number
): Promise<void> {
  await retryUntil(async () => {
    const held = await nodes.held(keys)
    const full = held.filter((counts) => counts.every((each) => each === count)).length
    if (full >= holders) return 0
    throw failed(`${full} of ${holders} nodes hold everything`)
  })
}

function nodeAt(nodes: readonly ChurnNode[], index: number): ChurnNode {
  const node = nodes[index % nodes.length]
  if (node === undefined) throw failed('no node runs')
  return node
}

function freshKey(): Uint8Array {
  return new Uint8Array(randomBytes(20))
}

function since(beganMs: number): string {
  return `${((performance.now() - beganMs) / 1000).toFixed(1)} s`
}

function failed(what: string): HushlampError {
  return new HushlampError('registry-unreachable', `Not as it should be: ${what}.`)
}
