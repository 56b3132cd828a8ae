import type { RegistryRow, ResultCode } from '@hushlamp/shared'

import type { OfferContext } from './merge-offers.ts'

/** The rows that a node holds, as the overlay sees them: on disk, or in memory in the simulator. */
export interface RowStore {
  /** The live rows of a key in the order of their positions. */
  rows(key: Uint8Array): Promise<readonly RegistryRow[]>
  /**
   * Merges rows into a key. Each is answered by its own code: 0 if the store now holds it or something that outranks it,
   * 1 if there is no room for it.
   *
   * @throws HushlampError `storage-failed`; then nothing of it was stored.
   */
  offer(
    key: Uint8Array,
    rows: readonly RegistryRow[],
    context?: OfferContext
  ): Promise<ResultCode[]>
  /** Goes through all keys with their live rows, in order. Keys that come while it runs may be missed. */
  entries(): AsyncIterable<{ key: Uint8Array; rows: readonly RegistryRow[] }>
}
