import { encodeNodes } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'
import type { FastifyPluginCallback } from 'fastify'

import { send } from './answer.ts'
import { nodesSchema, serversSchema } from './schemas.ts'

/** What the lists of nodes are made from. */
export interface NetworkComponents {
  readonly clock: Clock
  /** HTTP addresses of nodes, the own one first. */
  nodes(): readonly string[]
}

/** `/v1/nodes` and, in the form that OpenDHT's clients read, `/servers.txt`. */
export const networkRoutes: FastifyPluginCallback<NetworkComponents> = (app, components, done) => {
  app.get('/v1/nodes', { schema: nodesSchema }, async (_request, reply) =>
    send(reply, encodeNodes(components.nodes()))
  )
  app.get('/servers.txt', { schema: serversSchema }, async (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('text/plain; charset=utf-8')
      .send(serverList(components.nodes(), components.clock.unixSeconds()))
  )
  done()
}

/**
 * OpenDHT's `servers.txt`: a line with the time, which must hold `UTC`, then a line per node with its number, address and
 * port, and name. The port is the one of the HTTP interface; OpenDHT's clients take only the host and suppose 5851.
 */
export function serverList(nodes: readonly string[], unixSeconds: number): string {
  const [weekday = '', day, month, year, time] = new Date(unixSeconds * 1000)
    .toUTCString()
    .split(' ')
  const header = [weekday.replace(',', ''), month, day, time, 'UTC', year].join(' ')
  const lines = nodes.map((address, i) => {
    const { hostname, port, protocol } = new URL(address)
    const standardPort = protocol === 'https:' ? '443' : '80'
    return `${i}:\t${hostname}:${port || standardPort}\t${hostname}`
  })
  return [header, ...lines, ''].join('\n')
}
