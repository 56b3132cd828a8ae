import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { RegistryOverTor, systemClock, systemRandom, TorClient, TorProcess } from '@hushlamp/client'
import type { ControlConnection, LocalAddress } from '@hushlamp/client'
import { configFrom, RegistryNode } from '@hushlamp/registry-node'
import { utf8 } from '@hushlamp/shared'
import { registrySuite } from '@hushlamp/shared/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { PrivateTorNetwork } from '../src/index.ts'

const nodeCount = 12
const local = { http: '127.0.0.1:0', overlay: '127.0.0.1:0', admin: 'off', logLevel: 'silent' }
const resources = new AsyncDisposableStack()
const nodes: RegistryNode[] = []
let scratch: string
let network: PrivateTorNetwork
let tor: TorClient

/** Real timers, and a wall clock that the suite sets forward. */
let shiftSeconds = 0
const clock = {
  unixSeconds: () => systemClock.unixSeconds() + shiftSeconds,
  monotonicMs: () => systemClock.monotonicMs(),
  after: (delayMs: number, callback: () => void) => systemClock.after(delayMs, callback)
}

async function startTor(): Promise<{
  control: ControlConnection
  address: LocalAddress
  client: TorClient
}> {
  const dataDirectory = await mkdtemp(join(scratch, 'client-'))
  await network.seedClient(dataDirectory)
  const { binary } = network
  const torrc = network.clientTorrc()
  const started = resources.use(await TorProcess.start({}, { dataDirectory, binary, torrc }))
  const { control, controlAddress: address, socks } = started
  const client = resources.use(
    await TorClient.attach({ control, stopTor: () => started.stop() }, { socks })
  )
  await client.ready({ stallMs: 30_000 })
  return { control, address, client }
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hushlamp-test-'))
  resources.defer(async () => rm(scratch, { recursive: true, force: true }))
  network = resources.use(await PrivateTorNetwork.create())
  const [own, first] = await Promise.all([startTor(), startTor()])
  tor = own.client
  const control = 'path' in first.address ? first.address.path : `127.0.0.1:${first.address.port}`
  for (let i = 0; i < nodeCount; i++) {
    const settings = {
      ...local,
      dataDir: join(scratch, `node${i}`),
      bootstrap: nodes[0]?.overlayAddresses ?? [],
      // One of them is an onion service as well, of a Tor of its own.
      ...(i === 0 ? { onion: 'on', torControl: control } : { onion: 'off' })
    }
    const node = await RegistryNode.start(configFrom(settings), { clock })
    resources.defer(async () => node.stop())
    nodes.push(node)
  }
}, 180_000)
afterAll(async () => resources.disposeAsync(), 60_000)

const through = (addresses: readonly string[]): RegistryOverTor =>
  new RegistryOverTor({ tor, random: systemRandom }, { nodes: addresses })

// Circuits of a real Tor fail now and then on a busy machine; what is broken fails each time.
describe('through a real Tor', { retry: 2 }, () => {
  registrySuite('twelve nodes', {
    fullKeys: false,
    async create() {
      return {
        registry: through(nodes.map((node) => node.httpAddress)),
        unixSeconds: () => clock.unixSeconds(),
        advance: (seconds) => {
          shiftSeconds += seconds
        }
      }
    }
  })

  it('a node is reached by its onion address, which the other nodes hand out', async () => {
    const address = nodes[0]?.onionAddress ?? 'none'
    expect(address).toMatch(/^http:\/\/[a-z2-7]{56}\.onion$/)
    expect(nodes[1]?.nodes).toContain(address)
    const key = systemRandom.bytes(20)
    await expect
      .poll(async () => through([address]).put({ key, value: utf8('red'), ttlSeconds: 600 }), {
        timeout: 60_000
      })
      .toBe(0)
    expect((await through([address]).get({ key })).values).toHaveLength(1)
  })
})
