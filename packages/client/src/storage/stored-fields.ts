import { decode, encode } from 'cborg'

import { HushlampError } from '@hushlamp/shared'

/** Fields of a stored row. Written as CBOR. */
export type Fields = Readonly<Record<string, unknown>>

/** A row for a {@link Storage}. Undefined fields are left out. */
export function encodeFields(fields: Fields): Uint8Array {
  return encode(fields, { ignoreUndefinedProperties: true })
}

/** Reads a row; throws `storage-corrupt` where it is none. */
export function decodeFields(bytes: Uint8Array): Fields {
  let row: unknown
  try {
    row = decode(bytes)
  } catch (cause) {
    throw new HushlampError('storage-corrupt', undefined, { cause })
  }
  if (!isFields(row)) throw new HushlampError('storage-corrupt')
  return row
}

/** A field that must be bytes. */
export function bytesField(fields: Fields, name: string): Uint8Array {
  const value = fields[name]
  if (!(value instanceof Uint8Array)) throw new HushlampError('storage-corrupt')
  return value
}

/** A field that must be text. */
export function textField(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new HushlampError('storage-corrupt')
  return value
}

/** A field that must be a safe integer of at least 0. */
export function countField(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new HushlampError('storage-corrupt')
  return value
}

function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  )
}
