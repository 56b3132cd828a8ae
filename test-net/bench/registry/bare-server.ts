import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ClassicLevel } from 'classic-level'
import { fastify } from 'fastify'

interface Pending {
  readonly key: string
  readonly value: string
  resolve(): void
  reject(error: unknown): void
}

/**
 * The floor: Fastify in front of Level and nothing between them. A put is on disk when it is answered; puts that wait
 * share one synchronous write, as those of a node do. No rules, no expiry, no other nodes.
 */
export async function startBareServer(): Promise<{ url: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-bench-'))
  const level = new ClassicLevel(join(directory, 'level'))
  await level.open()
  const pending: Pending[] = []
  let writing = false
  const write = async (): Promise<void> => {
    writing = true
    while (pending.length > 0) {
      const group = pending.splice(0)
      try {
        const operations = group.map(({ key, value }) => ({ type: 'put' as const, key, value }))
        await level.batch(operations, { sync: true })
        for (const each of group) each.resolve()
      } catch (error) {
        for (const each of group) each.reject(error)
      }
    }
    writing = false
  }
  const app = fastify({ logger: false })
  app.post<{ Params: { key: string }; Body: { value: string; ttlSeconds: number } }>(
    '/v1/keys/:key/values',
    async (request, reply) => {
      await new Promise<void>((resolve, reject) => {
        const { key } = request.params
        pending.push({ key, value: JSON.stringify(request.body), resolve, reject })
        if (!writing) void write()
      })
      return reply.code(201).send({ result: 0 })
    }
  )
  app.get<{ Params: { key: string } }>('/v1/keys/:key/values', async (request) => {
    const value = await level.get(request.params.key)
    return { values: value === undefined ? [] : [JSON.parse(value)], placemark: '' }
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    async [Symbol.asyncDispose]() {
      await app.close()
      await level.close()
      await rm(directory, { recursive: true, force: true })
    }
  }
}
