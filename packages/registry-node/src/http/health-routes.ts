import { problem } from '@hushlamp/shared'
import type { FastifyPluginCallback } from 'fastify'

import { send, success } from './answer.ts'
import { aliveSchema, readySchema } from './schemas.ts'

/** What the answers about health are found out with. */
export interface HealthComponents {
  /** Whether a quorum put and get work now. */
  ready(): Promise<boolean>
}

/** `/healthz` tells that the process lives, `/readyz` that puts and gets work. */
export const healthRoutes: FastifyPluginCallback<HealthComponents> = (app, components, done) => {
  app.get('/healthz', { schema: aliveSchema }, async (_request, reply) =>
    send(reply, success({ status: 'alive' }))
  )
  app.get('/readyz', { schema: readySchema }, async (_request, reply) => {
    const ready = await components.ready()
    if (ready) return send(reply, success({ status: 'ready' }))
    const detail = 'A put and a get that reach enough nodes do not work now.'
    return send(reply, problem(503, 'Not ready', detail, 'registry-unreachable'))
  })
  done()
}
