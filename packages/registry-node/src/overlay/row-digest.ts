import { concat, rowPosition, sha256 } from '@hushlamp/shared'
import type { RegistryRow } from '@hushlamp/shared'

/** Length of a digest of rows. */
export const rowDigestBytes = 16

/**
 * Expiries count by this grain: what is handed on loses some seconds each time, and clocks differ a little. A holder that
 * missed a renewal is found by the next grain.
 */
const grainSeconds = 1200

/** A difference of expiries that is not worth a message. More than a row can lose on its way through all holders. */
const toleranceSeconds = 90

/** What a holder has of one key, in few bytes: equal where two hold the same. Rows are in the order of positions. */
export function rowDigest(rows: readonly RegistryRow[]): Uint8Array {
  const parts = rows.map((row) => {
    const grain = Math.floor(row.expiry / grainSeconds)
    const head = Uint8Array.of(kinds.indexOf(row.kind), grain >>> 16, grain >>> 8, grain)
    return concat(head, rowPosition(row))
  })
  return sha256(...parts).subarray(0, rowDigestBytes)
}

const kinds = ['put', 'owned', 'remove'] as const

/** The rows of `mine` that one who holds `theirs` should have as well. */
export function missingFrom(
  theirs: readonly RegistryRow[],
  mine: readonly RegistryRow[]
): RegistryRow[] {
  const byPosition = new Map(theirs.map((row) => [positionName(row), row]))
  return mine.filter((row) => {
    const other = byPosition.get(positionName(row))
    if (other === undefined) return true
    const removed = other.kind === 'remove'
    if ((row.kind === 'remove') !== removed) return !removed
    return row.expiry > other.expiry + toleranceSeconds
  })
}

function positionName(row: RegistryRow): string {
  return rowPosition(row).join()
}
