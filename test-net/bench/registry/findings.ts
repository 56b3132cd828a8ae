import { median } from '../interleaved.ts'
import type { NetworkSample } from './network-process.ts'
import type { ServerSamples } from './single-node.ts'

/** What one system of one size did. */
export interface NetworkFinding extends NetworkSample {
  readonly system: string
  readonly nodes: number
}

/** A ratio of two figures of the same run, with its bar where there is one. */
export interface Comparison {
  readonly subject: string
  readonly base: string
  readonly ratio: number
  readonly bar?: { readonly most: number } | { readonly least: number }
  readonly passed?: boolean
}

/** A node's requests per second as shares of the floor's. */
export interface SingleNode {
  readonly node: { readonly put: number; readonly get: number }
  readonly bare: { readonly put: number; readonly get: number }
}

/** The middle of the rounds. */
export function middle({ node, bare }: { node: ServerSamples; bare: ServerSamples }): SingleNode {
  return { node: medians(node), bare: medians(bare) }
}

function medians({ put, get }: ServerSamples): { put: number; get: number } {
  return { put: median(put), get: median(get) }
}

/** The ratios that have bars. */
export function compare(
  networks: readonly NetworkFinding[],
  single: SingleNode
): readonly Comparison[] {
  const find = (system: string, nodes: number): NetworkFinding | undefined =>
    networks.find((each) => each.system === system && each.nodes === nodes)
  const cpu = [30].flatMap((nodes) =>
    (['put', 'get'] as const).map((operation): Comparison => {
      const ours = find('hushlamp', nodes)?.[operation].cpuMs ?? Number.NaN
      const theirs = find('kad-dht', nodes)?.[operation].cpuMs ?? Number.NaN
      return most(`CPU of a ${operation}, ${nodes} nodes`, 'kad-dht', ours / theirs, 0.1)
    })
  )
  const latency = [30, 50].map((nodes): Comparison => {
    const ours = find('hushlamp', nodes)?.get.p50Ms ?? Number.NaN
    const theirs = find('hyperdht mutable', nodes)?.get.p50Ms ?? Number.NaN
    return most(`p50 of a get, ${nodes} nodes`, 'hyperdht mutable', ours / theirs, 1)
  })
  const floor = (['put', 'get'] as const).map((operation): Comparison => {
    const ratio = single.node[operation] / single.bare[operation]
    const bar = { least: 0.6 }
    const subject = `${operation}s per second of one node`
    return { subject, base: 'bare Fastify and Level', ratio, bar, passed: ratio >= bar.least }
  })
  return [...cpu, ...latency, ...floor]
}

function most(subject: string, base: string, ratio: number, bar: number): Comparison {
  return { subject, base, ratio, bar: { most: bar }, passed: ratio <= bar }
}
