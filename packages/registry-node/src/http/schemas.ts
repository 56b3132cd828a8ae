import {
  defaultMaxValues,
  errorCodes,
  hashBytes,
  keyBytes,
  maxSecretBytes,
  maxTtlSeconds,
  maxValuesPerGet,
  maxValuesPerKey,
  minTtlSeconds,
  placemarkBytes,
  resultCode
} from '@hushlamp/shared'
import type { RegistryLimits } from '@hushlamp/shared'
import type { FastifySchema } from 'fastify'

import { base64Bytes, hexBytes, integer, object } from './json-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** What each answer of a route is: status, then media type, then its form. */
type Answers = Readonly<Record<number, JsonSchema>>

/** Groups of the routes, in the order in which the page shows them. */
export const tags = {
  values: {
    name: 'Values',
    description:
      'Puts, gets and removes. Byte strings are hexadecimal in paths and base64 in bodies.'
  },
  xmlRpc: { name: 'XML-RPC', description: 'The same registry for clients of OpenDHT.' },
  network: { name: 'Network', description: 'Where other nodes are.' },
  health: { name: 'Health', description: 'For those who run the node.' }
} as const

const key: JsonSchema = {
  ...hexBytes(keyBytes, 'Key of the registry, 20 bytes.'),
  examples: ['00112233445566778899aabbccddeeff00112233']
}
const ttlSeconds = integer(minTtlSeconds, maxTtlSeconds, 'Time to live, at most seven days.')
const ownerPublicKey = base64Bytes(32, 32, 'Ed25519 public key whose hash is the key.')

/** What the member `code` of a problem may say, with its meaning. */
const problemCodes: readonly (readonly [code: string, meaning: string])[] = [
  ...Object.entries(errorCodes).filter(([code]) => code.startsWith('registry-')),
  ['not-found', 'There is no such resource.'],
  ['internal', 'The node failed to answer.']
]

/** RFC 9457. Named, so that the document describes it once. */
export const problemSchema: JsonSchema = {
  $id: 'Problem',
  title: 'Problem',
  description: 'What went wrong, as RFC 9457 has it.',
  ...object(
    {
      type: { type: 'string', pattern: '^urn:hushlamp:problem:' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string', description: 'What is wrong and what to do, for people.' },
      code: {
        description: [
          'Result codes of OpenDHT: 1 is over capacity, 2 is try again. Codes of errors:',
          ...problemCodes.map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
        ].join('\n'),
        enum: [resultCode.overCapacity, resultCode.tryAgain, ...problemCodes.map(([code]) => code)]
      }
    },
    ['type', 'title', 'status', 'detail', 'code']
  )
}

/** A value as gets answer with it. */
export const storedValueSchema: JsonSchema = {
  $id: 'StoredValue',
  title: 'StoredValue',
  ...object(
    {
      value: { type: 'string', contentEncoding: 'base64' },
      ttlSeconds: { type: 'integer', description: 'What remains of its time to live.' },
      secretHash: base64Bytes(hashBytes, hashBytes, 'All zero for a value that has no secret.'),
      ownerPublicKey
    },
    ['value', 'ttlSeconds', 'secretHash']
  )
}

const json = (description: string, schema: JsonSchema): JsonSchema => ({
  description,
  content: { 'application/json': { schema } }
})
const problem = (description: string): JsonSchema => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } }
})
const xml = (description: string): JsonSchema => ({
  description,
  content: { 'text/xml': { schema: { type: 'string' } } }
})
const tryAgain: JsonSchema = {
  ...problem(
    'Code 2: too few nodes answered, or this one has too much to do. Repeat the request later.'
  ),
  headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds to wait.' } }
}
const internal = problem('The node failed to answer.')

const requests = {
  400: problem('The request breaks a rule; `code` says which.'),
  413: problem('The body is too long.'),
  415: problem('The body is not of the type application/json.')
}
const stored: JsonSchema = object({ code: { const: resultCode.ok } }, ['code'])
const changes = {
  ...requests,
  500: internal,
  503: tryAgain,
  507: problem('Code 1: the nodes for this key have no room.')
}

function route(
  tag: keyof typeof tags,
  operationId: string,
  summary: string,
  rest: FastifySchema & { readonly description?: string; readonly response: Answers }
): FastifySchema {
  return { tags: [tags[tag].name], operationId, summary, ...rest }
}

/** The schema of a put. */
export function putSchema({ maxValueBytes }: RegistryLimits): FastifySchema {
  return route('values', 'put', 'Put a value under a key', {
    description:
      'A put of the same value with the same secret extends the time to live and never shortens it. ' +
      'Nothing that is stored is dropped to make room.',
    params: object({ key }, ['key']),
    body: object(
      {
        value: base64Bytes(1, maxValueBytes, `1 to ${maxValueBytes} bytes.`),
        ttlSeconds,
        secretHash: base64Bytes(
          hashBytes,
          hashBytes,
          'SHA-1 of the secret that can remove the value; without it nobody can.'
        ),
        owner: {
          description:
            'Proof that the key belongs to whoever puts; not together with a secret hash.',
          ...object(
            {
              publicKey: ownerPublicKey,
              expiry: integer(0, 0xffffffff, 'Unix seconds after which no node keeps the value.'),
              signature: base64Bytes(64, 64, 'Ed25519 signature over key, value and expiry.')
            },
            ['publicKey', 'expiry', 'signature']
          )
        }
      },
      ['value', 'ttlSeconds'],
      [{ value: 'cmVk', ttlSeconds: 3600 }]
    ),
    response: { 201: json('Stored.', stored), ...changes }
  })
}

/** The schema of a get. */
export const getSchema: FastifySchema = route('values', 'get', 'Get the values under a key', {
  description:
    'Values of the owner of the key come first, then others in the order of their hashes.',
  params: object({ key }, ['key']),
  querystring: object(
    {
      max: {
        ...integer(1, maxValuesPerGet, 'Most values of this page.'),
        default: defaultMaxValues
      },
      placemark: hexBytes(placemarkBytes, 'Where the page before ended.')
    },
    []
  ),
  response: {
    200: json(
      `A page of values; a key holds at most ${maxValuesPerKey} besides those of its owner.`,
      object(
        {
          values: { type: 'array', items: { $ref: 'StoredValue#' } },
          placemark: {
            type: 'string',
            pattern: `^([0-9a-f]{${2 * placemarkBytes}})?$`,
            description: 'To ask for the next page with; empty where there is none.'
          }
        },
        ['values', 'placemark']
      )
    ),
    400: requests[400],
    500: internal,
    503: tryAgain
  }
})

/** The schema of a remove. */
export const removeSchema: FastifySchema = route(
  'values',
  'remove',
  'Remove a value by its secret',
  {
    description: 'A wrong secret is not noticed: nobody learns whether a value has one.',
    params: object({ key, valueHash: hexBytes(hashBytes, 'SHA-1 of the value.') }, [
      'key',
      'valueHash'
    ]),
    body: object(
      {
        secret: base64Bytes(1, maxSecretBytes, `1 to ${maxSecretBytes} bytes.`),
        ttlSeconds: {
          ...ttlSeconds,
          description: 'How long the removal holds: at least what remains of the value.'
        }
      },
      ['secret', 'ttlSeconds']
    ),
    response: { 200: json('Removed, if the secret is right.', stored), ...changes }
  }
)

/** The schema of the list of nodes. */
export const nodesSchema: FastifySchema = route('network', 'nodes', 'Nodes that answer requests', {
  response: {
    200: json(
      'This node first.',
      object({ nodes: { type: 'array', items: { type: 'string' }, maxItems: 1000 } }, ['nodes'])
    )
  }
})

/** The schema of OpenDHT's list of nodes. */
export const serversSchema: FastifySchema = route('network', 'servers', 'The same as a table', {
  description:
    'A line with the time in UTC, then for each node its number and a colon, host and port, and host, with tabs between.',
  response: {
    200: {
      description: 'This node first.',
      content: { 'text/plain': { schema: { type: 'string' } } }
    }
  }
})

/** The schema of the sign of life. */
export const aliveSchema: FastifySchema = route('health', 'alive', 'Whether the process lives', {
  response: { 200: json('It does.', object({ status: { const: 'alive' } }, ['status'])) }
})

/** The schema of readiness. */
export const readySchema: FastifySchema = route(
  'health',
  'ready',
  'Whether puts and gets work now',
  {
    description: 'The node tries a put and a get, at most once in two seconds.',
    response: {
      200: json('They do.', object({ status: { const: 'ready' } }, ['status'])),
      503: tryAgain
    }
  }
)

/** The schema of OpenDHT's interface at one of its two paths. */
export function xmlRpcSchema(path: '/' | '/RPC2'): FastifySchema {
  return route('xmlRpc', path === '/' ? 'xmlRpcAtRoot' : 'xmlRpc', 'Call a method of OpenDHT', {
    description:
      'Methods: put(key, value, ttl_sec, application), put_removable(key, value, "SHA", secret_hash, ttl_sec, application), ' +
      'get(key, maxvals, placemark, application), get_details(key, maxvals, placemark, application), ' +
      'rm(key, value_hash, "SHA", secret, ttl_sec, application), system.listMethods(), system.methodSignature(name), ' +
      'system.methodHelp(name).',
    body: xml('A methodCall.'),
    response: {
      200: xml('A methodResponse, with a fault where the call breaks a rule.'),
      415: xml('A fault: the body is not of the type text/xml.')
    }
  })
}
