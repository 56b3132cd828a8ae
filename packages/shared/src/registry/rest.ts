import { base64, fromBase64, fromHex, hex } from '../crypto/bytes.ts'
import { errorCodes, HushlampError, isHushlampError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { hashBytes, keyBytes, maxValuesPerGet } from './limits.ts'
import { resultCode } from './registry.ts'
import type {
  GetRequest,
  GetResult,
  Ownership,
  PutRequest,
  RemoveRequest,
  ResultCode,
  StoredValue
} from './registry.ts'

/** A request of the registry's REST interface. */
export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path with query, to be put behind the node's address. */
  readonly path: string
  /** JSON text, to be sent as `application/json`. */
  readonly body?: string
}

/** An answer of the registry's REST interface. */
export interface RestAnswer {
  readonly status: number
  /** `application/json`, or `application/problem+json` (RFC 9457) for everything but success. */
  readonly contentType: string
  /** JSON text. */
  readonly body: string
  /** Value of the `Retry-After` header. */
  readonly retryAfterSeconds?: number
}

/** The media type of every answer that is not a success: RFC 9457. */
export const problemType = 'application/problem+json'

/** How long a client should wait after an answer "try again". */
export const retryAfterSeconds = 5

const jsonType = 'application/json'

// ---- requests -----------------------------------------------------------------------------------------------------

/** `POST /v1/keys/{key}/values` with `{value, ttlSeconds, secretHash?, owner?}`, byte strings as base64. */
export function encodePut(request: PutRequest): RestRequest {
  const { key, value, ttlSeconds, secretHash, owner } = request
  return {
    method: 'POST',
    path: `/v1/keys/${hex(key)}/values`,
    body: JSON.stringify({
      value: base64(value),
      ttlSeconds,
      ...(secretHash && { secretHash: base64(secretHash) }),
      ...(owner && {
        owner: {
          publicKey: base64(owner.publicKey),
          expiry: owner.expiry,
          signature: base64(owner.signature)
        }
      })
    })
  }
}

/** The put of a path's key and a parsed body. Lengths and ranges are left to `checkPut`. */
export function decodePut(key: unknown, body: unknown): PutRequest {
  const members = object(body)
  const { secretHash, owner } = members
  return {
    key: hexadecimal(key, keyBytes, 'registry-key-length'),
    value: bytes(members['value']),
    ttlSeconds: number(members['ttlSeconds']),
    ...(secretHash !== undefined && { secretHash: bytes(secretHash) }),
    ...(owner !== undefined && { owner: ownership(owner) })
  }
}

function ownership(value: unknown): Ownership {
  const members = object(value)
  return {
    publicKey: bytes(members['publicKey']),
    expiry: number(members['expiry']),
    signature: bytes(members['signature'])
  }
}

/** `GET /v1/keys/{key}/values?max&placemark`, the placemark as hexadecimal digits. */
export function encodeGet(request: GetRequest): RestRequest {
  const { key, maxValues, placemark } = request
  const query = [
    ...(maxValues === undefined ? [] : [`max=${maxValues}`]),
    ...(placemark === undefined || placemark.length === 0 ? [] : [`placemark=${hex(placemark)}`])
  ].join('&')
  return { method: 'GET', path: `/v1/keys/${hex(key)}/values${query === '' ? '' : `?${query}`}` }
}

/** The get of a path's key and a parsed query. Lengths and ranges are left to `checkGet`. */
export function decodeGet(key: unknown, query: unknown): GetRequest {
  const { max, placemark } = object(query)
  return {
    key: hexadecimal(key, keyBytes, 'registry-key-length'),
    ...(max !== undefined && { maxValues: decimal(max) }),
    ...(placemark !== undefined && {
      placemark: hexadecimal(placemark, undefined, 'registry-placemark')
    })
  }
}

/** `DELETE /v1/keys/{key}/values/{valueHash}` with `{secret, ttlSeconds}`. */
export function encodeRemove(request: RemoveRequest): RestRequest {
  const { key, valueHash, secret, ttlSeconds } = request
  return {
    method: 'DELETE',
    path: `/v1/keys/${hex(key)}/values/${hex(valueHash)}`,
    body: JSON.stringify({ secret: base64(secret), ttlSeconds })
  }
}

/** The remove of a path's key and value hash and a parsed body. Ranges are left to `checkRemove`. */
export function decodeRemove(key: unknown, valueHash: unknown, body: unknown): RemoveRequest {
  const members = object(body)
  return {
    key: hexadecimal(key, keyBytes, 'registry-key-length'),
    valueHash: hexadecimal(valueHash, hashBytes, 'registry-hash-length'),
    secret: bytes(members['secret']),
    ttlSeconds: number(members['ttlSeconds'])
  }
}

// ---- answers ------------------------------------------------------------------------------------------------------

/** 0 becomes `201 {"code":0}` of a put and `200` of a remove, 1 becomes `507`, 2 becomes `503` with `Retry-After`. */
export function encodeResult(code: ResultCode, method: 'POST' | 'DELETE'): RestAnswer {
  switch (code) {
    case resultCode.ok:
      return success(method === 'POST' ? 201 : 200, { code })
    case resultCode.overCapacity:
      return problem(507, 'Over capacity', 'The nodes for this key have no room for it.', code)
    case resultCode.tryAgain:
      return problem(503, 'Try again', 'Too few nodes answered. Repeat the request later.', code)
    default:
      return code satisfies never
  }
}

/**
 * The result code in an answer to a put or a remove.
 *
 * @throws HushlampError what the node found wrong, or `registry-malformed` if this is not a registry's answer.
 */
export function decodeResult(status: number, body: string): ResultCode {
  const code = json(body)['code']
  if ((status === 200 || status === 201) && code === resultCode.ok) return resultCode.ok
  if (status === 507 && code === resultCode.overCapacity) return resultCode.overCapacity
  if (status === 503 && code === resultCode.tryAgain) return resultCode.tryAgain
  throw decodeProblem(status, body)
}

/** `200` with `{values: [{value, ttlSeconds, secretHash, ownerPublicKey?}], placemark}`. */
export function encodeGetResult(result: GetResult): RestAnswer {
  return success(200, {
    values: result.values.map((stored) => ({
      value: base64(stored.value),
      ttlSeconds: stored.ttlSeconds,
      secretHash: base64(stored.secretHash),
      ...(stored.ownerPublicKey && { ownerPublicKey: base64(stored.ownerPublicKey) })
    })),
    placemark: hex(result.placemark)
  })
}

/**
 * The page in an answer to a get.
 *
 * @throws HushlampError what the node found wrong, or `registry-malformed` if this is not a registry's answer.
 */
export function decodeGetResult(status: number, body: string): GetResult {
  if (status !== 200) throw decodeProblem(status, body)
  const { values, placemark } = json(body)
  if (!Array.isArray(values) || values.length > maxValuesPerGet) throw malformed()
  return {
    values: values.map(storedValue),
    placemark: hexadecimal(placemark, undefined, 'registry-malformed')
  }
}

function storedValue(entry: unknown): StoredValue {
  const members = object(entry)
  const { ownerPublicKey } = members
  return {
    value: bytes(members['value']),
    ttlSeconds: number(members['ttlSeconds']),
    secretHash: bytes(members['secretHash'], hashBytes),
    ...(ownerPublicKey !== undefined && { ownerPublicKey: bytes(ownerPublicKey, 32) })
  }
}

/** `GET /v1/nodes`: addresses at which registry nodes speak this interface. */
export function encodeNodes(addresses: readonly string[]): RestAnswer {
  return success(200, { nodes: addresses })
}

/** The addresses in an answer to `GET /v1/nodes`, each an http or https URL without path, at most 1,000. */
export function decodeNodes(status: number, body: string): readonly string[] {
  if (status !== 200) throw decodeProblem(status, body)
  const { nodes } = json(body)
  if (!Array.isArray(nodes) || nodes.length > 1000) throw malformed()
  return nodes.map((address: unknown) => {
    if (!isNodeAddress(address)) throw malformed()
    return address
  })
}

/** Whether `value` is an address under which a node may be announced: `http://host:port`, at most 128 characters. */
export function isNodeAddress(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= 128 &&
    /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z.-]+)(:[0-9]{1,5})?$/.test(value)
  )
}

// ---- problems -----------------------------------------------------------------------------------------------------

/** The HTTP status of an error; whatever is not the client's mistake is 503 or 500. */
export function errorStatus(code: ErrorCode): number {
  if (code === 'registry-unreachable') return 503
  return code.startsWith('registry-') ? 400 : 500
}

/** An error as problem+json (RFC 9457). Whatever is not a HushlampError becomes a `500` that tells nothing. */
export function encodeProblem(error: unknown): RestAnswer {
  if (!isHushlampError(error)) {
    return problem(500, 'Internal error', 'The node failed to answer.', 'internal')
  }
  return problem(errorStatus(error.code), errorCodes[error.code], error.message, error.code)
}

/** A problem+json (RFC 9457) answer with `{type, title, status, detail, code}`. */
export function problem(
  status: number,
  title: string,
  detail: string,
  code: string | number
): RestAnswer {
  return {
    status,
    contentType: problemType,
    body: JSON.stringify({ type: `urn:hushlamp:problem:${code}`, title, status, detail, code }),
    ...(status === 503 && { retryAfterSeconds })
  }
}

/** The error in an answer that is not a success: the node's own code where it names one, else by the status. */
export function decodeProblem(status: number, body: string): HushlampError {
  try {
    const { code } = json(body)
    if (isErrorCode(code)) return new HushlampError(code)
  } catch (cause) {
    if (status < 500) return new HushlampError('registry-malformed', undefined, { cause })
  }
  return new HushlampError(status >= 500 ? 'registry-unreachable' : 'registry-malformed')
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code.startsWith('registry-') && Object.hasOwn(errorCodes, code)
}

// ---- strict pieces ------------------------------------------------------------------------------------------------

function success(status: number, body: object): RestAnswer {
  return { status, contentType: jsonType, body: JSON.stringify(body) }
}

function malformed(): HushlampError {
  return new HushlampError('registry-malformed')
}

function json(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed()
  }
  return object(value)
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return { ...value }
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw malformed()
  return value
}

function decimal(value: unknown): number {
  if (typeof value !== 'string' || !/^[0-9]{1,9}$/.test(value)) throw malformed()
  return Number(value)
}

function bytes(value: unknown, length?: number): Uint8Array {
  const decoded = typeof value === 'string' ? fromBase64(value) : undefined
  if (decoded === undefined || (length !== undefined && decoded.length !== length)) {
    throw malformed()
  }
  return decoded
}

function hexadecimal(value: unknown, length: number | undefined, code: ErrorCode): Uint8Array {
  const decoded = typeof value === 'string' ? fromHex(value) : undefined
  if (decoded === undefined) throw malformed()
  if (length !== undefined && decoded.length !== length) throw new HushlampError(code)
  return decoded
}
