import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { utf8 } from '@hushlamp/shared'
import { registrySuite, VirtualClock } from '@hushlamp/shared/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { configFrom, RegistryNode } from '../src/index.ts'
import { loopback } from './loopback-network.ts'

registrySuite('one node, a network of one', {
  async create() {
    const clock = new VirtualClock()
    const dataDir = await mkdtemp(join(tmpdir(), 'hushlamp-node-'))
    const node = await RegistryNode.start(configFrom({ ...loopback, dataDir }), { clock })
    return {
      registry: node,
      unixSeconds: () => clock.unixSeconds(),
      advance: (seconds) => clock.advance(seconds * 1000),
      async dispose() {
        await node.stop()
        await rm(dataDir, { recursive: true, force: true })
      }
    }
  }
})

describe('a node', () => {
  let dataDir: string
  const start = async (settings = {}): Promise<RegistryNode> =>
    RegistryNode.start(configFrom({ ...loopback, dataDir, ...settings }))
  const ready = async (node: RegistryNode): Promise<number> =>
    (await fetch(`${node.httpAddress}/readyz`)).status

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hushlamp-node-'))
  })
  afterEach(async () => {
    await rm(dataDir, { recursive: true, force: true })
  })

  it('keeps its name and its values over a restart', async () => {
    const key = new Uint8Array(20).fill(3)
    const first = await start()
    const { peerId } = first
    await first.put({ key, value: utf8('red'), ttlSeconds: 60 })
    await first.stop()
    const second = await start()
    expect(second.peerId).toBe(peerId)
    expect((await second.get({ key })).values).toHaveLength(1)
    await second.stop()
  })

  it('lets nobody else read its key', async () => {
    const node = await start()
    expect((await stat(join(dataDir, 'node.key'))).mode & 0o777).toBe(0o600)
    await node.stop()
  })

  it('says which of its addresses is in use, and frees what it had opened', async () => {
    const first = await start({ dataDir: join(dataDir, 'first') })
    const http = new URL(first.httpAddress).host
    await expect(start({ http })).rejects.toMatchObject({ code: 'address-in-use' })
    const port = first.overlayAddresses[0]?.split('/')[4]
    const overlay = `127.0.0.1:${port}`
    await expect(start({ overlay })).rejects.toMatchObject({ code: 'address-in-use' })
    const second = await start()
    await Promise.all([first.stop(), second.stop()])
  })

  it('says that its folder is in use', async () => {
    const first = await start()
    await expect(start()).rejects.toMatchObject({ code: 'storage-locked' })
    await first.stop()
  })

  it('is not ready while it should have company and has none', async () => {
    const gone = await start({ dataDir: join(dataDir, 'gone') })
    const [bootstrap = ''] = gone.overlayAddresses
    const node = await start({ bootstrap: [bootstrap] })
    expect(await ready(node)).toBe(200)
    await gone.stop()
    await expect.poll(async () => ready(node), { timeout: 9000 }).toBe(503)
    const key = new Uint8Array(20)
    expect(await node.put({ key, value: utf8('red'), ttlSeconds: 60 })).toBe(2)
    await expect(node.get({ key })).rejects.toMatchObject({ code: 'registry-unreachable' })
    await node.stop()
  })

  it('is a network of one again when all others have left', async () => {
    const node = await start()
    const other = await start({
      dataDir: join(dataDir, 'other'),
      bootstrap: node.overlayAddresses
    })
    await expect.poll(() => node.peers).toBe(1)
    await other.stop()
    await expect.poll(() => node.peers).toBe(0)
    const key = new Uint8Array(20)
    // A neighbour that is gone without a word counts as known for a minute.
    const patience = { timeout: 90_000 }
    await expect.poll(() => node.put({ key, value: utf8('red'), ttlSeconds: 60 }), patience).toBe(0)
    await expect.poll(() => ready(node), patience).toBe(200)
    await node.stop()
  }, 200_000)

  it('starts, and is not ready, where no bootstrap node can be reached', async () => {
    const gone = await start({ dataDir: join(dataDir, 'gone') })
    const [bootstrap = ''] = gone.overlayAddresses
    await gone.stop()
    const node = await start({ bootstrap: [bootstrap] })
    expect(await ready(node)).toBe(503)
    expect((await fetch(`${node.httpAddress}/healthz`)).status).toBe(200)
    await node.stop()
  })
})
