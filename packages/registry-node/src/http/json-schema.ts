/** A schema in the words of JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Canonical base64: with padding, and no bits but zeros behind the last byte. */
const canonicalBase64 =
  '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$'

/** `length` bytes as hexadecimal digits. */
export function hexBytes(length: number, description: string): JsonSchema {
  return { type: 'string', pattern: `^[0-9a-fA-F]{${2 * length}}$`, description }
}

/** `min` to `max` bytes as base64; a schema can say their number only to the next multiple of three. */
export function base64Bytes(min: number, max: number, description: string): JsonSchema {
  return {
    type: 'string',
    contentEncoding: 'base64',
    pattern: canonicalBase64,
    minLength: 4 * Math.ceil(min / 3),
    maxLength: 4 * Math.ceil(max / 3),
    description
  }
}

/** A whole number within a range. */
export function integer(minimum: number, maximum: number, description: string): JsonSchema {
  return { type: 'integer', minimum, maximum, description }
}

/** An object with these members; others mean nothing. */
export function object(
  properties: JsonSchema,
  required: readonly string[],
  examples?: readonly unknown[]
): JsonSchema {
  return { type: 'object', properties, required, ...(examples && { examples }) }
}
