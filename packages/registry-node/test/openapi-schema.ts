const description = { type: 'string' } as const
const reference = {
  type: 'object',
  properties: { $ref: { type: 'string' } },
  required: ['$ref'],
  additionalProperties: false
} as const
const content = {
  type: 'object',
  minProperties: 1,
  propertyNames: { pattern: '^[a-z]+/[a-z0-9.+-]+$' },
  additionalProperties: {
    type: 'object',
    properties: { schema: { type: 'object' }, example: {}, examples: { type: 'object' } },
    required: ['schema'],
    additionalProperties: false
  }
} as const
const header = {
  type: 'object',
  properties: { description, schema: { type: 'object' }, required: { type: 'boolean' } },
  required: ['schema'],
  additionalProperties: false
} as const
const response = {
  type: 'object',
  properties: {
    description,
    headers: { type: 'object', additionalProperties: header },
    content
  },
  required: ['description'],
  additionalProperties: false
} as const
const parameter = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    in: { enum: ['query', 'path', 'header', 'cookie'] },
    description,
    required: { type: 'boolean' },
    schema: { type: 'object' },
    example: {},
    examples: { type: 'object' }
  },
  required: ['name', 'in', 'schema'],
  if: { properties: { in: { const: 'path' } } },
  // oxlint-disable-next-line unicorn/no-thenable -- a word of JSON Schema
  then: { properties: { required: { const: true } }, required: ['required'] },
  additionalProperties: false
} as const
const operation = {
  type: 'object',
  properties: {
    tags: { type: 'array', items: { type: 'string' } },
    operationId: { type: 'string', minLength: 1 },
    summary: { type: 'string', minLength: 1 },
    description,
    parameters: { type: 'array', items: parameter },
    requestBody: {
      type: 'object',
      properties: { description, content, required: { type: 'boolean' } },
      required: ['content'],
      additionalProperties: false
    },
    responses: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^([1-5][0-9]{2}|[1-5]XX|default)$' },
      additionalProperties: { anyOf: [response, reference] }
    }
  },
  required: ['operationId', 'summary', 'tags', 'responses'],
  additionalProperties: false
} as const
const operations = Object.fromEntries(
  ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'].map((method) => [
    method,
    operation
  ])
)

/** The parts of the OpenAPI Specification 3.1.1, §4.8, that the description of a node uses, strictly. */
export const openApiSchema: Readonly<Record<string, unknown>> = {
  type: 'object',
  properties: {
    openapi: { type: 'string', pattern: '^3\\.1\\.[0-9]+$' },
    info: {
      type: 'object',
      properties: {
        title: { type: 'string' },
        version: { type: 'string' },
        description,
        license: {
          type: 'object',
          properties: { name: { type: 'string' } },
          required: ['name'],
          additionalProperties: false
        }
      },
      required: ['title', 'version'],
      additionalProperties: false
    },
    servers: {
      type: 'array',
      items: {
        type: 'object',
        properties: { url: { type: 'string' }, description },
        required: ['url'],
        additionalProperties: false
      }
    },
    tags: {
      type: 'array',
      uniqueItems: true,
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, description },
        required: ['name'],
        additionalProperties: false
      }
    },
    components: {
      type: 'object',
      properties: {
        schemas: {
          type: 'object',
          propertyNames: { pattern: '^[A-Za-z0-9._-]+$' },
          additionalProperties: { type: 'object' }
        }
      },
      additionalProperties: false
    },
    paths: {
      type: 'object',
      propertyNames: { pattern: '^/' },
      additionalProperties: { type: 'object', properties: operations, additionalProperties: false }
    }
  },
  required: ['openapi', 'info', 'paths'],
  additionalProperties: false
}
