import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

import { concat, ownedRegistryKey, ownerKeyFromSeed, utf8 } from '@hushlamp/shared'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { decode, encode } from 'cborg'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { maxFrameBytes, storeProtocol } from '../src/overlay/wire.ts'
import { LoopbackNetwork, until } from './loopback-network.ts'

/** A message of kad-dht that it would accept (Protocol Buffers: type 1, key 2, record 3). */
async function kademliaMessage(type: number): Promise<Uint8Array> {
  const { publicKey } = await generateKeyPair('Ed25519')
  const recordKey = concat(utf8('/pk/'), publicKey.toMultihash().bytes)
  // CIDv1, raw, SHA-256.
  const contentId = concat(Uint8Array.of(1, 0x55, 0x12, 32), randomBytes(32))
  const field = (number: number, content: Uint8Array): Uint8Array =>
    concat(Uint8Array.of((number << 3) | 2, content.length), content)
  const record = concat(
    field(1, recordKey),
    field(2, publicKeyToProtobuf(publicKey)),
    field(5, utf8(new Date().toISOString()))
  )
  const head = Uint8Array.of(0x08, type)
  return type < 2
    ? concat(head, field(2, recordKey), field(3, record))
    : concat(head, field(2, contentId))
}

/** Who asks without being a node: libp2p's own reader and writer of frames, so that ours are tried as well. */
describe('a node, when a stranger', () => {
  let network: LoopbackNetwork
  let stranger: Libp2p
  beforeAll(async () => {
    network = await LoopbackNetwork.start(2)
    stranger = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false }
    })
  }, 30_000)
  afterAll(async () => {
    await stranger?.stop()
    await network?.[Symbol.asyncDispose]()
  })

  const open = async (protocol = storeProtocol): Promise<Stream> =>
    stranger.dialProtocol(multiaddr(network.nodes[0]?.overlayAddresses[0]), protocol)
  const closed = async (stream: Stream): Promise<boolean> => {
    await until(() => stream.status !== 'open' || stream.remoteWriteStatus !== 'writable')
    return true
  }
  /** What a well-formed frame is answered. */
  const ask = async (request: unknown): Promise<unknown> => {
    const stream = await open()
    const frames = lpStream(stream)
    await frames.write(encode(request))
    const answer = decode((await frames.read({ signal: AbortSignal.timeout(5000) })).subarray())
    stream.abort(new Error('enough'))
    return answer
  }
  const head = (frame: { subarray(): Uint8Array }): unknown => {
    const answer: unknown = decode(frame.subarray())
    return Array.isArray(answer) ? answer.slice(0, 2) : answer
  }
  const expectToWork = async (): Promise<void> => {
    const key = new Uint8Array(randomBytes(20))
    const [first, second] = network.nodes
    expect(await first?.put({ key, value: utf8('red'), ttlSeconds: 60 })).toBe(0)
    expect((await second?.get({ key }))?.values).toHaveLength(1)
  }
  const key = new Uint8Array(20).fill(9)
  const none = new Uint8Array()

  it('asks properly, answers', async () => {
    const stored = await ask([7, 1, key, [[0, 60, utf8('red'), none]], none])
    expect(stored).toEqual([7, 0, [0], [expect.anything()]])
    const fetched = await ask([8, 2, key, none])
    expect(fetched).toEqual([
      8,
      0,
      [[0, expect.any(Number), utf8('red'), none]],
      [expect.anything()]
    ])
  })

  it.each([
    ['a life without end', [1, 1, key, [[0, 4e9, utf8('red'), none]], none]],
    ['a value that is too long', [1, 1, key, [[0, 60, new Uint8Array(129), none]], none]],
    [
      'more rows than a key can have',
      [1, 1, key, Array.from({ length: 73 }, (_, i) => [0, 60, utf8(`${i}`), none]), none]
    ],
    [
      'a signature that nobody made',
      (() => {
        const { publicKey } = ownerKeyFromSeed(new Uint8Array(32).fill(1))
        const row = [1, 60, utf8('red'), publicKey, 4e9, new Uint8Array(64)]
        return [1, 1, ownedRegistryKey(publicKey), [row], none]
      })()
    ],
    ['thousands of addresses', [1, 0, Array.from({ length: 5000 }, () => 'http://127.0.0.1:1')]],
    ['an address that is none', [1, 0, ['🙂']]],
    [
      'a comparison of too many keys',
      [1, 4, Array.from({ length: 65 }, () => [key, new Uint8Array(16)])]
    ],
    ['a request that does not exist', [1, 99]]
  ])('sends %s, refuses', async (_, request) => {
    expect(await ask(request)).toEqual([1, 1])
  })

  it.each([
    ['what is no CBOR', (stream: Stream) => lpStream(stream).write(randomBytes(50))],
    [
      'a frame that is too long',
      async (stream: Stream) => stream.send(Uint8Array.of(0xff, 0xff, 0x7f))
    ],
    [
      'a length that is too long',
      async (stream: Stream) => stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x01))
    ]
  ])('sends %s, breaks the stream off', async (_, send) => {
    const stream = await open()
    await send(stream)
    expect(await closed(stream)).toBe(true)
    await expectToWork()
  })

  it('sends the bytes of a frame one by one, takes it as one', async () => {
    const stream = await open()
    const request = encode([3, 2, key, none])
    for (const byte of [request.length, ...request]) {
      stream.send(Uint8Array.of(byte))
      await setTimeout(1)
    }
    expect(head(await lpStream(stream).read())).toEqual([3, 0])
    stream.abort(new Error('enough'))
  })

  it('begins a frame and never ends it, works on', async () => {
    const stream = await open()
    stream.send(Uint8Array.of(0xff, 0xff, 0x03))
    await expectToWork()
    stream.abort(new Error('enough'))
  })

  it('sends many requests of one number at once, answers each', async () => {
    const stream = await open()
    const frames = lpStream(stream)
    for (let i = 0; i < 200; i++) void frames.write(encode([5, 2, key, none]))
    for (let i = 0; i < 200; i++) {
      expect(head(await frames.read())).toEqual([5, 0])
    }
    stream.abort(new Error('enough'))
  })

  it('asks without reading the answers, works on', async () => {
    const stream = await open()
    const frames = lpStream(stream)
    stream.pause()
    const flood = (async () => {
      for (let i = 0; i < 10_000 && stream.status === 'open'; i++) {
        await frames.write(encode([i, 2, key, none]))
        // Stranger and nodes share one process here, and so its time.
        if (i % 50 === 0) await setTimeout(1)
      }
    })().catch(() => {})
    await expectToWork()
    stream.abort(new Error('enough'))
    await flood
  })

  it('opens streams without end, keeps few of them', async () => {
    const streams = await Promise.all(
      Array.from({ length: 40 }, async () => open().catch(() => undefined))
    )
    const answered = await Promise.all(
      streams.map(async (stream) => {
        if (stream === undefined) return false
        const frames = lpStream(stream)
        return frames
          .write(encode([1, 2, key, none]))
          .then(async () => frames.read({ signal: AbortSignal.timeout(3000) }))
          .then(
            () => true,
            () => false
          )
      })
    )
    expect(answered.filter(Boolean).length).toBeLessThanOrEqual(4)
    await expectToWork()
    for (const stream of streams) stream?.abort(new Error('enough'))
  })

  it.each([
    ['a value', 0],
    ['a question for a value', 1],
    ['a provider', 2],
    ['a question for providers', 3]
  ])('sends %s to kad-dht, keeps and answers nothing', async (_, type) => {
    const stream = await open('/hushlamp/kad/1')
    await lpStream(stream).write(await kademliaMessage(type))
    const answer = lpStream(stream).read()
    const outcome = answer.then(
      () => 'answered',
      () => 'broken off'
    )
    expect(await Promise.race([outcome, setTimeout(5000, 'late')])).toBe('broken off')
    expect(await closed(stream)).toBe(true)
  })

  it('asks kad-dht for nodes, answers', async () => {
    const stream = await open('/hushlamp/kad/1')
    const message = Uint8Array.of(0x08, 4, 0x12, 2, 0x01, 0x02)
    await lpStream(stream).write(message)
    const answer = await lpStream(stream).read({ signal: AbortSignal.timeout(5000) })
    expect(answer.byteLength).toBeGreaterThan(2)
    expect(answer.byteLength).toBeLessThan(maxFrameBytes)
    stream.abort(new Error('enough'))
  })
})
