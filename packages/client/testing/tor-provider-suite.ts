import { randomBytes } from 'node:crypto'
import { once } from 'node:events'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { onionPublicKeyOfSeed } from '../src/tor/onion-address.ts'
import type { HostTarget, TorProvider, TorStatus, TorTarget } from '../src/tor/tor-provider.ts'
import {
  attemptDeadlineMs,
  codeOf,
  connect,
  echoService,
  ignore,
  onion,
  read,
  startService,
  token
} from './test-services.ts'

/** What an implementation gives to {@link torProviderSuite}. */
export interface TorProviderFixture<Provider extends TorProvider> extends AsyncDisposable {
  /** Two providers that are ready, on one network. */
  readonly alice: Provider
  readonly bob: Provider
  /** One more provider that is ready; the suite disposes it. */
  provider(): Promise<Provider>
  /** Breaks a provider from outside, as when Tor crashes. */
  lose(provider: Provider): Promise<void>
  /** A name of the circuit of each stream that the provider has open now. */
  streamCircuits(provider: Provider): Promise<readonly string[]>
  /** A host outside of Tor that sends back what it gets, if the network has one. */
  readonly echoHost?: HostTarget
}

/** How long the suite has patience. */
export interface TorProviderSuiteOptions {
  /** For each test and for the preparation. Default 60,000. */
  readonly timeoutMs?: number
}

/**
 * What every {@link TorProvider} has to keep to. Call it inside of a `describe`; `setup` runs once before, its result is
 * disposed afterwards.
 */
export function torProviderSuite<Provider extends TorProvider>(
  setup: () => Promise<TorProviderFixture<Provider>>,
  options: TorProviderSuiteOptions = {}
): void {
  const { timeoutMs: timeout = 60_000 } = options
  let fixture: TorProviderFixture<Provider>
  beforeAll(async () => {
    fixture = await setup()
  }, timeout)
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  }, timeout)

  describe('streams', { timeout }, () => {
    test('carry bytes both ways between an onion service and its caller', async () => {
      await using echo = await echoService(fixture.alice)
      const stream = await connect(fixture.bob, echo.target)
      stream.write('to and fro')
      expect(await read(stream, 10)).toBe('to and fro')
      stream.destroy()
    })

    test('deliver the initial data once and before anything else', async () => {
      await using echo = await echoService(fixture.alice)
      const initialData = Buffer.from('first ')
      const stream = await connect(fixture.bob, echo.target, { initialData })
      stream.write('second')
      expect(await read(stream, 12)).toBe('first second')
      stream.destroy()
    })

    test('deliver what the service sends before it is asked', async () => {
      await using service = await startService(fixture.alice, (stream) => stream.write('welcome'))
      const stream = await connect(fixture.bob, service.target)
      expect(await read(stream, 7)).toBe('welcome')
      stream.destroy()
    })

    test('carry more than any buffer holds, in order', async () => {
      await using echo = await echoService(fixture.alice)
      const stream = await connect(fixture.bob, echo.target)
      const sent = randomBytes(300_000)
      stream.write(sent)
      expect((await read(stream, sent.length, 'latin1')) === sent.toString('latin1')).toBe(true)
      stream.destroy()
    })

    test('end when the other side ends', async () => {
      await using service = await startService(fixture.alice, (stream) => stream.end('bye'))
      const stream = await connect(fixture.bob, service.target)
      const ended = once(stream, 'end')
      expect(await read(stream, 3)).toBe('bye')
      stream.resume()
      await ended
    })

    test('reach a host outside of Tor by its name', async (context) => {
      if (fixture.echoHost === undefined) return context.skip()
      const stream = await connect(fixture.bob, fixture.echoHost)
      stream.write('outside')
      expect(await read(stream, 7)).toBe('outside')
      stream.destroy()
    })

    test('with one token share a circuit, with another they never do', async () => {
      await using echo = await echoService(fixture.alice)
      await using caller = await fixture.provider()
      const [one, other] = [token(), token()]
      const streams = [
        await connect(caller, echo.target, {}, one),
        await caller.connect(echo.target, one, { deadlineMs: attemptDeadlineMs }),
        await connect(caller, echo.target, {}, other)
      ]
      const circuits = await fixture.streamCircuits(caller)
      expect(circuits).toHaveLength(3)
      expect(new Set(circuits).size).toBe(2)
      for (const stream of streams) stream.destroy()
    })
  })

  describe('onion services', { timeout }, () => {
    test('have the address that follows from their seed', async () => {
      const seed = randomBytes(32)
      await using listener = await fixture.alice.listen({ seed, port: 80 }, ignore)
      expect(listener.publicKey).toEqual(onionPublicKeyOfSeed(seed))
    })

    test('know which of them was dialled', async () => {
      await using first = await startService(fixture.alice, (stream) => stream.end('first'))
      await using second = await startService(fixture.alice, (stream) => stream.end('second'))
      expect(await read(await connect(fixture.bob, second.target), 6)).toBe('second')
      expect(await read(await connect(fixture.bob, first.target), 5)).toBe('first')
    })

    test('are replaced by a new listener of the same seed', async () => {
      const seed = randomBytes(32)
      await using old = await startService(fixture.alice, (stream) => stream.end('old'), seed)
      await using _fresh = await startService(fixture.alice, (stream) => stream.end('new'), seed)
      await old[Symbol.asyncDispose]()
      expect(await read(await connect(fixture.bob, old.target), 3)).toBe('new')
    })

    test('take no more streams once disposed, but keep those they have', async () => {
      await using echo = await echoService(fixture.alice)
      const stream = await connect(fixture.bob, echo.target)
      await echo[Symbol.asyncDispose]()
      stream.write('still here')
      expect(await read(stream, 10)).toBe('still here')
      const again = fixture.bob.connect(echo.target, token(), { deadlineMs: attemptDeadlineMs })
      expect(['tor-unreachable', 'tor-timeout']).toContain(await codeOf(again))
      stream.destroy()
    })

    test('can be disposed twice', async () => {
      const echo = await echoService(fixture.alice)
      await echo[Symbol.asyncDispose]()
      await expect(echo[Symbol.asyncDispose]()).resolves.toBeUndefined()
    })
  })

  describe('connect rejects', { timeout }, () => {
    test('a service that was never published', async () => {
      const target = onion(onionPublicKeyOfSeed(randomBytes(32)))
      expect(await codeOf(fixture.bob.connect(target, token()))).toBe('tor-unreachable')
    })

    test('a port that the service does not have', async () => {
      await using echo = await echoService(fixture.alice)
      ;(await connect(fixture.bob, echo.target)).destroy()
      const target = { ...echo.target, port: 4711 }
      expect(await codeOf(fixture.bob.connect(target, token()))).toBe('tor-unreachable')
    })

    const impossible: readonly [string, TorTarget][] = [
      ['a key of a wrong length', onion(new Uint8Array(31))],
      ['port 0', { ...onion(new Uint8Array(32)), port: 0 }],
      ['a fraction of a port', { kind: 'host', host: 'example.org', port: 80.5 }],
      ['an empty host', { kind: 'host', host: '', port: 80 }],
      ['a host with a space', { kind: 'host', host: 'a b', port: 80 }],
      ['an onion address with a wrong checksum', badChecksum()]
    ]
    test.each(impossible)('%s', async (_, target) => {
      expect(await codeOf(fixture.bob.connect(target, token()))).toBe('tor-address')
    })

    test('when it was cancelled before', async () => {
      const target = onion(onionPublicKeyOfSeed(randomBytes(32)))
      const signal = AbortSignal.abort()
      expect(await codeOf(fixture.bob.connect(target, token(), { signal }))).toBe('aborted')
    })

    test('when it is cancelled meanwhile', async () => {
      const target = onion(onionPublicKeyOfSeed(randomBytes(32)))
      const controller = new AbortController()
      const { signal } = controller
      const attempt = codeOf(fixture.bob.connect(target, token(), { signal }))
      controller.abort()
      expect(await attempt).toBe('aborted')
    })
  })

  describe('a provider', { timeout }, () => {
    test('is ready and says when it stops', async () => {
      const provider = await fixture.provider()
      expect(provider.status).toEqual({ phase: 'ready' })
      const seen: TorStatus['phase'][] = []
      provider.onStatus(({ phase }) => seen.push(phase))
      await provider[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
      expect(seen).toEqual(['stopped'])
      expect(provider.status).toEqual({ phase: 'stopped' })
    })

    test('calls a listener no more that was taken back', async () => {
      const provider = await fixture.provider()
      const seen: TorStatus[] = []
      provider.onStatus((status) => seen.push(status))()
      await provider[Symbol.asyncDispose]()
      expect(seen).toEqual([])
    })

    const ends: readonly [string, (provider: Provider) => Promise<void>, TorStatus['phase']][] = [
      ['is disposed', async (provider) => provider[Symbol.asyncDispose](), 'stopped'],
      ['is lost', async (provider) => fixture.lose(provider), 'lost']
    ]
    test.each(ends)('that %s ends its streams and refuses new ones', async (_, end, phase) => {
      await using echo = await echoService(fixture.alice)
      await using provider = await fixture.provider()
      const stream = await connect(provider, echo.target)
      const closed = once(stream, 'close')
      const { published } = await provider.listen({ seed: randomBytes(32), port: 80 }, ignore)
      const publication = codeOf(published)
      await end(provider)
      stream.resume()
      await closed
      await expect.poll(() => provider.status.phase).toBe(phase)
      expect(['tor-lost', undefined]).toContain(await publication)
      expect(await codeOf(provider.connect(echo.target, token()))).toBe('tor-lost')
      const again = provider.listen({ seed: randomBytes(32), port: 80 }, ignore)
      expect(await codeOf(again)).toBe('tor-lost')
    })
  })
}

function badChecksum(): HostTarget {
  return { kind: 'host', host: `${'a'.repeat(56)}.onion`, port: 80 }
}
