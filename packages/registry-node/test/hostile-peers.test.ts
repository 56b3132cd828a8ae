import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

import { utf8 } from '@hushlamp/shared'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { encode } from 'cborg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { FrameStream } from '../src/overlay/channel.ts'
import { Libp2pNetwork } from '../src/overlay/libp2p-network.ts'
import { decodeRequestHead, maxFrameBytes } from '../src/overlay/wire.ts'
import { LoopbackNetwork, until } from './loopback-network.ts'

/** What a hostile peer does with each frame that it is sent. */
type Malice = (stream: FrameStream, frame: Uint8Array) => Promise<void>

const invented = (): unknown[] => [
  `12D3KooW${randomBytes(22).toString('hex')}`,
  ['/ip4/127.0.0.1/tcp/1']
]
const malices: Record<string, Malice> = {
  'never answer': async () => {},
  'answer with arbitrary bytes': async (stream) => stream.write(randomBytes(100)),
  'answer with too long a frame': async (stream) => stream.write(new Uint8Array(maxFrameBytes + 1)),
  'answer what nobody asked, without end': async (stream) => {
    for (let id = 1e6; ; id++) {
      await stream.write(encode([id, 0, [], []]))
      await setTimeout(1)
    }
  },
  'answer with values that are not allowed': async (stream, frame) => {
    const { id } = decodeRequestHead(frame)
    await stream.write(encode([id, 0, [[0, 60, new Uint8Array(500), new Uint8Array()]], []]))
  },
  'answer that everything is stored, hold nothing and name nodes that do not exist': async (
    stream,
    frame
  ) => {
    const { id, op } = decodeRequestHead(frame)
    const closest = Array.from({ length: 8 }, invented)
    await stream.write(encode(op === 1 ? [id, 0, [0], closest] : [id, 0, [], closest]))
  },
  'hang up': async (stream) => stream.abort()
}

async function hostilePeer(bootstrap: string, malice: Malice): Promise<Libp2pNetwork> {
  const peer = await Libp2pNetwork.create(
    {
      events: {
        connected: () => {},
        disconnected: () => {},
        addresses: () => {},
        stream: (_, stream) => {
          void (async () => {
            for (;;) await malice(stream, await stream.read())
          })().catch(() => {})
        }
      }
    },
    { listen: '/ip4/127.0.0.1/tcp/0', key: await generateKeyPair('Ed25519') }
  )
  await peer.start()
  await peer.dial(bootstrap, AbortSignal.timeout(5000))
  return peer
}

describe('a network of five nodes in which others', () => {
  const timings = {
    churnDelayMs: 200,
    requestTimeoutMs: 2500,
    slowAfterMs: 200,
    dialTimeoutMs: 2000
  }
  let network: LoopbackNetwork
  beforeAll(async () => {
    network = await LoopbackNetwork.start(5, { timings })
  }, 30_000)
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]()
  })

  it.each(Object.entries(malices))('%s goes on working', async (_, malice) => {
    const honest = network.nodes.length - 1
    const bootstraps = network.nodes.map((node) => node.overlayAddresses[0] ?? '')
    const hostile = await Promise.all(
      bootstraps.slice(0, 3).map(async (bootstrap) => hostilePeer(bootstrap, malice))
    )
    try {
      const keys = Array.from({ length: 4 }, () => new Uint8Array(randomBytes(20)))
      for (const key of keys) {
        expect(await network.node().put({ key, value: utf8('red'), ttlSeconds: 60 })).toBe(0)
      }
      for (const key of keys) {
        const { values } = await network.node().get({ key })
        expect(values.map(({ value }) => Buffer.from(value).toString())).toEqual(['red'])
      }
    } finally {
      await Promise.all(hostile.map(async (peer) => peer.stop()))
      await until(() => network.nodes.every((node) => node.peers === honest))
    }
  })
})
