import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { TorClient, TorProcess } from '@hushlamp/client'
import { torProviderSuite } from '@hushlamp/client/testing'
import type { TorProviderFixture } from '@hushlamp/client/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { PrivateTorNetwork } from '../src/index.ts'
import { freePorts } from '../src/tor-network/free-ports.ts'

const phases: string[] = []
let scratch: string
let network: PrivateTorNetwork

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
  network = await PrivateTorNetwork.create({ onProgress: ({ phase }) => phases.push(phase) })
}, 180_000)

afterAll(async () => {
  await network[Symbol.asyncDispose]()
  rmSync(scratch, { recursive: true, force: true })
})

describe('PrivateTorNetwork', () => {
  it('tells how far it is', () => {
    const wanted = ['keys', 'relays', 'vote', 'directory', 'ready']
    expect(phases).toEqual(expect.arrayContaining(wanted))
    expect(phases.at(-1)).toBe('ready')
  })

  it('seeds clients in a folder that Tor accepts', async () => {
    const dataDirectory = join(scratch, 'seeded')
    await network.seedClient(dataDirectory)
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700)
  })

  it('runs each Tor in a process group of its own, out of reach of Ctrl-C', () => {
    expect(network.relays).toHaveLength(5)
    for (const { pid } of network.relays) {
      // A group is addressed by the negative id of its leader; signal 0 only asks.
      expect(process.kill(-(pid ?? Number.NaN), 0)).toBe(true)
    }
  })
})

// Circuits of a real Tor fail now and then on a busy machine; what is broken fails each time.
describe('a real Tor', { retry: 2 }, () => {
  torProviderSuite(async (): Promise<TorProviderFixture<TorClient>> => {
    const processes = new Map<TorClient, TorProcess>()
    const provider = async (): Promise<TorClient> => {
      const dataDirectory = mkdtempSync(join(scratch, 'client-'))
      await network.seedClient(dataDirectory)
      const started = await TorProcess.start(
        {},
        { dataDirectory, binary: network.binary, torrc: network.clientTorrc() }
      )
      const { control, socks } = started
      const client = await TorClient.attach({ control, stopTor: () => started.stop() }, { socks })
      processes.set(client, started)
      await client.ready({ stallMs: 30_000 })
      return client
    }
    const ask = async (client: TorClient, question: string): Promise<readonly string[]> => {
      const reply = await processes.get(client)?.control.ok(`GETINFO ${question}`)
      return reply?.lines ?? []
    }
    const [alice, bob, echoHost] = await Promise.all([provider(), provider(), startEchoHost()])
    return {
      alice,
      bob,
      provider,
      echoHost: echoHost.target,
      lose: async (client) => {
        const [answer = ''] = await ask(client, 'process/pid')
        process.kill(Number(answer.split('=')[1]), 'SIGKILL')
      },
      // Each line is: stream, status, circuit, target.
      streamCircuits: async (client) => {
        const lines = (await ask(client, 'stream-status')).join('\n').replace('stream-status=', '')
        const streams = lines.split('\n').map((line) => line.split(' '))
        const open = streams.filter(([, status]) => status === 'SUCCEEDED')
        return open.map(([, , circuit = '']) => circuit)
      },
      async [Symbol.asyncDispose]() {
        for (const client of processes.keys()) await client[Symbol.asyncDispose]()
        echoHost.close()
      }
    }
  })
})

async function startEchoHost(): Promise<{
  readonly target: { readonly kind: 'host'; readonly host: string; readonly port: number }
  readonly close: () => void
}> {
  const [port = 0] = await freePorts(1, '127.0.0.1')
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { target: { kind: 'host', host: '127.0.0.1', port }, close: () => server.close() }
}
