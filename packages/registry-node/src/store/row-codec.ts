import { crc32 } from 'node:zlib'

import { concat } from '@hushlamp/shared'
import type { RegistryRow, UnixSeconds } from '@hushlamp/shared'

import { addUsage, noUsage, ttlClasses } from './usage.ts'
import type { StoreUsage, TtlClass } from './usage.ts'

/*
 * Keys of the database, one letter in front, and what is there:
 *   R | key 20 | position 40              → CRC u32 | expiry u32 | kind u8 | flags u8 | content    a row
 *   I | expiry u32 | key 20 | position 40 → bytes of the row u16 | class u8                        the index by expiry
 *   U                                     → CRC u32 | settled u32 | clean u8 | 3 × (rows u64 | bytes u64)  counters
 *   V                                     → format u8                                              the version
 * A row and its index entry are always written in one batch, the counters with them. The database itself does not
 * notice a flipped bit on disk when it reads: hence the checksums, which cover the key as well. The flags of a row are
 * its TTL class (bits 0 and 1) and whether a stamp admitted it (bit 2).
 */
const rowLetter = 0x52
const indexLetter = 0x49
const idBytes = 60

/** Where the counters are. */
export const countersKey: Uint8Array = Uint8Array.of(0x55)

/** Where the version of the format is. */
export const versionKey: Uint8Array = Uint8Array.of(0x56)

/** The version of the format that this file describes. */
export const formatVersion = 2

const kinds = ['put', 'owned', 'remove'] as const
const headBytes = 10
const ownerBytes = 32 + 4 + 64
const classMask = 0b011
const stampedFlag = 0b100

/** A row as a store keeps it. Where it came from is not a part of it, and nowhere else. */
export interface StoredRow {
  readonly row: RegistryRow
  /** The class in which it was admitted. */
  readonly class: TtlClass
  /** Whether a stamp had part in admitting it. */
  readonly stamped: boolean
}

/** Bounds of a scan. */
export interface Range {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

/** Database key of the row at a position under a registry key. */
export function rowKey(key: Uint8Array, position: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(rowLetter), key, position)
}

/** The range of all rows, or of all rows of one registry key. */
export function rowRange(key: Uint8Array = new Uint8Array()): Range {
  const gte = concat(Uint8Array.of(rowLetter), key)
  return { gte, lt: concat(gte, new Uint8Array(idBytes + 1 - key.length).fill(0xff)) }
}

/** The registry key in a row's database key; undefined if it is not one. */
export function registryKeyOf(id: Uint8Array): Uint8Array | undefined {
  if (id.length !== 1 + idBytes || id[0] !== rowLetter) return undefined
  // The database hands out Buffers, of which slice() copies nothing.
  return new Uint8Array(id.subarray(1, 21))
}

/** Database key of a row's entry in the index by expiry. */
export function indexKey(expiry: UnixSeconds, row: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(indexLetter), uint32(expiry), row.subarray(1))
}

/** The range of the whole index, or of the entries of what has expired at `now`. */
export function indexRange(now: UnixSeconds = 0xffffffff): Range {
  const letter = Uint8Array.of(indexLetter)
  if (now >= 0xffffffff) return { gte: letter, lt: Uint8Array.of(indexLetter + 1) }
  return { gte: letter, lt: concat(letter, uint32(Math.max(0, now + 1))) }
}

/** What an index entry leads to; undefined if it is damaged. */
export function decodeIndexKey(
  entry: Uint8Array
): { readonly expiry: UnixSeconds; readonly id: Uint8Array } | undefined {
  if (entry.length !== 5 + idBytes || entry[0] !== indexLetter) return undefined
  const bytes = new Uint8Array(entry)
  const id = concat(Uint8Array.of(rowLetter), bytes.subarray(5))
  return { expiry: new DataView(bytes.buffer).getUint32(1), id }
}

/** What a row with an encoded value of this length takes on disk, before compression: both keys, both values. */
export function bytesOnDisk(encodedBytes: number): number {
  return 1 + idBytes + encodedBytes + (5 + idBytes) + 3
}

/** Length of the encoded row. */
export function encodedLength(row: RegistryRow): number {
  switch (row.kind) {
    case 'put':
      return headBytes + row.value.length
    case 'remove':
      return headBytes + row.secret.length
    case 'owned':
      return headBytes + ownerBytes + row.value.length
    default:
      return row satisfies never
  }
}

/** Value of an index entry: what is to be counted off, should the row itself be damaged when it expires. */
export function encodeIndexValue(bytes: number, ttlClass: TtlClass): Uint8Array {
  return Uint8Array.of(bytes >> 8, bytes & 0xff, ttlClasses.indexOf(ttlClass))
}

/** What {@link encodeIndexValue} has written; undefined if it is damaged. */
export function decodeIndexValue(
  value: Uint8Array
): { readonly bytes: number; readonly class: TtlClass } | undefined {
  const [high = 0, low = 0, classIndex = 0] = value
  const ttlClass = ttlClasses[classIndex]
  if (value.length !== 3 || ttlClass === undefined) return undefined
  return { bytes: (high << 8) | low, class: ttlClass }
}

/** A row as the value of its database key `id`. */
export function encodeRow(
  id: Uint8Array,
  { row, class: ttlClass, stamped }: StoredRow
): Uint8Array {
  const flags = ttlClasses.indexOf(ttlClass) | (stamped ? stampedFlag : 0)
  const head = concat(uint32(row.expiry), Uint8Array.of(kinds.indexOf(row.kind), flags))
  return sealed(concat(head, ...content(row)), id)
}

/** The row of a database entry; undefined if it is damaged. */
export function decodeRow(id: Uint8Array, value: Uint8Array): StoredRow | undefined {
  const bytes = opened(value, id)
  if (bytes === undefined || id.length !== 1 + idBytes || bytes.length < headBytes) return undefined
  const view = new DataView(bytes.buffer)
  const [kind, flags] = [kinds[view.getUint8(8)], view.getUint8(9)]
  const ttlClass = ttlClasses[flags & classMask]
  if (kind === undefined || ttlClass === undefined) return undefined
  const row = rowOf(kind, new Uint8Array(id.subarray(21)), bytes)
  return row && { row, class: ttlClass, stamped: (flags & stampedFlag) !== 0 }
}

/** What is written with every batch, beside the rows. */
export interface Counters {
  readonly usage: StoreUsage
  /** What the sweeper then took for the time at least. */
  readonly settled: UnixSeconds
  /** Whether the store was closed afterwards. If not, the counters are worth a recount. */
  readonly clean: boolean
}

const countersHead = 5

/** The counters as the value of their database key. */
export function encodeCounters({ usage, settled, clean }: Counters): Uint8Array {
  const bytes = new Uint8Array(countersHead + 16 * ttlClasses.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, settled)
  view.setUint8(4, Number(clean))
  ttlClasses.forEach((ttlClass, i) => {
    const count = usage.byClass[ttlClass]
    view.setBigUint64(countersHead + 16 * i, BigInt(count.rows))
    view.setBigUint64(countersHead + 16 * i + 8, BigInt(count.bytes))
  })
  return sealed(bytes, countersKey)
}

/** What {@link encodeCounters} has written; undefined if it is damaged. */
export function decodeCounters(value: Uint8Array): Counters | undefined {
  const bytes = opened(value, countersKey)
  if (bytes?.length !== 4 + countersHead + 16 * ttlClasses.length) return undefined
  const view = new DataView(bytes.buffer, 4)
  const usage = ttlClasses.reduce((sum, ttlClass, i) => {
    const rows = view.getBigUint64(countersHead + 16 * i)
    const total = view.getBigUint64(countersHead + 16 * i + 8)
    return addUsage(sum, ttlClass, { rows: Number(rows), bytes: Number(total) })
  }, noUsage)
  return { usage, settled: view.getUint32(0), clean: view.getUint8(4) === 1 }
}

function content(row: RegistryRow): Uint8Array[] {
  switch (row.kind) {
    case 'put':
      return [row.value]
    case 'remove':
      return [row.secret]
    case 'owned': {
      const { publicKey, expiry, signature } = row.owner
      return [publicKey, uint32(expiry), signature, row.value]
    }
    default:
      return row satisfies never
  }
}

function rowOf(
  kind: RegistryRow['kind'],
  position: Uint8Array,
  bytes: Uint8Array<ArrayBuffer>
): RegistryRow | undefined {
  const view = new DataView(bytes.buffer)
  const expiry = view.getUint32(4)
  const [first, second] = [position.slice(0, 20), position.slice(20)]
  const rest = bytes.slice(headBytes)
  switch (kind) {
    case 'put':
      return { kind, valueHash: first, secretHash: second, expiry, value: rest }
    case 'remove':
      return { kind, valueHash: first, secretHash: second, expiry, secret: rest }
    case 'owned': {
      if (rest.length <= ownerBytes) return undefined
      const owner = {
        publicKey: rest.slice(0, 32),
        expiry: view.getUint32(headBytes + 32),
        signature: rest.slice(36, ownerBytes)
      }
      const value = rest.slice(ownerBytes)
      return { kind, valueHash: second, secretHash: first, expiry, value, owner }
    }
    default:
      return kind satisfies never
  }
}

/** CRC-32 of the database key and the bytes, then the bytes. */
function sealed(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return concat(uint32(crc32(bytes, crc32(key))), bytes)
}

/** A copy of what was sealed, the checksum included; undefined if that does not match. */
function opened(value: Uint8Array, key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (value.length < 4) return undefined
  const bytes = new Uint8Array(value)
  const matches = new DataView(bytes.buffer).getUint32(0) === crc32(bytes.subarray(4), crc32(key))
  return matches ? bytes : undefined
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
