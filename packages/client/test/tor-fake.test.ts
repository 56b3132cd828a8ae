import { describe, expect, test } from 'vitest'

import { FakeTor, FakeTorNetwork, torProviderSuite } from '../testing/index.ts'
import type { TorProviderFixture } from '../testing/index.ts'

describe('the fake Tor', () => {
  torProviderSuite(() => Promise.resolve(fixture()))

  test('records the token of each attempt', async () => {
    const network = new FakeTorNetwork()
    const tor = new FakeTor({ network })
    network.addHost('example.org', 80, (stream) => stream.end())
    const target = { kind: 'host', host: 'example.org', port: 80 } as const
    await tor.connect(target, { username: 'a', password: 'x' })
    await tor.connect(target, { username: 'b', password: 'x' })
    expect(network.attempts.map(({ circuit }) => circuit.username)).toEqual(['a', 'b'])
  })

  test.each([
    ['unreachable', 'tor-unreachable'],
    ['unauthorised', 'tor-unauthorised'],
    ['frozen', 'tor-timeout']
  ] as const)('fails on demand: %s', async (failure, code) => {
    const network = new FakeTorNetwork()
    const tor = new FakeTor({ network })
    network.addHost('example.org', 80, (stream) => stream.end())
    const target = { kind: 'host', host: 'example.org', port: 80 } as const
    const circuit = { username: 'a', password: 'x' }
    const heal = network.fail(target, failure)
    await expect(tor.connect(target, circuit, { deadlineMs: 10 })).rejects.toMatchObject({ code })
    heal()
    await tor.connect(target, circuit)
  })

  test('a service cannot be reached before it is published', async () => {
    const network = new FakeTorNetwork()
    const due: (() => void)[] = []
    const clock = {
      after: (_: number, callback: () => void) => {
        due.push(callback)
        return () => due.splice(due.indexOf(callback), 1)
      }
    }
    const alice = new FakeTor({ network, clock }, { publicationMs: 1000 })
    const bob = new FakeTor({ network })
    const service = { seed: new Uint8Array(32), port: 80 }
    const { publicKey, published } = await alice.listen(service, (stream) => stream.end())
    const target = { kind: 'onion', publicKey, port: 80 } as const
    const circuit = { username: 'a', password: 'x' }
    await expect(bob.connect(target, circuit)).rejects.toMatchObject({ code: 'tor-unreachable' })
    due[0]?.()
    await published
    await bob.connect(target, circuit)
  })
})

function fixture(): TorProviderFixture<FakeTor> {
  const network = new FakeTorNetwork()
  network.addHost('echo.example', 7, (stream) => stream.pipe(stream))
  const make = (): FakeTor => new FakeTor({ network })
  const [alice, bob] = [make(), make()]
  return {
    alice,
    bob,
    provider: () => Promise.resolve(make()),
    lose: (provider) => Promise.resolve(provider.lose()),
    streamCircuits: (provider) =>
      Promise.resolve(provider.openCircuits.map((circuit) => JSON.stringify(circuit))),
    echoHost: { kind: 'host', host: 'echo.example', port: 7 },
    [Symbol.asyncDispose]: async () => {
      await alice[Symbol.asyncDispose]()
      await bob[Symbol.asyncDispose]()
    }
  }
}
