import {
  decodeGet,
  decodePut,
  decodeRemove,
  encodeGetResult,
  encodeNodes,
  encodeProblem,
  encodeResult,
  HushlampError,
  isHushlampError,
  problem
} from '@hushlamp/shared'
import type { Registry, RestAnswer } from '@hushlamp/shared'
import { fastify } from 'fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'

/** What the HTTP interface stands in front of. */
export interface HttpComponents {
  readonly registry: Registry
  readonly logger: Logger
  /** HTTP addresses of nodes, the own one first. */
  nodes(): readonly string[]
  /** Whether a quorum put and get work now. */
  ready(): Promise<boolean>
}

/** How the HTTP interface is configured. */
export interface HttpInit {
  /** Greatest length of a body, in bytes. */
  readonly maxBodyBytes: number
}

const requestTimeoutMs = 15_000

interface KeyParams {
  readonly key: string
}
interface ValueParams extends KeyParams {
  readonly valueHash: string
}

/**
 * The REST interface of a node. It has no request log and never looks at the address of a client; what goes wrong is
 * logged by its code alone.
 */
export function createHttpServer(components: HttpComponents, init: HttpInit): FastifyInstance {
  const { registry, logger } = components
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

  app.post<{ Params: KeyParams }>('/v1/keys/:key/values', async (request, reply) => {
    const code = await registry.put(decodePut(request.params.key, request.body))
    return send(reply, encodeResult(code, 'POST'))
  })
  app.get<{ Params: KeyParams }>('/v1/keys/:key/values', async (request, reply) => {
    const page = await registry.get(decodeGet(request.params.key, request.query))
    return send(reply, encodeGetResult(page))
  })
  app.delete<{ Params: ValueParams }>('/v1/keys/:key/values/:valueHash', async (request, reply) => {
    const { key, valueHash } = request.params
    const code = await registry.remove(decodeRemove(key, valueHash, request.body))
    return send(reply, encodeResult(code, 'DELETE'))
  })
  app.get('/v1/nodes', async (_request, reply) => send(reply, encodeNodes(components.nodes())))
  app.get('/healthz', async (_request, reply) => send(reply, state(200, { status: 'alive' })))
  app.get('/readyz', async (_request, reply) => {
    const ready = await components.ready()
    if (ready) return send(reply, state(200, { status: 'ready' }))
    const detail = 'A put and a get that reach enough nodes do not work now.'
    return send(reply, problem(503, 'Not ready', detail, 'registry-unreachable'))
  })

  app.setNotFoundHandler(async (_request, reply) =>
    send(reply, problem(404, 'Not found', 'There is no such resource.', 'not-found'))
  )
  app.setErrorHandler(async (error: FastifyError, _request: FastifyRequest, reply) => {
    const answer = problemOf(error)
    if (answer.status >= 500) logger.warn(`a request failed: ${errorCode(error)}`)
    return send(reply, answer)
  })
  return app
}

function state(status: number, body: object): RestAnswer {
  return { status, contentType: 'application/json', body: JSON.stringify(body) }
}

function problemOf(error: unknown): RestAnswer {
  if (isHushlampError(error)) return encodeProblem(error)
  const statusCode = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  switch (statusCode) {
    case 413:
      return problem(413, 'Content too large', 'The body is too long.', 'registry-malformed')
    case 415:
      return problem(415, 'Unsupported media type', 'Send application/json.', 'registry-malformed')
    default:
      return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
        ? encodeProblem(new HushlampError('registry-malformed'))
        : encodeProblem(error)
  }
}

function send(reply: FastifyReply, answer: RestAnswer): FastifyReply {
  if (answer.retryAfterSeconds !== undefined) {
    reply.header('retry-after', answer.retryAfterSeconds)
  }
  return reply
    .code(answer.status)
    .header('cache-control', 'no-store')
    .type(answer.contentType)
    .send(answer.body)
}
