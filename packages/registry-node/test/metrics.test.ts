import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { hex, rowFromPut, utf8 } from '@hushlamp/shared'
import { VirtualClock } from '@hushlamp/shared/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { CapacityOnly } from '../src/admission/admission.ts'
import type { RegistryNode } from '../src/index.ts'
import { configFrom, silentLogger } from '../src/index.ts'
import { RecordStore } from '../src/store/record-store.ts'
import { LoopbackNetwork, loopback } from './loopback-network.ts'

const key = new Uint8Array(20).fill(0xab)
const value = utf8('the canary sings in the mine')
const path = `/v1/keys/${hex(key)}/values`

/** Samples by name and labels, as Prometheus reads them. */
async function samples(node: RegistryNode): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${node.adminAddress}/metrics`)
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const lines = (await answer.text()).split('\n').filter((line) => /^[a-z]/.test(line))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    })
  )
}

describe('the metrics of a node', () => {
  let network: LoopbackNetwork
  let node: RegistryNode
  const send = async (method: string, target: string, body?: unknown): Promise<number> => {
    const answer = await fetch(node.httpAddress + target, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' }
      })
    })
    await answer.text()
    return answer.status
  }

  beforeAll(async () => {
    network = await LoopbackNetwork.start(2)
    node = await network.add({ admin: '127.0.0.1:0' })
    await network.settled()
  })
  afterAll(async () => {
    await network[Symbol.asyncDispose]()
  })

  it('count operations by how they ended and how long they took', async () => {
    const before = await samples(node)
    const put = { value: Buffer.from(value).toString('base64'), ttlSeconds: 60 }
    expect(await send('POST', path, put)).toBe(201)
    expect(await send('POST', path, { ...put, ttlSeconds: 100_000 })).toBe(201)
    expect(await send('GET', path)).toBe(200)
    expect(await send('POST', path, { ...put, ttlSeconds: 0 })).toBe(400)
    expect(await send('POST', path, [])).toBe(400)
    const after = await samples(node)
    const growth = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0)
    expect(growth('hushlamp_requests_total{operation="put",result="ok"}')).toBe(2)
    expect(growth('hushlamp_requests_total{operation="get",result="ok"}')).toBe(1)
    expect(growth('hushlamp_request_seconds_count{operation="put"}')).toBeGreaterThanOrEqual(2)
    expect(growth('hushlamp_refused_total{reason="registry-ttl-range"}')).toBe(1)
    expect(growth('hushlamp_refused_total{reason="registry-malformed"}')).toBe(1)
    expect(growth('hushlamp_stored_rows{ttl_class="week"}')).toBe(1)
    expect(
      growth('hushlamp_overlay_asked_total{operation="store",outcome="answered"}')
    ).toBeGreaterThanOrEqual(4)
    expect(after.get('hushlamp_peers')).toBe(2)
    expect(after.get('process_resident_memory_bytes')).toBeGreaterThan(1e6)
    expect(after.get('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(after.has('nodejs_eventloop_lag_seconds{quantile="0.99"}')).toBe(true)
  })

  it('count what it does for others, and repairs', async () => {
    const neighbour = network.nodes[0]
    await neighbour?.put({ key, value: utf8('from a neighbour'), ttlSeconds: 60 })
    // Repair hands on only what another holder lacks, as one that has just come does.
    await network.add()
    await network.settled()
    await node.repair()
    const counted = await samples(node)
    const served = 'hushlamp_overlay_served_total{operation="store",outcome="answered"}'
    expect(counted.get(served)).toBeGreaterThan(0)
    expect(counted.get('hushlamp_repaired_rows_total')).toBeGreaterThan(0)
  })

  it('know no labels but those of closed sets: no key, no value, no address, no peer', async () => {
    const told = [...(await samples(node)).keys()].join('\n')
    const labels = [...told.matchAll(/([a-z_]+)="([^"]*)"/g)]
    const names = new Set(labels.map(([, name]) => name))
    const known = ['version', 'operation', 'result', 'reason', 'outcome', 'ttl_class', 'le']
    expect([...names].filter((name) => ![...known, 'quantile'].includes(name ?? ''))).toEqual([])
    for (const [, , text] of labels) expect(text).toMatch(/^([a-z-]{1,30}|[\d.]+|\+Inf)$/)
    const secrets = [hex(key), 'canary', '127.0.0.1', ...network.nodes.map(({ peerId }) => peerId)]
    for (const secret of secrets) expect(told).not.toContain(secret)
  })

  it('are for this computer alone, and not on the public port', async () => {
    expect(await send('GET', '/metrics')).toBe(404)
    const { hostname, port } = new URL(node.adminAddress ?? '')
    expect(hostname).toBe('127.0.0.1')
    const statusFor = async (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request({ hostname, port, path: '/metrics', headers: { host } }, (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        })
          .on('error', reject)
          .end()
      })
    expect(await statusFor(`localhost:${port}`)).toBe(200)
    expect(await statusFor(`[::1]:${port}`)).toBe(200)
    expect(await statusFor('rebound.example')).toBe(400)
    expect(await statusFor(':::')).toBe(400)
  })

  it.each(['0.0.0.0:5852', '192.0.2.1:5852', '[::]:5852', 'localhost:5852', '128.0.0.1:1'])(
    'are refused an address that others might reach: %s',
    (admin) => {
      expect(() => configFrom({ ...loopback, dataDir: '/nowhere', admin })).toThrow(
        expect.objectContaining({
          code: 'config-invalid',
          message: expect.stringContaining('admin')
        })
      )
    }
  )

  it('name the setting where their port is taken, and nothing is left open', async () => {
    const admin = new URL(node.adminAddress ?? '').host
    await expect(network.add({ admin })).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining('admin')
    })
  })
})

it('The store counts sweeps and the rows that went', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-sweep-'))
  const clock = new VirtualClock()
  const sweeps: number[] = []
  const store = await RecordStore.open(
    {
      clock,
      logger: silentLogger,
      admission: new CapacityOnly({ maxBytes: 1e6 }),
      meter: { swept: (rows) => sweeps.push(rows) }
    },
    { directory: join(directory, 'store') }
  )
  const row = rowFromPut({ key, value, ttlSeconds: 5 }, clock.unixSeconds())
  await store.offer(key, [row])
  await store.sweep()
  for (let i = 0; i < 6; i++) clock.advance(1000)
  await store.sweep()
  expect(sweeps).toEqual([0, 1])
  await store.close()
  await rm(directory, { recursive: true })
})
