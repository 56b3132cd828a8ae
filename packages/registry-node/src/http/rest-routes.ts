import { decodeGet, decodePut, decodeRemove, encodeGetResult, encodeResult } from '@hushlamp/shared'
import type { Registry, RegistryLimits } from '@hushlamp/shared'
import type { FastifyPluginCallback } from 'fastify'

import { send } from './answer.ts'
import { getSchema, putSchema, removeSchema } from './schemas.ts'

/** What the REST interface stands in front of. */
export interface RestComponents {
  readonly registry: Registry
  readonly limits: RegistryLimits
}

interface KeyParams {
  readonly key: string
}
interface ValueParams extends KeyParams {
  readonly valueHash: string
}

/** `/v1/keys`: puts, gets and removes. */
export const restRoutes: FastifyPluginCallback<RestComponents> = (app, components, done) => {
  const { registry, limits } = components
  app.post<{ Params: KeyParams }>(
    '/v1/keys/:key/values',
    { schema: putSchema(limits) },
    async (request, reply) => {
      const code = await registry.put(decodePut(request.params.key, request.body))
      return send(reply, encodeResult(code, 'POST'))
    }
  )
  app.get<{ Params: KeyParams }>(
    '/v1/keys/:key/values',
    { schema: getSchema },
    async (request, reply) => {
      const page = await registry.get(decodeGet(request.params.key, request.query))
      return send(reply, encodeGetResult(page))
    }
  )
  app.delete<{ Params: ValueParams }>(
    '/v1/keys/:key/values/:valueHash',
    { schema: removeSchema },
    async (request, reply) => {
      const { key, valueHash } = request.params
      const code = await registry.remove(decodeRemove(key, valueHash, request.body))
      return send(reply, encodeResult(code, 'DELETE'))
    }
  )
  done()
}
