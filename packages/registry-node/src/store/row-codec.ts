import { crc32 } from 'node:zlib'

import { compareBytes, keyBytes, rowPosition } from '@hushlamp/shared'
import type { RegistryRow, UnixSeconds } from '@hushlamp/shared'

import { addUsage, noUsage, ttlClasses } from './usage.ts'
import type { StoreUsage, TtlClass } from './usage.ts'

/*
 * Keys of the database, one letter in front, and what is there:
 *   R | key 20              → head | row | row …                                        all rows of a registry key
 *   I | expiry u32 | key 20 → nothing                                                   the index by expiry
 *   U                       → CRC u32 | settled u32 | clean u8 | 3 × (rows u64 | bytes u64)   the counters
 *   V                       → format u8                                                 the version
 *
 *   head = count u16 | count × (length of row u16) | CRC u32
 *   row  = CRC u32 | expiry u32 | kind u8 | flags u8 | position 40 | content            in the order of positions
 *
 * The rows of a key are one value, because they are always read together: a look-up by key costs a tenth of a scan, in
 * time and in memory. Rows and index are always written in one batch, the counters with them. The database does not
 * notice a flipped bit on disk when it reads; hence the checksums, each row its own, which cover the database key too.
 * The flags of a row are its TTL class (bits 0 and 1) and whether a stamp admitted it (bit 2).
 */
const rowsLetter = 0x52
const indexLetter = 0x49

/** Where the counters are. */
export const countersKey: Uint8Array = Uint8Array.of(0x55)

/** Where the version of the format is. */
export const versionKey: Uint8Array = Uint8Array.of(0x56)

/** The version of the format that this file describes. */
export const formatVersion = 2

const kinds = ['put', 'owned', 'remove'] as const
const checksumBytes = 4
const positionBytes = 40
const headBytes = checksumBytes + 4 + 1 + 1 + positionBytes
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

/** Database key of the rows of a registry key. */
export function rowsKey(key: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(rowsLetter), key)
}

/** The range of all rows. */
export const allRows: Range = {
  gte: Uint8Array.of(rowsLetter),
  lt: Uint8Array.of(rowsLetter + 1)
}

/** The registry key in a database key of rows; undefined if it is none. */
export function registryKeyOf(id: Uint8Array): Uint8Array | undefined {
  if (id.length !== 1 + keyBytes || id[0] !== rowsLetter) return undefined
  // The database hands out Buffers, of which slice() copies nothing.
  return new Uint8Array(id.subarray(1))
}

/** Database key of the index entry that something under a registry key expires at a moment. */
export function indexKey(expiry: UnixSeconds, key: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(indexLetter), uint32(expiry), key)
}

/** The range of the whole index, or of the entries of what has expired at `now`. */
export function indexRange(now: UnixSeconds = 0xffffffff): Range {
  const gte = Uint8Array.of(indexLetter)
  if (now >= 0xffffffff) return { gte, lt: Uint8Array.of(indexLetter + 1) }
  return { gte, lt: joined(gte, uint32(Math.max(0, now + 1))) }
}

/** The registry key in an index entry; undefined if it is damaged. */
export function keyOfIndex(entry: Uint8Array): Uint8Array | undefined {
  if (entry.length !== 5 + keyBytes || entry[0] !== indexLetter) return undefined
  return new Uint8Array(entry.subarray(5))
}

/** What a row takes on disk, before compression, if it is the only one of its key: keys, value and index. */
export function bytesOnDisk(row: RegistryRow): number {
  const content = contentOf(row).reduce((sum, part) => sum + part.length, 0)
  return 1 + keyBytes + 2 + 2 + checksumBytes + headBytes + content + (5 + keyBytes)
}

/** A row as a part of the usage of a store. */
export function usageOf({ row, class: ttlClass }: StoredRow): StoreUsage {
  return addUsage(noUsage, ttlClass, { rows: 1, bytes: bytesOnDisk(row) })
}

/** The rows of a registry key as the value of their database key. */
export function encodeRows(key: Uint8Array, rows: readonly StoredRow[]): Uint8Array {
  const seed = crc32(key)
  const encoded = rows
    .toSorted((a, b) => compareBytes(rowPosition(a.row), rowPosition(b.row)))
    .map((stored) => encodeRow(stored, seed))
  const lengths = joined(uint16(rows.length), ...encoded.map(({ length }) => uint16(length)))
  return joined(lengths, uint32(crc32(lengths, seed)), ...encoded)
}

/** The rows of a database value, in the order of positions, and how many were damaged; 1 if nothing can be read. */
export function decodeRows(
  key: Uint8Array,
  value: Uint8Array
): { readonly rows: readonly StoredRow[]; readonly damaged: number } {
  const nothing = { rows: [], damaged: 1 }
  if (value.length < 2) return nothing
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const count = view.getUint16(0)
  const lengthsEnd = 2 + 2 * count
  if (value.length < lengthsEnd + checksumBytes) return nothing
  const seed = crc32(key)
  if (view.getUint32(lengthsEnd) !== crc32(value.subarray(0, lengthsEnd), seed)) return nothing
  const rows: StoredRow[] = []
  let offset = lengthsEnd + checksumBytes
  for (let i = 0; i < count; i++) {
    const end = offset + view.getUint16(2 + 2 * i)
    const stored = decodeRow(value.subarray(offset, end), seed)
    if (stored !== undefined) rows.push(stored)
    offset = end
  }
  return { rows, damaged: count - rows.length }
}

function encodeRow({ row, class: ttlClass, stamped }: StoredRow, seed: number): Uint8Array {
  const flags = ttlClasses.indexOf(ttlClass) | (stamped ? stampedFlag : 0)
  const bytes = joined(
    uint32(0),
    uint32(row.expiry),
    Uint8Array.of(kinds.indexOf(row.kind), flags),
    rowPosition(row),
    ...contentOf(row)
  )
  bytes.writeUInt32BE(crc32(bytes.subarray(checksumBytes), seed))
  return bytes
}

function decodeRow(value: Uint8Array, seed: number): StoredRow | undefined {
  if (value.length < headBytes) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (view.getUint32(0) !== crc32(value.subarray(checksumBytes), seed)) return undefined
  const [kind, flags] = [kinds[view.getUint8(8)], view.getUint8(9)]
  const ttlClass = ttlClasses[flags & classMask]
  if (kind === undefined || ttlClass === undefined) return undefined
  const row = rowOf({
    kind,
    expiry: view.getUint32(4),
    position: new Uint8Array(value.subarray(headBytes - positionBytes, headBytes)),
    content: new Uint8Array(value.subarray(headBytes))
  })
  return row && { row, class: ttlClass, stamped: (flags & stampedFlag) !== 0 }
}

/** The parts that every format of a row has. */
export interface RowParts {
  readonly kind: RegistryRow['kind']
  readonly expiry: UnixSeconds
  /** 40 bytes. */
  readonly position: Uint8Array
  /** A value, a secret, or public key 32 ‖ expiry u32 ‖ signature 64 ‖ value. */
  readonly content: Uint8Array
}

/** The row that parts make; undefined if they are too short for their kind. */
export function rowOf({ kind, expiry, position, content }: RowParts): RegistryRow | undefined {
  const [first, second] = [position.slice(0, 20), position.slice(20)]
  switch (kind) {
    case 'put':
      return { kind, valueHash: first, secretHash: second, expiry, value: content }
    case 'remove':
      return { kind, valueHash: first, secretHash: second, expiry, secret: content }
    case 'owned': {
      if (content.length <= ownerBytes) return undefined
      const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
      const owner = {
        publicKey: content.slice(0, 32),
        expiry: view.getUint32(32),
        signature: content.slice(36, ownerBytes)
      }
      const value = content.slice(ownerBytes)
      return { kind, valueHash: second, secretHash: first, expiry, value, owner }
    }
    default:
      return kind satisfies never
  }
}

function contentOf(row: RegistryRow): readonly Uint8Array[] {
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

/** What is written with every batch, beside the rows. */
export interface Counters {
  readonly usage: StoreUsage
  /** What the sweeper then took for the time at least. */
  readonly settled: UnixSeconds
  /** Whether the store was closed afterwards. If not, the counters are worth a recount. */
  readonly clean: boolean
}

const countersBytes = checksumBytes + 5 + 16 * ttlClasses.length

/** The counters as the value of their database key. */
export function encodeCounters({ usage, settled, clean }: Counters): Uint8Array {
  const bytes = new Uint8Array(countersBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, settled)
  view.setUint8(8, Number(clean))
  ttlClasses.forEach((ttlClass, i) => {
    const count = usage.byClass[ttlClass]
    view.setBigUint64(9 + 16 * i, BigInt(count.rows))
    view.setBigUint64(17 + 16 * i, BigInt(count.bytes))
  })
  view.setUint32(0, crc32(bytes.subarray(checksumBytes)))
  return bytes
}

/** What {@link encodeCounters} has written; undefined if it is damaged. */
export function decodeCounters(value: Uint8Array): Counters | undefined {
  if (value.length !== countersBytes) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (view.getUint32(0) !== crc32(value.subarray(checksumBytes))) return undefined
  const usage = ttlClasses.reduce((sum, ttlClass, i) => {
    const [rows, bytes] = [view.getBigUint64(9 + 16 * i), view.getBigUint64(17 + 16 * i)]
    return addUsage(sum, ttlClass, { rows: Number(rows), bytes: Number(bytes) })
  }, noUsage)
  return { usage, settled: view.getUint32(4), clean: view.getUint8(8) === 1 }
}

/** One array after the other, in a Buffer: the database takes those of the pool in half the time of small arrays. */
function joined(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts)
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff)
}
