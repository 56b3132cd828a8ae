import {
  checkPut,
  checkRemove,
  HushlampError,
  isNodeAddress,
  keyBytes,
  maxOwnedValuesPerKey,
  maxTtlSeconds,
  maxValuesPerKey,
  minTtlSeconds,
  rowFromPut,
  rowFromRemove,
  sha256,
  utf8,
  verifyOwnership
} from '@hushlamp/shared'
import type { RegistryLimits, RegistryRow, ResultCode, UnixSeconds } from '@hushlamp/shared'
import { decode, encode } from 'cborg'

import type { Comparison, KeyDigest } from './reconciler.ts'
import { rowDigestBytes } from './row-digest.ts'

/*
 * The store protocol: CBOR arrays (RFC 8949), each behind its length as a varint.
 *   request  [id, 0, [addresses]]            hello    answer  [id, 0, [addresses], [contacts]]
 *            [id, 1, key, [rows], ring]      store            [id, 0, [codes], [contacts]]
 *            [id, 2, key, ring]              fetch            [id, 0, [rows], [contacts]]
 *            [id, 3]                         bye              as of a hello
 *            [id, 4, [[key, digest of rows]]]  compare        [id, 0, [held otherwise], [not held]], by index
 *                                            refused          [id, 1]
 *   row      [0, ttl, value, secret hash or empty]   [1, ttl, value, public key, expiry, signature]
 *            [2, ttl, secret, value hash]
 *   contact  [peer id, [multiaddresses]], as text
 * Times to live are what remains, never a moment, so that clocks need not agree. `ring` is a digest of the closest nodes
 * that the asking one knows: where the answering one knows the same, it names none.
 */

/** Name and version of the store protocol. */
export const storeProtocol = '/hushlamp/store/1'

/** Longest frame: all rows of a full key with the longest values that can be configured, and contacts. */
export const maxFrameBytes: number = 160 * 1024

/** Most rows that one key can have. */
export const maxRows: number = maxValuesPerKey + maxOwnedValuesPerKey

/** How many keys are compared by one message. */
export const maxKeysPerComparison = 64

const ringDigestBytes = 8
const maxContacts = 8
const maxAddresses = 4
const maxAddressLength = 256
const maxIdLength = 128

/** A node as others name it. */
export interface Contact {
  /** Its peer id. Unchecked, as are the addresses: it is hearsay. */
  readonly id: string
  /** Multiaddresses. */
  readonly addresses: readonly string[]
}

/** Whether an ownership proves a put. */
export type VerifyOwnership = typeof verifyOwnership

interface RowRules {
  readonly limits: RegistryLimits
  readonly now: UnixSeconds
  readonly verify: VerifyOwnership
}

/** What one node asks of another. */
export type StoreRequest =
  | { readonly op: 'hello'; readonly httpAddresses: readonly string[] }
  | {
      readonly op: 'store'
      readonly key: Uint8Array
      readonly rows: readonly RegistryRow[]
      readonly ring: Uint8Array
    }
  | { readonly op: 'fetch'; readonly key: Uint8Array; readonly ring: Uint8Array }
  /** The node leaves, and is not to be counted as lost. */
  | { readonly op: 'bye' }
  /** Which of these keys the other one holds otherwise. */
  | { readonly op: 'compare'; readonly keys: readonly KeyDigest[] }

/** Answer to a hello: also the closest nodes to the asking one, so that neighbours find each other. */
export interface HelloReply {
  readonly httpAddresses: readonly string[]
  readonly closest: readonly Contact[]
}

/** Answer to a store: a code for each row, and the closest nodes that the answering one knows. */
export interface StoreReply {
  readonly codes: readonly ResultCode[]
  readonly closest: readonly Contact[]
}

/** Answer to a fetch: all live rows of the key, and the closest nodes that the answering one knows. */
export interface FetchReply {
  readonly rows: readonly RegistryRow[]
  readonly closest: readonly Contact[]
}

const ops = ['hello', 'store', 'fetch', 'bye', 'compare'] as const

/** The frame of a request. */
export function encodeRequest(id: number, request: StoreRequest, now: UnixSeconds): Uint8Array {
  const op = ops.indexOf(request.op)
  switch (request.op) {
    case 'hello':
      return encode([id, op, request.httpAddresses])
    case 'store':
      return encode([id, op, request.key, encodeRows(request.rows, now), request.ring])
    case 'fetch':
      return encode([id, op, request.key, request.ring])
    case 'bye':
      return encode([id, op])
    case 'compare':
      return encode([id, op, request.keys.map(({ key, digest }) => [key, digest])])
    default:
      return request satisfies never
  }
}

/** A request whose rows are not looked at yet. */
export interface RequestHead {
  readonly id: number
  readonly op: number
  readonly rest: readonly unknown[]
}

/**
 * The number of the request in a frame, and the rest as it is.
 *
 * @throws HushlampError `registry-malformed`
 */
export function decodeRequestHead(frame: Uint8Array): RequestHead {
  const [id, op, ...rest] = array(decodeFrame(frame))
  return { id: uint(id), op: uint(op), rest }
}

/**
 * What a request asks. Rows are checked against every rule, ownership included.
 *
 * @throws HushlampError `registry-malformed` or the code of the rule that a row breaks
 */
export function requestOf(
  { op: number, rest }: RequestHead,
  limits: RegistryLimits,
  now: UnixSeconds,
  verify: VerifyOwnership = verifyOwnership
): StoreRequest {
  const op = ops[number]
  switch (op) {
    case 'hello':
      return { op, httpAddresses: httpAddressesOf(rest[0]) }
    case 'store': {
      const key = bytes(rest[0], keyBytes, keyBytes)
      const rows = rowsOf(key, rest[1], { limits, now, verify })
      return { op, key, rows, ring: bytes(rest[2], 0, ringDigestBytes) }
    }
    case 'fetch': {
      const key = bytes(rest[0], keyBytes, keyBytes)
      return { op, key, ring: bytes(rest[1], 0, ringDigestBytes) }
    }
    case 'bye':
      return { op }
    case 'compare':
      return { op, keys: keyDigestsOf(rest[0]) }
    default:
      throw malformed()
  }
}

/** The frame of an answer to a hello. */
export function encodeHelloReply(id: number, reply: HelloReply): Uint8Array {
  return encode([id, 0, reply.httpAddresses, reply.closest.map(encodeContact)])
}

/** The frame of an answer to a store. */
export function encodeStoreReply(id: number, reply: StoreReply): Uint8Array {
  return encode([id, 0, reply.codes, reply.closest.map(encodeContact)])
}

/** The frame of an answer to a fetch. */
export function encodeFetchReply(id: number, reply: FetchReply, now: UnixSeconds): Uint8Array {
  return encode([id, 0, encodeRows(reply.rows, now), reply.closest.map(encodeContact)])
}

/** The frame of an answer to a comparison. */
export function encodeCompareReply(id: number, { differing, absent }: Comparison): Uint8Array {
  return encode([id, 0, differing, absent])
}

/** The frame of an answer to a request that is not accepted. */
export function encodeRefusal(id: number): Uint8Array {
  return encode([id, 1])
}

/** The number of the request that a frame answers, and what it says; undefined where the request was refused. */
export function decodeReply(frame: Uint8Array): {
  id: number
  body: readonly unknown[] | undefined
} {
  const [id, status, ...body] = array(decodeFrame(frame))
  return { id: uint(id), body: uint(status) === 0 ? body : undefined }
}

/** The answer to a hello out of the body of a reply. */
export function helloReplyOf(body: readonly unknown[]): HelloReply {
  return { httpAddresses: httpAddressesOf(body[0]), closest: contactsOf(body[1]) }
}

/** The answer to a store of `count` rows out of the body of a reply. */
export function storeReplyOf(body: readonly unknown[], count: number): StoreReply {
  const codes = array(body[0], count).map(resultCodeOf)
  if (codes.length !== count) throw malformed()
  return { codes, closest: contactsOf(body[1]) }
}

/** The answer to a fetch of `key` out of the body of a reply. Every row is checked like one that is to be stored. */
export function fetchReplyOf(
  body: readonly unknown[],
  key: Uint8Array,
  limits: RegistryLimits,
  now: UnixSeconds,
  verify: VerifyOwnership = verifyOwnership
): FetchReply {
  return { rows: rowsOf(key, body[0], { limits, now, verify }), closest: contactsOf(body[1]) }
}

/** The answer to a comparison of `count` keys out of the body of a reply. */
export function compareReplyOf(body: readonly unknown[], count: number): Comparison {
  const [differing, absent] = [body[0], body[1]].map((list) =>
    array(list, count).map((index) => uint(index))
  )
  if (differing === undefined || absent === undefined) throw malformed()
  const all = new Set([...differing, ...absent])
  const doubled = all.size < differing.length + absent.length
  if (doubled || [...all].some((index) => index >= count)) throw malformed()
  return { differing, absent }
}

/** The digest of the closest nodes to a key, as requests carry it: equal where two nodes know the same ones. */
export function ringDigest(ids: readonly string[]): Uint8Array {
  return sha256(utf8(ids.join())).subarray(0, ringDigestBytes)
}

function encodeRows(rows: readonly RegistryRow[], now: UnixSeconds): unknown[][] {
  return rows.map((row) => encodeRow(row, now))
}

function encodeRow(row: RegistryRow, now: UnixSeconds): unknown[] {
  // A row may expire while it is on its way, and a clock that was set back may make it look too young.
  const ttlSeconds = Math.min(Math.max(row.expiry - now, minTtlSeconds), maxTtlSeconds)
  switch (row.kind) {
    case 'put': {
      const secretHash = row.secretHash.every((byte) => byte === 0)
        ? new Uint8Array()
        : row.secretHash
      return [0, ttlSeconds, row.value, secretHash]
    }
    case 'owned': {
      const { publicKey, expiry, signature } = row.owner
      return [1, ttlSeconds, row.value, publicKey, expiry, signature]
    }
    case 'remove':
      return [2, ttlSeconds, row.secret, row.valueHash]
    default:
      return row satisfies never
  }
}

function rowsOf(key: Uint8Array, value: unknown, rules: RowRules): RegistryRow[] {
  return array(value, maxRows).map((row) => rowOf(key, array(row), rules))
}

function rowOf(
  key: Uint8Array,
  parts: readonly unknown[],
  { limits, now, verify }: RowRules
): RegistryRow {
  const [kind, ttl, content, third, expiry, signature] = parts
  const ttlSeconds = uint(ttl)
  switch (kind) {
    case 0: {
      const secretHash = bytes(third)
      const put = {
        key,
        value: bytes(content),
        ttlSeconds,
        ...(secretHash.length > 0 && { secretHash })
      }
      checkPut(put, limits)
      return rowFromPut(put, now)
    }
    case 1: {
      const owner = { publicKey: bytes(third), expiry: uint(expiry), signature: bytes(signature) }
      const put = { key, value: bytes(content), ttlSeconds, owner }
      checkPut(put, limits)
      // Where clocks differ it may have expired here but not there: a row like any other, though not a live one.
      return rowFromPut(put, Math.min(now, owner.expiry - 1), verify)
    }
    case 2: {
      const remove = { key, valueHash: bytes(third), secret: bytes(content), ttlSeconds }
      checkRemove(remove)
      return rowFromRemove(remove, now)
    }
    default:
      throw malformed()
  }
}

function keyDigestsOf(value: unknown): KeyDigest[] {
  return array(value, maxKeysPerComparison).map((item) => {
    const [key, digest] = array(item)
    return {
      key: bytes(key, keyBytes, keyBytes),
      digest: bytes(digest, rowDigestBytes, rowDigestBytes)
    }
  })
}

function encodeContact(contact: Contact): unknown[] {
  return [contact.id, contact.addresses.slice(0, maxAddresses)]
}

function contactsOf(value: unknown): Contact[] {
  return array(value, maxContacts).map((contact) => {
    const [id, addresses] = array(contact)
    return {
      id: text(id, maxIdLength),
      addresses: array(addresses, maxAddresses).map((address) => text(address, maxAddressLength))
    }
  })
}

function httpAddressesOf(value: unknown): string[] {
  return array(value, maxAddresses).map((address) => {
    if (!isNodeAddress(address)) throw malformed()
    return address
  })
}

function resultCodeOf(value: unknown): ResultCode {
  if (value === 0 || value === 1 || value === 2) return value
  throw malformed()
}

function decodeFrame(frame: Uint8Array): unknown {
  if (frame.length > maxFrameBytes) throw malformed()
  try {
    return decode(frame, {
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      strict: true,
      rejectDuplicateMapKeys: true
    }) as unknown
  } catch {
    // The cause quotes what it was given.
    throw malformed()
  }
}

function array(value: unknown, maxLength = Number.MAX_SAFE_INTEGER): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxLength) throw malformed()
  return value
}

function uint(value: unknown): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw malformed()
  return Number(value)
}

function bytes(value: unknown, min = 0, max = maxFrameBytes): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) throw malformed()
  return value
}

function text(value: unknown, maxLength: number): string {
  if (typeof value !== 'string' || value.length > maxLength) throw malformed()
  return value
}

function malformed(): HushlampError {
  return new HushlampError('registry-malformed')
}
