import type { FastifyPluginCallback, FastifyReply } from 'fastify'

import { decodeMethodCall, encodeFault, encodeMethodResponse } from '../xml-rpc/codec.ts'
import { faultOf } from '../xml-rpc/faults.ts'
import { malformed } from '../xml-rpc/malformed.ts'
import { callMethod } from '../xml-rpc/methods.ts'
import type { MethodComponents } from '../xml-rpc/methods.ts'
import type { Failures } from './failures.ts'
import { xmlRpcSchema } from './schemas.ts'

/** What the XML-RPC interface stands in front of. */
export interface XmlRpcComponents extends MethodComponents {
  readonly failures: Failures
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
    if (status === undefined) components.failures.report(error)
    const fault = faultOf(status === undefined ? error : malformed(mistake(status)))
    return answer(reply.code(status === 415 ? 415 : 200), encodeFault(fault))
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

/** The status of a mistake that Fastify found before the call was read. */
function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status < 500 ? status : undefined
}

function mistake(status: number): string {
  if (status === 413) return `a call has at most ${maxBodyBytes} bytes`
  return status === 415 ? 'a call is of the type text/xml' : 'a call is missing'
}
