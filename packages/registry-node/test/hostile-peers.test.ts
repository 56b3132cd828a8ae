import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

import { ownedRegistryKey, ownerKeyFromSeed, proveOwnership, utf8 } from '@hushlamp/shared'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { encode } from 'cborg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { FrameStream } from '../src/overlay/channel.ts'
import { Libp2pNetwork } from '../src/overlay/libp2p-network.ts'
import { decodeRequestHead, maxFrameBytes } from '../src/overlay/wire.ts'
import { LoopbackNetwork, until } from './loopback-network.ts'

/** What a hostile peer does with each frame that it is sent. */
type Malice = (stream: FrameStream, frame: Uint8Array, victim: string) => Promise<void>

const opFetch = 2

/** Answers fetches as `bodyOf` says, and everything else as if all were well. */
const onFetch =
  (bodyOf: (key: unknown, victim: string) => unknown[]): Malice =>
  async (stream, frame, victim) => {
    const { id, op, rest } = decodeRequestHead(frame)
    const harmless = op === 1 ? [[0], []] : [[], []]
    await stream.write(encode([id, 0, ...(op === opFetch ? bodyOf(rest[0], victim) : harmless)]))
  }

/** Holds nothing, and names these nodes as the closest to everything. */
const naming =
  (contactsOf: (victim: string) => unknown[]): Malice =>
  async (stream, frame, victim) => {
    const { id, op } = decodeRequestHead(frame)
    await stream.write(encode([id, 0, op === 1 ? [0] : [], contactsOf(victim)]))
  }

const invented = (): unknown[] => [
  `12D3KooW${randomBytes(22).toString('hex')}`,
  ['/ip4/127.0.0.1/tcp/1']
]
const eight = <Item>(item: () => Item): Item[] => Array.from({ length: 8 }, item)
const owner = ownerKeyFromSeed(new Uint8Array(randomBytes(32)))
const now = Math.floor(Date.now() / 1000)
const value = utf8('false')
const ownership = proveOwnership(owner, value, 600, now)
const owned = (signature: Uint8Array, ttl = 60): unknown[] => [
  1,
  ttl,
  value,
  owner.publicKey,
  ownership.expiry,
  signature
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
  'answer in another order': async (stream, frame) => {
    const { id } = decodeRequestHead(frame)
    await stream.write(encode([id + 1, 0, [], []]))
    await stream.write(encode([id, 0, [], []]))
  },
  'answer twice': async (stream, frame) => {
    const { id } = decodeRequestHead(frame)
    for (let i = 0; i < 2; i++) await stream.write(encode([id, 0, [], []]))
  },
  'answer after seconds': async (stream, frame) => {
    await setTimeout(3000)
    await stream.write(encode([decodeRequestHead(frame).id, 0, [], []]))
  },
  'refuse everything': async (stream, frame) =>
    stream.write(encode([decodeRequestHead(frame).id, 1])),
  'hang up': async (stream) => stream.abort(),
  'answer with values that are not allowed': onFetch(() => [
    [[0, 60, new Uint8Array(500), new Uint8Array()]],
    []
  ]),
  'answer with lives without end': onFetch(() => [[[0, 4e9, value, new Uint8Array()]], []]),
  'answer with thousands of values': onFetch(() => [
    Array.from({ length: 1000 }, (_, i) => [0, 60, utf8(`${i}`), new Uint8Array()]),
    []
  ]),
  'answer with the owned value of another key': onFetch(() => [[owned(ownership.signature)], []]),
  'answer with signatures that nobody made': onFetch(() => [[owned(new Uint8Array(64))], []]),
  'say that all is stored, hold nothing and name nodes that do not exist': naming(() =>
    eight(invented)
  ),
  'name the asking node itself': naming((victim) =>
    eight(() => [victim, ['/ip4/127.0.0.1/tcp/1']])
  ),
  'name thousands of nodes': naming(() => Array.from({ length: 5000 }, invented)),
  'name addresses that are none': naming(() => eight(() => ['nobody', ['/nonsense/🙂']]))
}

async function hostilePeer(bootstrap: string, malice: Malice): Promise<Libp2pNetwork> {
  const peer = await Libp2pNetwork.create(
    {
      events: {
        connected: () => {},
        disconnected: () => {},
        addresses: () => {},
        stream: (victim, stream) => {
          void (async () => {
            for (;;) await malice(stream, await stream.read(), victim)
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

const timings = {
  churnDelayMs: 200,
  requestTimeoutMs: 2500,
  slowAfterMs: 200,
  dialTimeoutMs: 2000,
  retryLostMs: 500
}

describe('a network of five nodes goes on working with peers that', () => {
  let network: LoopbackNetwork
  beforeAll(async () => {
    network = await LoopbackNetwork.start(5, { timings })
  }, 30_000)
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]()
  })

  const named = Object.entries(malices)
  const groups = Array.from({ length: Math.ceil(named.length / 3) }, (_, i) => {
    const group = named.slice(3 * i, 3 * i + 3)
    return [group.map(([name]) => name).join(' / '), group.map(([, malice]) => malice)] as const
  })

  it.each(groups)('%s', async (_, group) => {
    const honest = network.nodes.length - 1
    const bootstraps = network.nodes.map((node) => node.overlayAddresses[0] ?? '')
    const hostile = await Promise.all(
      group.map(async (malice, i) => hostilePeer(bootstraps[i] ?? '', malice))
    )
    try {
      const keys = Array.from({ length: 4 }, () => new Uint8Array(randomBytes(20)))
      for (const key of keys) {
        expect(await network.node().put({ key, value: utf8('red'), ttlSeconds: 60 })).toBe(0)
      }
      const mine = { value: utf8('mine'), ttlSeconds: 60 }
      const ownedPut = { ...mine, owner: proveOwnership(owner, mine.value, 60, now) }
      const ownedKey = ownedRegistryKey(owner.publicKey)
      expect(await network.node().put({ key: ownedKey, ...ownedPut })).toBe(0)
      for (const key of keys) {
        const { values } = await network.node().get({ key })
        expect(values.map((each) => Buffer.from(each.value).toString())).toEqual(['red'])
      }
      const { values } = await network.node().get({ key: ownedKey })
      expect(values.map((each) => Buffer.from(each.value).toString())).toContain('mine')
    } finally {
      await Promise.all(hostile.map(async (peer) => peer.stop()))
      await until(() => network.nodes.every((node) => node.peers === honest))
    }
  })
})
