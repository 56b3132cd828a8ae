import { randomBytes } from 'node:crypto'

import HyperDHT from 'hyperdht'

import { gateway, getterDistance } from './distributed-store.ts'
import type { DistributedStore } from './distributed-store.ts'

const host = '127.0.0.1'

/** hyperdht's values that an owner may change: signed with Ed25519, over UDP, in memory. */
export async function startHyperdhtMutable(count: number): Promise<DistributedStore> {
  const nodes = await startNodes(count)
  const owners: ReturnType<typeof HyperDHT.keyPair>[] = []
  return {
    async put(i) {
      const owner = HyperDHT.keyPair()
      owners[i] = owner
      await gateway(nodes, i).mutablePut(owner, randomBytes(128))
    },
    async get(i) {
      const publicKey = owners[i]?.publicKey ?? Buffer.alloc(32)
      const found = await gateway(nodes, i + getterDistance).mutableGet(publicKey)
      if (found === null) throw new Error('a value was not found')
    },
    [Symbol.asyncDispose]: async () => stop(nodes)
  }
}

/** hyperdht's values that are named by their own hash. */
export async function startHyperdhtImmutable(count: number): Promise<DistributedStore> {
  const nodes = await startNodes(count)
  const hashes: Buffer[] = []
  return {
    async put(i) {
      hashes[i] = (await gateway(nodes, i).immutablePut(randomBytes(128))).hash
    },
    async get(i) {
      const hash = hashes[i] ?? Buffer.alloc(32)
      const found = await gateway(nodes, i + getterDistance).immutableGet(hash)
      if (found === null) throw new Error('a value was not found')
    },
    [Symbol.asyncDispose]: async () => stop(nodes)
  }
}

async function startNodes(count: number): Promise<HyperDHT[]> {
  const first = new HyperDHT({ ephemeral: false, firewalled: false, host, bootstrap: [] })
  await first.fullyBootstrapped()
  const bootstrap = [{ host, port: first.address().port }]
  const nodes = [first]
  while (nodes.length < count) {
    const node = new HyperDHT({ ephemeral: false, firewalled: false, host, bootstrap })
    await node.fullyBootstrapped()
    nodes.push(node)
  }
  return nodes
}

async function stop(nodes: readonly HyperDHT[]): Promise<void> {
  await Promise.all(nodes.map(async (node) => node.destroy({ force: true })))
}
