import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { Benchmark } from '../benchmark.ts'
import { machine } from '../machine.ts'
import { table, verdict } from '../markdown-table.ts'
import { compare, middle } from './findings.ts'
import type { Comparison, NetworkFinding, SingleNode } from './findings.ts'
import { measureSingleNode } from './single-node.ts'

const networkProcess = fileURLToPath(new URL('network-process.ts', import.meta.url))
const systems = [
  'hushlamp',
  'hyperdht mutable',
  'kad-dht',
  'hyperdht immutable',
  'bittorrent-dht mutable',
  'bittorrent-dht immutable'
] as const
const processMs = 600_000

/** Our nodes beside other distributed hash tables, and one node beside what it is built on. */
export const registry: Benchmark = {
  name: 'registry',
  about: 'puts and gets of a network, beside kad-dht, hyperdht and bittorrent-dht',
  async run({ quick, progress }) {
    const sizes = quick ? [10] : [10, 30, 50]
    const [most, seconds, rounds] = quick ? [60, 4, 2] : [300, 30, 7]
    const networks: NetworkFinding[] = []
    for (const nodes of sizes) {
      for (const system of systems) {
        progress(`${system}, ${nodes} nodes`)
        const args = [system, nodes, most, seconds].map(String)
        const { stdout } = await promisify(execFile)(
          process.execPath,
          ['--conditions=source', networkProcess, ...args],
          { timeout: processMs }
        )
        networks.push({ system, nodes, ...JSON.parse(stdout) })
      }
    }
    progress('one node beside bare Fastify and Level')
    const single = middle(await measureSingleNode(rounds, quick ? 1000 : 4000))
    const compared = compare(networks, single).filter(({ ratio }) => !Number.isNaN(ratio))
    const findings = { machine: machine(), networks, single, comparisons: compared }
    const passed = quick || compared.every((each) => each.passed !== false)
    return { findings, markdown: markdown(findings), passed }
  }
}

interface Findings {
  readonly machine: Readonly<Record<string, string | number>>
  readonly networks: readonly NetworkFinding[]
  readonly single: SingleNode
  readonly comparisons: readonly Comparison[]
}

function markdown({ machine: facts, networks, single, comparisons }: Findings): string {
  return [
    '# Speed of the registry',
    '',
    '`npm run bench -- registry`: each system in a process of its own that runs all of its nodes on 127.0.0.1; one caller, which',
    'goes from node to node and reads by another node than the one that stored; values of 128 bytes, each under a key of its own.',
    'All pairs of nodes know each other before anything is timed. CPU is that of the whole process, of all nodes, by operation.',
    'Ours are whole nodes: every put is on the disk of those that acknowledge it, eight hold it, and a get is the ordinary one,',
    'which asks so many holders that it meets every put that was acknowledged. The others keep values in memory. The immutable ones',
    'name a value by its hash, so one answer suffices; of ten nodes of bittorrent-dht all hold everything, and a get asks nobody.',
    '',
    ...table(['machine', ''], Object.entries(facts)),
    '',
    ...table(
      ['system', 'nodes', 'put p50', 'p99', 'CPU', 'get p50', 'p99 ms', 'CPU ms', 'operations'],
      networks.map(({ system, nodes, put, get }) => [
        system,
        nodes,
        ...[put, get].flatMap(({ p50Ms, p99Ms, cpuMs }) =>
          [p50Ms, p99Ms, cpuMs].map((value) => value.toFixed(value < 1 ? 2 : 1))
        ),
        put.operations
      ])
    ),
    '',
    'One node over HTTP with 32 connections that stay open, beside Fastify and Level with the same synchronous writes in groups:',
    '',
    ...table(
      ['server', 'puts per second', 'gets per second'],
      Object.entries(single).map(([name, { put, get }]) => [name, perSecond(put), perSecond(get)])
    ),
    '',
    ...table(
      ['this', 'in relation to', 'ratio', 'bar', ''],
      comparisons.map(({ subject, base, ratio, bar, passed }) => [
        subject,
        base,
        ratio.toFixed(3),
        bar === undefined ? '' : 'most' in bar ? `≤ ${bar.most}` : `≥ ${bar.least}`,
        passed === undefined ? '' : verdict(passed)
      ])
    ),
    ''
  ].join('\n')
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString('en')
}
