import { isHushlampError } from '@hushlamp/shared'
import type { FastifyPluginCallback, FastifyReply } from 'fastify'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import { decodeMethodCall, encodeFault, encodeMethodResponse } from '../xml-rpc/codec.ts'
import { faultOf } from '../xml-rpc/faults.ts'
import { malformed } from '../xml-rpc/malformed.ts'
import { callMethod } from '../xml-rpc/methods.ts'
import type { MethodComponents } from '../xml-rpc/methods.ts'
import { xmlRpcSchema } from './schemas.ts'

/** What the XML-RPC interface stands in front of. */
export interface XmlRpcComponents extends MethodComponents {
  readonly logger: Logger
}

/** Room for a value that is too long, so that its sender learns the limit instead of finding the connection closed. */
const maxBodyBytes = 16_384

/**
 * OpenDHT's interface at `/RPC2` and, as its clients are set up, at `/`. Only XML is taken: a page of the Web may send
 * other types from a visitor's browser to this node without asking first.
 */
export const xmlRpcRoutes: FastifyPluginCallback<XmlRpcComponents> = (app, components, done) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['text/xml', 'application/xml'],
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    (_request, body, parsed) => parsed(null, body)
  )
  app.setErrorHandler(async (error, _request, reply) => {
    const status = statusOf(error)
    if (status === 415) {
      return answer(reply.code(415), encodeFault(faultOf(malformed('send text/xml'))))
    }
    if (status === 413) {
      return answer(
        reply,
        encodeFault(faultOf(malformed(`a call has at most ${maxBodyBytes} bytes`)))
      )
    }
    if (status === undefined && !isHushlampError(error)) {
      components.logger.warn(`a call failed: ${errorCode(error)}`)
    }
    return answer(
      reply,
      encodeFault(faultOf(status === undefined ? error : malformed('the body is none')))
    )
  })
  for (const url of ['/RPC2', '/'] as const) {
    app.post(url, { schema: xmlRpcSchema(url) }, async (request, reply) => {
      if (!(request.body instanceof Uint8Array)) throw malformed('the body is missing')
      const result = await callMethod(decodeMethodCall(request.body), components)
      return answer(reply, encodeMethodResponse(result))
    })
  }
  done()
}

function answer(reply: FastifyReply, body: string): FastifyReply {
  return reply.header('cache-control', 'no-store').type('text/xml; charset=utf-8').send(body)
}

/** The status of a mistake that Fastify found. */
function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status < 500 ? status : undefined
}
