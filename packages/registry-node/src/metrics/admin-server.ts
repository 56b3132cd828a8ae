import { HushlampError, problem } from '@hushlamp/shared'
import { fastify } from 'fastify'
import type { FastifyInstance } from 'fastify'

import { isLoopback } from '../loopback.ts'
import { problemOf, send } from '../http/answer.ts'
import type { NodeMetrics } from './node-metrics.ts'

/**
 * The interface for the operator alone, for a loopback address: `GET /metrics`. What it tells is exact, unlike the figures
 * of the public port. Requests under another name than that of this computer are refused, or else a page that an
 * operator looks at could read it by a name of its own (DNS rebinding).
 */
export function createAdminServer(components: { readonly metrics: NodeMetrics }): FastifyInstance {
  const { metrics } = components
  const app = fastify({ logger: false, bodyLimit: 1024, forceCloseConnections: true })
  app.addHook('onRequest', async (request) => {
    if (!namesThisComputer(request.headers.host)) {
      throw new HushlampError('registry-malformed', 'This interface is for this computer only.')
    }
  })
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.text()
    return reply.header('cache-control', 'no-store').type(metrics.contentType).send(text)
  })
  app.setNotFoundHandler(async (_request, reply) =>
    send(reply, problem(404, 'Not found', 'There is no such resource.', 'not-found'))
  )
  app.setErrorHandler(async (error, _request, reply) => send(reply, problemOf(error)))
  return app
}

function namesThisComputer(host: string | undefined): boolean {
  const address = `http://${host}`
  if (host === undefined || !URL.canParse(address)) return false
  const { hostname } = new URL(address)
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}
