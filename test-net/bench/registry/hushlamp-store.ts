import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { configFrom, RegistryNode } from '@hushlamp/registry-node'

import { gateway, getterDistance, until } from './distributed-store.ts'
import type { DistributedStore } from './distributed-store.ts'

/** Our own nodes, whole: libp2p over TCP, eight holders, every put on the disks of those that acknowledge it. */
export async function startHushlamp(count: number): Promise<DistributedStore> {
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-bench-'))
  const nodes: RegistryNode[] = []
  for (let i = 0; i < count; i++) {
    const config = configFrom({
      dataDir: join(directory, String(i)),
      http: '127.0.0.1:0',
      overlay: '127.0.0.1:0',
      admin: 'off',
      onion: 'off',
      logLevel: 'silent',
      // Meshed: every pair is connected before anything is timed, as in a network that has been up for a while.
      bootstrap: nodes.flatMap((node) => node.overlayAddresses)
    })
    nodes.push(await RegistryNode.start(config))
  }
  await until(() => nodes.every((node) => node.peers >= count - 1))
  const keys: Uint8Array[] = []
  return {
    async put(i) {
      keys[i] = new Uint8Array(randomBytes(20))
      const value = new Uint8Array(randomBytes(128))
      const code = await gateway(nodes, i).put({ key: keys[i], value, ttlSeconds: 3600 })
      if (code !== 0) throw new Error(`a put was answered ${code}`)
    },
    async get(i) {
      const key = keys[i] ?? new Uint8Array(20)
      const { values } = await gateway(nodes, i + getterDistance).get({ key })
      if (values.length !== 1) throw new Error('a value was not found')
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map(async (node) => node.stop()))
      await rm(directory, { recursive: true, force: true })
    }
  }
}
