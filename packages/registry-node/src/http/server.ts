import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

import { problem } from '@hushlamp/shared'
import type { RestAnswer } from '@hushlamp/shared'
import { fastify } from 'fastify'
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify'

import type { Logger } from '../log.ts'
import { problemOf, send } from './answer.ts'
import { budgeted } from './budget.ts'
import type { Budgets } from './budget.ts'
import { addDocs } from './docs-routes.ts'
import { Failures } from './failures.ts'
import { healthRoutes } from './health-routes.ts'
import type { HealthComponents } from './health-routes.ts'
import { networkRoutes } from './network-routes.ts'
import type { NetworkComponents } from './network-routes.ts'
import { restRoutes } from './rest-routes.ts'
import type { RestComponents } from './rest-routes.ts'
import { xmlRpcRoutes } from './xml-rpc-routes.ts'
import { statusRoutes } from '../status/status-routes.ts'
import type { StatusComponents } from '../status/status-routes.ts'

/** What the HTTP interface stands in front of. */
export interface HttpComponents
  extends RestComponents, NetworkComponents, HealthComponents, StatusComponents {
  readonly logger: Logger
  /** A request was turned down. */
  refused(error: unknown): void
}

/**
 * Limits of the HTTP interface. None is per client: behind Tor all clients have one address, and this interface does not
 * look at addresses anyway.
 */
export interface HttpInit {
  /** Greatest length of the headers of a request. */
  readonly maxHeaderBytes: number
  /** How long a client may take to send the headers. */
  readonly headersTimeoutMs: number
  /** How long a client may take to send the whole request. */
  readonly requestTimeoutMs: number
  /** How long a connection stays open between requests. */
  readonly keepAliveTimeoutMs: number
  /** How long a connection may be without a byte, also while an answer is taken slowly. */
  readonly idleTimeoutMs: number
  /** How often connections are checked for these times. */
  readonly checkIntervalMs: number
  /** Most connections at a time; beyond them idle ones are closed and new ones dropped. */
  readonly maxConnections: number
  readonly budgets: Budgets
}

/** What holds where nothing is set. */
export const defaultHttpInit: HttpInit = {
  maxHeaderBytes: 8192,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  checkIntervalMs: 2000,
  maxConnections: 2048,
  budgets: {
    gets: { maxRunning: 64, maxWaiting: 256 },
    puts: { maxRunning: 64, maxWaiting: 256 }
  }
}

/**
 * The HTTP interface of a node, made of one plugin per group of routes. It has no request log and never looks at the
 * address of a client; what goes wrong is logged by its code alone, each code once.
 */
export function createHttpServer(components: HttpComponents, init: HttpInit): FastifyInstance {
  const { logger, limits } = components
  const failures = new Failures(logger)
  const app = fastify({
    logger: false,
    // Twice a value has room for it in base64; the rest is for keys, hashes and proofs.
    bodyLimit: 2 * limits.maxValueBytes + 1024,
    http: {
      maxHeaderSize: init.maxHeaderBytes,
      headersTimeout: init.headersTimeoutMs,
      connectionsCheckingInterval: init.checkIntervalMs
    },
    requestTimeout: init.requestTimeoutMs,
    connectionTimeout: init.idleTimeoutMs,
    keepAliveTimeout: init.keepAliveTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 64 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => {
      void send(reply, problemOf(error))
    }
  })
  // The schemas describe the interface; what is taken is decided by the codec of the core alone, which clients share.
  // A test holds the two together.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => JSON.stringify)
  app.server.maxConnections = init.maxConnections
  app.server.on('drop', () => app.server.closeIdleConnections())
  app.removeContentTypeParser('text/plain')
  app.addHook('onSend', (_request, reply, _payload, next) => {
    reply.header('x-content-type-options', 'nosniff')
    next()
  })
  app.setNotFoundHandler(async (_request, reply) =>
    send(reply, problem(404, 'Not found', 'There is no such resource.', 'not-found'))
  )
  app.setErrorHandler(async (error: FastifyError, _request: FastifyRequest, reply) => {
    const answer = problemOf(error)
    if (answer.status >= 500) failures.report(error)
    else components.refused(error)
    return send(reply, answer)
  })

  const inBudget = {
    ...components,
    failures,
    registry: budgeted(components.registry, init.budgets)
  }
  addDocs(app)
  app.register(restRoutes, inBudget)
  app.register(xmlRpcRoutes, inBudget)
  app.register(networkRoutes, components)
  app.register(healthRoutes, components)
  app.register(statusRoutes, components)
  return app
}

/** Answers what is not HTTP, has too long headers or comes too slowly, and closes the connection. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, contentType, body } = clientProblem(error.code)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close'
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function clientProblem(code: string | undefined): RestAnswer {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem(408, 'Request timeout', 'The request was not complete in time.', malformed)
    case 'HPE_HEADER_OVERFLOW':
      return problem(431, 'Header fields too large', 'The headers are too long.', malformed)
    default:
      return problem(400, 'Bad request', 'This is not a request of HTTP.', malformed)
  }
}

const malformed = 'registry-malformed'
