import type { Registry } from '@hushlamp/shared'
import { defaultLimits } from '@hushlamp/shared'
import { MemoryRegistry, VirtualClock } from '@hushlamp/shared/testing'
import type { FastifyInstance } from 'fastify'

import { createHttpServer, defaultHttpInit } from '../src/http/server.ts'
import type { HttpInit } from '../src/http/server.ts'
import { silentLogger } from '../src/log.ts'
import { NodeStatus } from '../src/status/node-status.ts'
import { TrafficHistory } from '../src/status/traffic-history.ts'
import { nodeSources } from './node-sources.ts'

/** What the interface of a test differs in. */
export interface HttpInterfaceOptions extends Partial<HttpInit> {
  readonly registry?: Partial<Registry>
  readonly ready?: boolean
  readonly warn?: (line: string) => void
}

/** The HTTP interface before a registry in memory. It does not listen yet. */
export function httpInterface(options: HttpInterfaceOptions = {}): FastifyInstance {
  const { registry = {}, ready = true, warn = () => {}, ...init } = options
  const clock = new VirtualClock()
  const memory = new MemoryRegistry({ clock })
  return createHttpServer(
    {
      registry: {
        put: registry.put ?? (async (request) => memory.put(request)),
        get: registry.get ?? (async (request) => memory.get(request)),
        remove: registry.remove ?? (async (request) => memory.remove(request))
      },
      limits: defaultLimits,
      clock,
      logger: { ...silentLogger, warn },
      nodes: () => ['http://127.0.0.1:5851', 'http://[::1]:5852', 'https://registry.example'],
      ready: async () => ready,
      status: statusOf(clock),
      traffic: new TrafficHistory({ clock }, { aggregateMs: 60_000 }),
      refused: () => {}
    },
    { ...defaultHttpInit, ...init }
  )
}

function statusOf(clock: VirtualClock): NodeStatus {
  const status = new NodeStatus({ clock, sources: nodeSources({ rows: 5 }) }, { renewMs: 10_000 })
  status.start()
  return status
}
