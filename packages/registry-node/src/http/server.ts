import { problem } from '@hushlamp/shared'
import { fastify } from 'fastify'
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import { problemOf, send } from './answer.ts'
import { healthRoutes } from './health-routes.ts'
import type { HealthComponents } from './health-routes.ts'
import { restRoutes } from './rest-routes.ts'
import type { RestComponents } from './rest-routes.ts'

/** What the HTTP interface stands in front of. */
export interface HttpComponents extends RestComponents, HealthComponents {
  readonly logger: Logger
}

/** How the HTTP interface is configured. */
export interface HttpInit {
  /** Greatest length of a body, in bytes. */
  readonly maxBodyBytes: number
}

const requestTimeoutMs = 15_000

/**
 * The HTTP interface of a node, made of one plugin per group of routes. It has no request log and never looks at the
 * address of a client; what goes wrong is logged by its code alone.
 */
export function createHttpServer(components: HttpComponents, init: HttpInit): FastifyInstance {
  const { logger } = components
  const app = fastify({
    logger: false,
    bodyLimit: init.maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 60_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 64 },
    frameworkErrors: (error, _request, reply) => {
      void send(reply, problemOf(error))
    }
  })
  app.removeContentTypeParser('text/plain')
  app.setNotFoundHandler(async (_request, reply) =>
    send(reply, problem(404, 'Not found', 'There is no such resource.', 'not-found'))
  )
  app.setErrorHandler(async (error: FastifyError, _request: FastifyRequest, reply) => {
    const answer = problemOf(error)
    if (answer.status >= 500) logger.warn(`a request failed: ${errorCode(error)}`)
    return send(reply, answer)
  })
  app.register(restRoutes, components)
  app.register(healthRoutes, components)
  return app
}
