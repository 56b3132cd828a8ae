import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

import { version } from '../version.ts'
import { problemSchema, storedValueSchema, tags } from './schemas.ts'

/** Everything the page needs comes from this node; scripts and styles in the page itself are not run. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/**
 * Adds `/openapi.json`, which describes every route by the schemas of the routes themselves, and `/docs`, which shows it.
 * Has to come before the routes, which are collected as they are added.
 */
export function addDocs(app: FastifyInstance): void {
  app.addSchema(problemSchema)
  app.addSchema(storedValueSchema)
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hushlamp registry node',
        version: version(),
        license: { name: 'MIT' }
      },
      servers: [{ url: '/' }],
      tags: Object.values(tags)
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) =>
        typeof $id === 'string' ? $id : `def-${i}`
    }
  })
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentSecurityPolicy,
    theme: { title: 'Hushlamp registry node' },
    uiConfig: { validatorUrl: null, deepLinking: true, layout: 'BaseLayout' }
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
