import { encodeProblem, HushlampError, isHushlampError, problem } from '@hushlamp/shared'
import type { RestAnswer } from '@hushlamp/shared'
import type { FastifyReply } from 'fastify'

/** Sends an answer of the REST interface. Nothing of it may be stored on the way. */
export function send(reply: FastifyReply, answer: RestAnswer): FastifyReply {
  if (answer.retryAfterSeconds !== undefined) {
    reply.header('retry-after', answer.retryAfterSeconds)
  }
  return reply
    .code(answer.status)
    .header('cache-control', 'no-store')
    .type(answer.contentType)
    .send(answer.body)
}

/** A `200` with a JSON body. */
export function success(body: object): RestAnswer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(body) }
}

/** The problem that an error becomes: of the core, of Fastify, or one that should not happen. */
export function problemOf(error: unknown): RestAnswer {
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
