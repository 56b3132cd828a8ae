import { HushlampError } from '@hushlamp/shared'

import type { Storage, StorageChange } from '../src/storage/storage.ts'

/** A {@link Storage} in memory, for tests. Outlives the endpoints that use it, as a disk does. */
export class MemoryStorage implements Storage {
  readonly #rows = new Map<string, Uint8Array>()
  /** From now on every write fails, as on a full disk. */
  full = false

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#rows.get(key)
  }

  async entries(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    return [...this.#rows]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    if (this.full) throw new HushlampError('storage-failed')
    for (const change of changes) {
      if (change.type === 'put') this.#rows.set(change.key, change.value.slice())
      else this.#rows.delete(change.key)
    }
  }
}
