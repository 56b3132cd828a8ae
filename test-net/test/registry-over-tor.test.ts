import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { RegistryOverTor, systemRandom } from '@hushlamp/client'
import { FakeTor, FakeTorNetwork } from '@hushlamp/client/testing'
import { RegistryNode, configFrom } from '@hushlamp/registry-node'
import { VirtualClock, registrySuite } from '@hushlamp/shared/testing'
import { describe, expect, test } from 'vitest'

/** A node as clients name it; where it really is, only the network in memory knows. */
const address = 'http://registry.example:5851'

registrySuite('a node over HTTP through Tor', {
  async create() {
    const clock = new VirtualClock()
    const dataDir = await mkdtemp(join(tmpdir(), 'hushlamp-node-'))
    const settings = {
      dataDir,
      http: '127.0.0.1:0',
      overlay: '127.0.0.1:0',
      admin: 'off',
      onion: 'off',
      logLevel: 'silent'
    }
    const node = await RegistryNode.start(configFrom(settings), { clock })
    const network = new FakeTorNetwork()
    const { hostname, port } = new URL(node.httpAddress)
    network.forwardHost('registry.example', 5851, { host: hostname, port: Number(port) })
    const tor = new FakeTor({ network })
    return {
      registry: new RegistryOverTor({ tor, random: systemRandom }, { nodes: [address] }),
      unixSeconds: () => clock.unixSeconds(),
      advance: (seconds) => clock.advance(seconds * 1000),
      async dispose() {
        await tor[Symbol.asyncDispose]()
        await node.stop()
        await rm(dataDir, { recursive: true, force: true })
      }
    }
  }
})

describe('The registry through Tor', () => {
  const key = systemRandom.bytes(20)
  const init = { nodes: [address, 'http://other.example:5851'], deadlineMs: 500 }

  test('gives each attempt a circuit of its own, and tries another node in the end', async () => {
    const network = new FakeTorNetwork()
    const tor = new FakeTor({ network })
    const registry = new RegistryOverTor({ tor, random: systemRandom }, init)
    await expect(registry.get({ key })).rejects.toMatchObject({ code: 'registry-unreachable' })
    const { attempts } = network
    expect(attempts).toHaveLength(3)
    expect(new Set(attempts.map(({ circuit }) => circuit.username)).size).toBe(3)
    const hosts = attempts.map(({ target }) => (target.kind === 'host' ? target.host : ''))
    expect(hosts[0]).toBe(hosts[1])
    expect(hosts[2]).not.toBe(hosts[1])
  })

  test('goes to the same node for the same key, and to both for many keys', async () => {
    const network = new FakeTorNetwork()
    const tor = new FakeTor({ network })
    const once = new RegistryOverTor({ tor, random: systemRandom }, { ...init, attempts: 1 })
    const firstChoice = async (each: Uint8Array): Promise<string> => {
      await once.get({ key: each }).catch(() => undefined)
      const target = network.attempts.at(-1)?.target
      return target?.kind === 'host' ? target.host : ''
    }
    expect(await firstChoice(key)).toBe(await firstChoice(key))
    const keys = Array.from({ length: 40 }, () => systemRandom.bytes(20))
    const choices = new Set<string>()
    for (const each of keys) choices.add(await firstChoice(each))
    expect(choices.size).toBe(2)
  })

  test.each([
    ['garbage', 'this is not HTTP\r\n\r\n'],
    ['an answer that is no registry', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
    ['an endless body', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(300_000)}`],
    ['silence', '']
  ])('ends with an error where a node answers with %s', async (_what, answer) => {
    const network = new FakeTorNetwork()
    for (const host of ['registry.example', 'other.example'])
      network.addHost(host, 5851, (stream) => {
        stream.on('error', () => undefined)
        stream.resume()
        stream.write(answer)
      })
    const tor = new FakeTor({ network })
    const registry = new RegistryOverTor({ tor, random: systemRandom }, init)
    await expect(registry.get({ key })).rejects.toMatchObject({
      code: expect.stringMatching(/^(registry|tor)-/)
    })
  })

  test('takes no address that is not one of a node', () => {
    const tor = new FakeTor({ network: new FakeTorNetwork() })
    const make = (nodes: readonly string[]): RegistryOverTor =>
      new RegistryOverTor({ tor, random: systemRandom }, { nodes })
    for (const nodes of [
      [],
      ['node:5851'],
      ['https://node:1'],
      ['http://node:0'],
      ['http://a.onion']
    ])
      expect(() => make(nodes)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })
})
