import { compareBytes, concat, hex } from '../crypto/bytes.ts'
import { sha1 } from '../crypto/hash.ts'
import { HushlampError } from '../errors.ts'
import type { UnixSeconds } from '../ports.ts'
import { hashBytes, maxOwnedValuesPerKey, maxValuesPerKey } from './limits.ts'
import { verifyOwnership } from './ownership.ts'
import type { GetRequest, GetResult, Ownership, PutRequest, RemoveRequest } from './registry.ts'

/**
 * What a holder keeps of one put or one remove: OpenDHT allows at most one of them per triple (key, value hash, secret
 * hash). All rules of merging, capacity of a key and paging are in this file, and nowhere else; the registry in memory,
 * the store on disk and the merging of replicas share them. The key itself is kept beside the row.
 */
export type RegistryRow = PutRow | OwnedRow | RemoveRow

interface RowBase {
  /** SHA-1 of the value, 20 bytes. */
  readonly valueHash: Uint8Array
  /** 20 bytes; all zero where there is no secret. */
  readonly secretHash: Uint8Array
  /** The first second in which the row is no longer there. */
  readonly expiry: UnixSeconds
}

/** A plain put. */
export interface PutRow extends RowBase {
  readonly kind: 'put'
  readonly value: Uint8Array
}

/** A put whose owner proved that the key is his. It stands beside a plain put of the same value, not in its place. */
export interface OwnedRow extends RowBase {
  readonly kind: 'owned'
  readonly value: Uint8Array
  readonly owner: Ownership
}

/** The tombstone of a remove: keeps the secret, so that every holder can verify it. */
export interface RemoveRow extends RowBase {
  readonly kind: 'remove'
  readonly secret: Uint8Array
}

const noHash = new Uint8Array(hashBytes)

/**
 * The row of a put that arrives at `now`. `verify` may remember what it has verified before.
 *
 * @throws HushlampError `registry-owner` if the put claims an ownership that does not verify.
 */
export function rowFromPut(
  request: PutRequest,
  now: UnixSeconds,
  verify: typeof verifyOwnership = verifyOwnership
): PutRow | OwnedRow {
  const { key, value, ttlSeconds, secretHash, owner } = request
  const valueHash = sha1(value)
  const expiry = now + ttlSeconds
  if (owner === undefined) {
    return { kind: 'put', valueHash, secretHash: secretHash ?? noHash, value, expiry }
  }
  if (!verify(key, value, owner, now)) throw new HushlampError('registry-owner')
  return {
    kind: 'owned',
    valueHash,
    secretHash: noHash,
    value,
    expiry: Math.min(expiry, owner.expiry),
    owner
  }
}

/** The tombstone of a remove that arrives at `now`. */
export function rowFromRemove(request: RemoveRequest, now: UnixSeconds): RemoveRow {
  const { valueHash, secret, ttlSeconds } = request
  return { kind: 'remove', valueHash, secretHash: sha1(secret), secret, expiry: now + ttlSeconds }
}

/**
 * Where a row stands under its key, 40 bytes: value hash ‖ secret hash, and for an owned row 20 zero bytes ‖ value hash.
 * Byte order of positions is the order of every listing on every replica, so owned rows come first, and a placemark is
 * simply the position of the last row of a page, whichever replica continues it.
 */
export function rowPosition(row: RegistryRow): Uint8Array {
  return row.kind === 'owned'
    ? concat(noHash, row.valueHash)
    : concat(row.valueHash, row.secretHash)
}

/** Whether a row is still there at `now`. */
export function isLive(row: RegistryRow, now: UnixSeconds): boolean {
  return row.expiry > now
}

/**
 * Which of two rows of the same position stays: a remove before a put, then the later expiry; what remains is decided
 * by the bytes, so that all replicas decide alike. A total order: merging is commutative, associative and idempotent.
 */
function outranks(a: RegistryRow, b: RegistryRow): boolean {
  const byKind = Number(a.kind === 'remove') - Number(b.kind === 'remove')
  if (byKind !== 0) return byKind > 0
  if (a.expiry !== b.expiry) return a.expiry > b.expiry
  return compareBytes(content(a), content(b)) > 0
}

function content(row: RegistryRow): Uint8Array {
  switch (row.kind) {
    case 'put':
      return row.value
    case 'remove':
      return row.secret
    case 'owned':
      return concat(row.value, row.owner.signature)
    default:
      return row satisfies never
  }
}

/**
 * What a holder keeps when `incoming` meets the row that it has at the same position: OpenDHT's rules. Answers `existing`
 * itself where nothing changes, undefined where both have expired.
 */
export function mergeRow(
  existing: RegistryRow | undefined,
  incoming: RegistryRow,
  now: UnixSeconds
): RegistryRow | undefined {
  const kept = existing !== undefined && isLive(existing, now) ? existing : undefined
  if (!isLive(incoming, now)) return kept
  return kept === undefined || outranks(incoming, kept) ? incoming : kept
}

/** The union of what several replicas hold of one key, without the expired, in the order of positions. */
export function mergeRows(
  lists: Iterable<Iterable<RegistryRow>>,
  now: UnixSeconds
): readonly RegistryRow[] {
  const rows = new Map<string, RegistryRow>()
  for (const list of lists) {
    for (const row of list) {
      const position = hex(rowPosition(row))
      const merged = mergeRow(rows.get(position), row, now)
      if (merged !== undefined) rows.set(position, merged)
    }
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

/**
 * Whether a key that holds `rows` takes one more row at a new position. Owned rows have places of their own, so that
 * plain ones never crowd them out; nothing is ever evicted.
 */
export function hasRoom(
  rows: Iterable<RegistryRow>,
  incoming: RegistryRow,
  now: UnixSeconds
): boolean {
  const owned = incoming.kind === 'owned'
  let taken = 0
  for (const row of rows) {
    if ((row.kind === 'owned') === owned && isLive(row, now)) taken++
  }
  return taken < (owned ? maxOwnedValuesPerKey : maxValuesPerKey)
}

/** Values per page where a get does not say. */
export const defaultMaxValues = 64

/** The page of values that a get asks for, out of all `rows` of its key in the order of positions. */
export function pageOf(
  rows: Iterable<RegistryRow>,
  request: GetRequest,
  now: UnixSeconds
): GetResult {
  const { maxValues = defaultMaxValues, placemark: after } = request
  const page: (PutRow | OwnedRow)[] = []
  let more = false
  for (const row of rows) {
    if (row.kind === 'remove' || !isLive(row, now)) continue
    if (after !== undefined && compareBytes(rowPosition(row), after) <= 0) continue
    if (page.length === maxValues) {
      more = true
      break
    }
    page.push(row)
  }
  const last = page.at(-1)
  return {
    values: page.map((row) => ({
      value: row.value,
      ttlSeconds: row.expiry - now,
      secretHash: row.secretHash,
      ...(row.kind === 'owned' && { ownerPublicKey: row.owner.publicKey })
    })),
    placemark: more && last !== undefined ? rowPosition(last) : new Uint8Array()
  }
}
