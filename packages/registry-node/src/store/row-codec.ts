import { concat, HushlampError } from '@hushlamp/shared'
import type { RegistryRow, UnixSeconds } from '@hushlamp/shared'

/*
 * Keys of the database, one letter in front:
 *   E | key 20 | position 40              → expiry u32 | kind u8 | content     a row
 *   X | expiry u32 | key 20 | position 40 → bytes of the row u16               the index by expiry
 *   M                                     → rows u64 | bytes u64               the counters
 * A row and its index entry are always written in one batch, the counters with them.
 */
const rowLetter = 0x45
const indexLetter = 0x58
const idBytes = 60

/** Where the counters are. */
export const countersKey: Uint8Array = Uint8Array.of(0x4d)

const kinds = ['put', 'owned', 'remove'] as const
const headBytes = 5
const ownerBytes = 32 + 4 + 64

/** Database key of the row at a position under a registry key. */
export function rowKey(key: Uint8Array, position: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(rowLetter), key, position)
}

/** The range of all rows, or of all rows of one registry key. */
export function rowRange(key: Uint8Array = new Uint8Array()): { gte: Uint8Array; lt: Uint8Array } {
  const gte = concat(Uint8Array.of(rowLetter), key)
  return { gte, lt: concat(gte, new Uint8Array(idBytes + 1 - key.length).fill(0xff)) }
}

/** Key and position in a row's database key. */
export function splitRowKey(id: Uint8Array): { key: Uint8Array; position: Uint8Array } {
  if (id.length !== idBytes + 1 || id[0] !== rowLetter) throw corrupt()
  // The database hands out Buffers, of which slice() copies nothing.
  const bytes = new Uint8Array(id)
  return { key: bytes.slice(1, 21), position: bytes.slice(21) }
}

/** Database key of a row's entry in the index by expiry. */
export function indexKey(expiry: UnixSeconds, row: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(indexLetter), uint32(expiry), row.subarray(1))
}

/** The range of the index entries of everything that has expired at `now`. */
export function expiredRange(now: UnixSeconds): { gte: Uint8Array; lt: Uint8Array } {
  const letter = Uint8Array.of(indexLetter)
  return { gte: letter, lt: concat(letter, uint32(now + 1)) }
}

/** The row's database key in an index entry. */
export function rowKeyOfIndex(entry: Uint8Array): Uint8Array {
  if (entry.length !== 1 + 4 + idBytes) throw corrupt()
  return concat(Uint8Array.of(rowLetter), entry.subarray(5))
}

/** What a row takes on disk, before compression: both keys, both values. */
export function bytesOnDisk(encodedRow: Uint8Array): number {
  return 1 + idBytes + encodedRow.length + (5 + idBytes) + 2
}

/** Value of an index entry: the bytes that go with it, so that sweeping need not read the row. */
export function encodeSize(bytes: number): Uint8Array {
  return Uint8Array.of(bytes >> 8, bytes & 0xff)
}

/** The bytes that go with an index entry. */
export function decodeSize(value: Uint8Array): number {
  if (value.length !== 2) throw corrupt()
  return ((value[0] ?? 0) << 8) | (value[1] ?? 0)
}

/** A row as the value of its database key. */
export function encodeRow(row: RegistryRow): Uint8Array {
  const head = concat(uint32(row.expiry), Uint8Array.of(kinds.indexOf(row.kind)))
  switch (row.kind) {
    case 'put':
      return concat(head, row.value)
    case 'remove':
      return concat(head, row.secret)
    case 'owned': {
      const { publicKey, expiry, signature } = row.owner
      return concat(head, publicKey, uint32(expiry), signature, row.value)
    }
    default:
      return row satisfies never
  }
}

/**
 * The row of a database entry.
 *
 * @throws HushlampError `storage-corrupt`
 */
export function decodeRow(position: Uint8Array, value: Uint8Array): RegistryRow {
  if (value.length < headBytes || position.length !== 40) throw corrupt()
  const bytes = new Uint8Array(value)
  const view = new DataView(bytes.buffer)
  const expiry = view.getUint32(0)
  const content = bytes.slice(headBytes)
  const [first, second] = [position.slice(0, 20), position.slice(20)]
  switch (kinds[view.getUint8(4)]) {
    case 'put':
      return { kind: 'put', valueHash: first, secretHash: second, expiry, value: content }
    case 'remove':
      return { kind: 'remove', valueHash: first, secretHash: second, expiry, secret: content }
    case 'owned': {
      if (content.length <= ownerBytes) throw corrupt()
      const owner = {
        publicKey: content.slice(0, 32),
        expiry: view.getUint32(headBytes + 32),
        signature: content.slice(36, ownerBytes)
      }
      const rest = content.slice(ownerBytes)
      return { kind: 'owned', valueHash: second, secretHash: first, expiry, value: rest, owner }
    }
    default:
      throw corrupt()
  }
}

/** How much a store holds, expired rows that are not swept yet included. */
export interface StoreUsage {
  readonly rows: number
  readonly bytes: number
}

/** The counters as the value of their database key. */
export function encodeUsage(usage: StoreUsage): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(usage.rows))
  view.setBigUint64(8, BigInt(usage.bytes))
  return bytes
}

/** The counters of a database, zero in a new one. */
export function decodeUsage(value: Uint8Array | undefined): StoreUsage {
  if (value === undefined) return { rows: 0, bytes: 0 }
  if (value.length !== 16) throw corrupt()
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return { rows: Number(view.getBigUint64(0)), bytes: Number(view.getBigUint64(8)) }
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

function corrupt(): HushlampError {
  return new HushlampError('storage-corrupt')
}
