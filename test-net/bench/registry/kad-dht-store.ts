import { randomBytes } from 'node:crypto'

import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import type { KadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

import { gateway, getterDistance } from './distributed-store.ts'
import type { DistributedStore } from './distributed-store.ts'

type Node = Libp2p<{ dht: KadDHT }>

/** kad-dht's own PUT_VALUE and GET_VALUE, as a program gets them without further thought: k = 20, records in memory. */
export async function startKadDht(count: number): Promise<DistributedStore> {
  const nodes = await Promise.all(Array.from({ length: count }, startNode))
  // Meshed: every pair is connected before anything is timed, as in a network that has been up for a while.
  for (const [i, node] of nodes.entries()) {
    await Promise.all(nodes.slice(i + 1).map(async (other) => node.dial(other.getMultiaddrs())))
  }
  await new Promise((resolve) => {
    setTimeout(resolve, 2000)
  })
  const keys: Uint8Array[] = []
  const encoder = new TextEncoder()
  return {
    async put(i) {
      const key = encoder.encode(`/bench/${randomBytes(20).toString('hex')}`)
      keys[i] = key
      let stored = 0
      for await (const event of gateway(nodes, i).services.dht.put(key, randomBytes(128))) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') stored++
      }
      if (stored === 0) throw new Error('a value was stored nowhere')
    },
    async get(i) {
      const key = keys[i] ?? new Uint8Array()
      let found = false
      for await (const event of gateway(nodes, i + getterDistance).services.dht.get(key)) {
        if (event.name === 'VALUE') found = true
      }
      if (!found) throw new Error('a value was not found')
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map(async (node) => node.stop()))
    }
  }
}

async function startNode(): Promise<Node> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: '/bench/kad/1',
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        validators: { bench: async () => {} },
        selectors: { bench: () => 0 }
      })
    }
  })
}
