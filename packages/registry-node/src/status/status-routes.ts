import { readFileSync } from 'node:fs'

import type { FastifyPluginCallback, FastifyReply } from 'fastify'

import type { TakenStatus } from './node-status.ts'
import { pageFigures } from './page-figures.ts'
import type { PageFigures } from './page-figures.ts'
import { statusPage } from './status-page.ts'
import { statusSchema } from './status-schema.ts'
import type { Aggregate } from './traffic-history.ts'

/** What the status is made of. */
export interface StatusComponents {
  readonly status: { readonly taken: TakenStatus }
  /** Traffic of the last hour, minute by minute. */
  readonly traffic: { readonly aggregates: readonly Aggregate[] }
  /** Whether a quorum put and get work now. May take seconds. */
  ready(): Promise<boolean>
}

/** Files of the page by their names: their content types. */
const assets = {
  'status.css': 'text/css; charset=utf-8',
  'status.js': 'text/javascript; charset=utf-8',
  'lamp.svg': 'image/svg+xml'
} as const

/** Nothing but the page's own files, and nobody may frame it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'"
].join('; ')

/** The description of the interface is for programs. */
const forPeople = { hide: true }

/** How long a page waits to hear whether the node is ready: not to be ready takes seconds to find out. */
const patienceMs = 1000

/** `GET /v1/status`, and `GET /`: a page that shows the same to people. */
export const statusRoutes: FastifyPluginCallback<StatusComponents> = (app, components, done) => {
  const figures = async (): Promise<PageFigures> =>
    pageFigures({
      ...components.status.taken,
      aggregates: components.traffic.aggregates,
      ready: await soon(components.ready())
    })

  app.get('/v1/status', { schema: statusSchema }, async (_request, reply) =>
    secured(reply).send(components.status.taken.status)
  )
  app.get('/', { schema: forPeople }, async (_request, reply) => {
    const links = {
      '/v1/status': 'Status as JSON',
      '/v1/nodes': 'Other nodes',
      ...(app.hasRoute({ method: 'GET', url: '/docs/' }) && { '/docs': 'Interface for programs' })
    }
    return secured(reply)
      .type('text/html; charset=utf-8')
      .send(statusPage(await figures(), links))
  })
  app.get('/status/figures.json', { schema: forPeople }, async (_request, reply) =>
    secured(reply).send(await figures())
  )
  for (const [name, contentType] of Object.entries(assets)) {
    const file = readFileSync(new URL(`../../assets/${name}`, import.meta.url))
    app.get(`/status/${name}`, { schema: forPeople }, async (_request, reply) =>
      secured(reply).header('cache-control', 'no-cache').type(contentType).send(file)
    )
  }
  done()
}

function secured(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'cache-control': 'no-store',
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff'
  })
}

async function soon(ready: Promise<boolean>): Promise<boolean | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), patienceMs)
  try {
    return await Promise.race([ready, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
