import { maxTtlSeconds } from '@hushlamp/shared'
import type { FastifySchema } from 'fastify'

import { tags } from '../http/schemas.ts'
import { integer, object } from '../http/json-schema.ts'
import type { JsonSchema } from '../http/json-schema.ts'
import { ttlClasses } from '../store/usage.ts'

const all = (properties: JsonSchema, description?: string): JsonSchema => ({
  ...object(properties, Object.keys(properties)),
  ...(description !== undefined && { description })
})
const count = (description: string, maximum = Number.MAX_SAFE_INTEGER): JsonSchema =>
  integer(0, maximum, description)
const byClass = (each: JsonSchema, description: string): JsonSchema =>
  all(
    Object.fromEntries(ttlClasses.map((name) => [name, each])),
    `${description} By the TTL that was asked for: up to an hour, up to a day, up to seven days.`
  )

const share = {
  rows: count('Values and removals held, rounded up.'),
  bytes: count('What they take on disk, rounded up.'),
  capacityBytes: count('Most bytes that they may take.')
}

/** `GET /v1/status`: a JSON schema of `Status`, and what the route is for. */
export const statusSchema: FastifySchema & JsonSchema = {
  tags: [tags.health.name],
  operationId: 'status',
  summary: 'What this node tells of itself',
  description:
    'The same for everybody, renewed every few seconds and rounded, so that it shows no single request.',
  response: {
    200: {
      description: 'The status.',
      content: {
        'application/json': {
          schema: all({
            version: { type: 'string', description: 'Version of the node’s program.' },
            peerId: { type: 'string', description: 'Name of the node in the overlay.' },
            uptimeSeconds: count('Rounded down to 10 minutes, later to hours.'),
            peers: count('Connected nodes.'),
            networkNodes: count('How many nodes the network seems to have, this one included.'),
            stored: all({ ...share, byClass: byClass(all(share), 'The parts of it.') }),
            price: byClass(count('Bits.', 256), 'Effort that a put must show, 0 for none.'),
            limits: all({
              maxValueBytes: count('Greatest length of a value.'),
              maxTtlSeconds: count('Longest time to live.', maxTtlSeconds)
            }),
            onionAddress: {
              anyOf: [{ type: 'string', pattern: '^http://[a-z2-7]{56}\\.onion' }, { const: null }],
              description: 'Where the node is an onion service; null where it is none.'
            }
          })
        }
      }
    }
  }
}
