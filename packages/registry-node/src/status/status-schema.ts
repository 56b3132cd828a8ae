const count = { type: 'integer', minimum: 0 } as const
const shareMembers = {
  rows: { ...count, description: 'Values and removals held, rounded up.' },
  bytes: { ...count, description: 'What they take on disk, rounded up.' },
  capacityBytes: { ...count, description: 'Most bytes that they may take.' }
} as const
const share = {
  type: 'object',
  properties: shareMembers,
  required: ['rows', 'bytes', 'capacityBytes']
} as const
const byClass = <Schema>(each: Schema, description: string) =>
  ({
    type: 'object',
    description,
    properties: { hour: each, day: each, week: each },
    required: ['hour', 'day', 'week']
  }) as const
const classes = 'By the TTL that was asked for: up to an hour, up to a day, up to seven days.'

/** `GET /v1/status` for the OpenAPI document: a JSON schema of `Status`, and what the route is for. */
export const statusRouteSchema: object = {
  summary: 'What this node tells of itself',
  description:
    'The same for everybody and renewed only every few seconds; rounded, so that it shows no single request.',
  response: {
    200: {
      description: 'The status.',
      type: 'object',
      properties: {
        version: { type: 'string' },
        peerId: { type: 'string', description: 'Name of the node in the overlay.' },
        uptimeSeconds: { ...count, description: 'Rounded down to 10 minutes, later to hours.' },
        peers: { ...count, description: 'Connected nodes.' },
        networkNodes: {
          ...count,
          description: 'How many nodes the network seems to have, this one included.'
        },
        stored: {
          type: 'object',
          properties: { ...shareMembers, byClass: byClass(share, classes) },
          required: [...share.required, 'byClass']
        },
        price: byClass(count, `Bits of effort that a put must show, 0 for none. ${classes}`),
        limits: {
          type: 'object',
          properties: { maxValueBytes: count, maxTtlSeconds: count },
          required: ['maxValueBytes', 'maxTtlSeconds']
        },
        onionAddress: { type: ['string', 'null'], description: 'http://….onion, if there is one.' }
      },
      required: [
        'version',
        'peerId',
        'uptimeSeconds',
        'peers',
        'networkNodes',
        'stored',
        'price',
        'limits',
        'onionAddress'
      ]
    }
  }
}
