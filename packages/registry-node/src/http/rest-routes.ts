import {
  decodeGet,
  decodePut,
  decodeRemove,
  encodeGetResult,
  encodeNodes,
  encodeResult
} from '@hushlamp/shared'
import type { Registry } from '@hushlamp/shared'
import type { FastifyPluginCallback } from 'fastify'

import { send } from './answer.ts'

/** What the REST interface stands in front of. */
export interface RestComponents {
  readonly registry: Registry
  /** HTTP addresses of nodes, the own one first. */
  nodes(): readonly string[]
}

interface KeyParams {
  readonly key: string
}
interface ValueParams extends KeyParams {
  readonly valueHash: string
}

/** `/v1`: puts, gets and removes, and where other nodes are. */
export const restRoutes: FastifyPluginCallback<RestComponents> = (app, components, done) => {
  const { registry } = components
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
  done()
}
