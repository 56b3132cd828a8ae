import {
  concat,
  hashBytes,
  HushlampError,
  keyBytes,
  maxSecretBytes,
  maxTtlSeconds,
  maxValuesPerGet,
  minTtlSeconds,
  placemarkBytes
} from '@hushlamp/shared'
import type {
  ErrorCode,
  GetRequest,
  GetResult,
  Registry,
  RegistryLimits,
  StoredValue
} from '@hushlamp/shared'

import { malformed } from './malformed.ts'
import { typeOfValue } from './value.ts'
import type { MethodCall, XmlRpcType, XmlRpcValue } from './value.ts'

/** What the methods work on. */
export interface MethodComponents {
  readonly registry: Registry
  readonly limits: RegistryLimits
}

interface Types {
  readonly int: number
  readonly string: string
  readonly base64: Uint8Array
  readonly array: readonly XmlRpcValue[]
}
type ParametersOf<Names extends readonly XmlRpcType[]> = { [I in keyof Names]: Types[Names[I]] }

/** A method: what `system.methodSignature` and `system.methodHelp` tell of it, and how it is called. */
interface Method {
  readonly returns: XmlRpcType
  readonly takes: readonly XmlRpcType[]
  readonly help: string
  readonly call: (
    params: readonly XmlRpcValue[],
    components: MethodComponents
  ) => Promise<XmlRpcValue>
}

/**
 * Calls a method of OpenDHT's gateways: `put`, `put_removable`, `get`, `get_details` and `rm`, with the parameters, the
 * results and the limits that its clients know (opendht.org, users' guide), or one of `system.listMethods`,
 * `system.methodSignature` and `system.methodHelp`.
 *
 * @throws HushlampError where the call breaks a rule, with a message for the client; `registry-unreachable` where the
 *   registry does not answer.
 */
export async function callMethod(
  call: MethodCall,
  components: MethodComponents
): Promise<XmlRpcValue> {
  return methodNamed(call.method).call(call.params, components)
}

function methodNamed(name: string): Method {
  const method = methods.get(name)
  if (method === undefined) throw malformed('there is no such method; ask system.listMethods')
  return method
}

/** Binds the types that a method says it takes to those that its code works with. */
function define<const Names extends readonly XmlRpcType[]>(
  returns: XmlRpcType,
  takes: Names,
  help: string,
  run: (params: ParametersOf<Names>, components: MethodComponents) => Promise<XmlRpcValue>
): Method {
  const matches = (params: readonly XmlRpcValue[]): params is ParametersOf<Names> =>
    params.length === takes.length && params.every((value, i) => typeOfValue(value) === takes[i])
  return {
    returns,
    takes,
    help,
    call: async (params, components) => {
      if (!matches(params)) {
        throw malformed(
          takes.length === 0
            ? 'the method takes no parameters'
            : `the method takes ${takes.join(', ')}`
        )
      }
      return run(params, components)
    }
  }
}

const put = define(
  'int',
  ['base64', 'base64', 'int', 'string'],
  'put(key, value, ttl_sec, application): 0 stored, 1 over capacity, 2 try again',
  async ([key, value, ttlSeconds], { registry, limits }) =>
    registry.put({
      key: paddedKey(key),
      value: checkedValue(value, limits),
      ttlSeconds: clampedTtl(ttlSeconds)
    })
)

const putRemovable = define(
  'int',
  ['base64', 'base64', 'string', 'base64', 'int', 'string'],
  'put_removable(key, value, "SHA", secret_hash, ttl_sec, application): 0 stored, 1 over capacity, 2 try again',
  async ([key, value, algorithm, secretHash, ttlSeconds], { registry, limits }) => {
    checkAlgorithm(algorithm)
    return registry.put({
      key: paddedKey(key),
      value: checkedValue(value, limits),
      secretHash: exactly(secretHash, hashBytes, 'secret_hash', 'registry-hash-length'),
      ttlSeconds: clampedTtl(ttlSeconds)
    })
  }
)

const get = define(
  'array',
  ['base64', 'int', 'base64', 'string'],
  'get(key, maxvals, placemark, application): [[value, ...], placemark]; an empty placemark starts and ends',
  async ([key, maxValues, placemark], { registry }) =>
    pageOf(await registry.get(getRequest(key, maxValues, placemark)), ({ value }) => value)
)

const getDetails = define(
  'array',
  ['base64', 'int', 'base64', 'string'],
  'get_details(key, maxvals, placemark, application): [[[value, ttl_sec, hash_algorithm, secret_hash], ...], placemark]',
  async ([key, maxValues, placemark], { registry }) =>
    pageOf(await registry.get(getRequest(key, maxValues, placemark)), details)
)

const remove = define(
  'int',
  ['base64', 'base64', 'string', 'base64', 'int', 'string'],
  'rm(key, value_hash, "SHA", secret, ttl_sec, application): 0 stored, 1 over capacity, 2 try again; ttl_sec at least what remains of the value',
  async ([key, valueHash, algorithm, secret, ttlSeconds], { registry }) => {
    checkAlgorithm(algorithm)
    checkLength(secret, 1, maxSecretBytes, 'secret', 'registry-secret-length')
    return registry.remove({
      key: paddedKey(key),
      valueHash: exactly(valueHash, hashBytes, 'value_hash', 'registry-hash-length'),
      secret,
      ttlSeconds: clampedTtl(ttlSeconds)
    })
  }
)

const listMethods = define('array', [], 'The names of all methods.', async () => [
  ...methods.keys()
])

const methodSignature = define(
  'array',
  ['string'],
  'The types of what a method returns and takes.',
  async ([name]) => {
    const { returns, takes } = methodNamed(name)
    return [[returns, ...takes]]
  }
)

const methodHelp = define(
  'string',
  ['string'],
  'How a method is called.',
  async ([name]) => methodNamed(name).help
)

const methods: ReadonlyMap<string, Method> = new Map([
  ['put', put],
  ['put_removable', putRemovable],
  ['get', get],
  ['get_details', getDetails],
  ['rm', remove],
  ['system.listMethods', listMethods],
  ['system.methodSignature', methodSignature],
  ['system.methodHelp', methodHelp]
])

// ---- what OpenDHT's clients send ----------------------------------------------------------------------------------

/** OpenDHT reads a key as a number: a shorter one has zeros in front. */
function paddedKey(key: Uint8Array): Uint8Array {
  checkLength(key, 1, keyBytes, 'key', 'registry-key-length')
  return concat(new Uint8Array(keyBytes - key.length), key)
}

function checkedValue(value: Uint8Array, { maxValueBytes }: RegistryLimits): Uint8Array {
  checkLength(value, 1, maxValueBytes, 'value', 'registry-value-length')
  return value
}

/** OpenDHT shortens what is longer than a week, and so do we. */
function clampedTtl(ttlSeconds: number): number {
  if (ttlSeconds < minTtlSeconds) {
    throw new HushlampError('registry-ttl-range', `ttl_sec is less than ${minTtlSeconds}`)
  }
  return Math.min(ttlSeconds, maxTtlSeconds)
}

function checkAlgorithm(algorithm: string): void {
  if (algorithm !== 'SHA') throw malformed('unknown secret hash algorithm; only "SHA" is known')
}

/** Some of OpenDHT's clients ask for as many values as an int can say; a page is shorter, and they read on. */
function getRequest(key: Uint8Array, maxValues: number, placemark: Uint8Array): GetRequest {
  if (maxValues < 1) throw new HushlampError('registry-max-values', 'maxvals is less than 1')
  if (placemark.length > 0) {
    exactly(placemark, placemarkBytes, 'placemark', 'registry-placemark')
  }
  return { key: paddedKey(key), maxValues: Math.min(maxValues, maxValuesPerGet), placemark }
}

function checkLength(
  bytes: Uint8Array,
  min: number,
  max: number,
  name: string,
  code: ErrorCode
): void {
  if (bytes.length < min) throw new HushlampError(code, `${name} is empty`)
  if (bytes.length > max) throw new HushlampError(code, `${name} is longer than ${max} bytes`)
}

function exactly(bytes: Uint8Array, length: number, name: string, code: ErrorCode): Uint8Array {
  checkLength(bytes, 1, length, name, code)
  if (bytes.length < length)
    throw new HushlampError(code, `${name} is shorter than ${length} bytes`)
  return bytes
}

// ---- what they get ------------------------------------------------------------------------------------------------

function pageOf(page: GetResult, entry: (stored: StoredValue) => XmlRpcValue): XmlRpcValue {
  return [page.values.map(entry), page.placemark]
}

/** A value without a secret has neither an algorithm nor a hash. */
function details({ value, ttlSeconds, secretHash }: StoredValue): XmlRpcValue {
  const removable = secretHash.some((byte) => byte !== 0)
  return [value, ttlSeconds, removable ? 'SHA' : '', removable ? secretHash : new Uint8Array()]
}
