import { ClassicLevel } from 'classic-level'

import type { Storage, StorageChange } from '@hushlamp/client'
import { HushlampError } from '@hushlamp/shared'

import { ValueSealer } from './sealed-value.ts'

const formatKey = 'format'
const format = 1

/**
 * A {@link Storage} on the disk: Level, its values encrypted. Every write is synced before it counts as done.
 *
 * Errors of all methods: `storage-failed`, `storage-corrupt`.
 */
export class EncryptedLevel implements Storage, AsyncDisposable {
  readonly #level: ClassicLevel<string, Uint8Array>
  readonly #sealer: ValueSealer

  private constructor(level: ClassicLevel<string, Uint8Array>, sealer: ValueSealer) {
    this.#level = level
    this.#sealer = sealer
  }

  /**
   * Opens or makes the database in `folder`.
   *
   * Errors: `storage-locked` while another process has it open, `storage-corrupt` under a wrong key or in a format of a
   * later version.
   */
  static async open(folder: string, folderKey: Uint8Array): Promise<EncryptedLevel> {
    const level = new ClassicLevel<string, Uint8Array>(folder, {
      keyEncoding: 'utf8',
      valueEncoding: 'view'
    })
    try {
      await level.open()
    } catch (cause) {
      throw openingError(cause)
    }
    const storage = new EncryptedLevel(level, new ValueSealer(folderKey))
    try {
      await storage.#checkFormat()
    } catch (error) {
      await level.close()
      throw error
    }
    return storage
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const sealed = await guarded(() => this.#level.get(key))
    return sealed && this.#opened(key, sealed)
  }

  async entries(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    const rows = await guarded(() =>
      this.#level.iterator({ gte: prefix, lt: `${prefix}\uffff` }).all()
    )
    return rows.map(([key, sealed]) => [key, this.#opened(key, sealed)] as const)
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    const operations = changes.map((change) =>
      change.type === 'put'
        ? {
            type: 'put' as const,
            key: change.key,
            value: this.#sealer.seal(change.key, change.value)
          }
        : { type: 'del' as const, key: change.key }
    )
    await guarded(() => this.#level.batch(operations, { sync: true }))
  }

  /** Closes the database. */
  async close(): Promise<void> {
    await this.#level.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #checkFormat(): Promise<void> {
    const marker = await this.get(formatKey)
    if (!marker)
      await this.write([{ type: 'put', key: formatKey, value: new Uint8Array([format]) }])
    else if (marker[0] !== format)
      throw new HushlampError(
        'storage-corrupt',
        'The data folder was made by a later version of Hushlamp. Install that version or a newer one.'
      )
  }

  #opened(key: string, sealed: Uint8Array): Uint8Array {
    const value = this.#sealer.open(key, sealed)
    if (!value)
      throw new HushlampError(
        'storage-corrupt',
        'The data folder does not fit its key file, or a row of it is damaged. Restore a backup.'
      )
    return value
  }
}

async function guarded<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    throw new HushlampError('storage-failed', undefined, { cause })
  }
}

function openingError(error: unknown): HushlampError {
  const inner = error instanceof Error ? error.cause : undefined
  const locked = inner instanceof Error && 'code' in inner && inner.code === 'LEVEL_LOCKED'
  return locked
    ? new HushlampError(
        'storage-locked',
        'Another Hushlamp runs on this data folder. Stop it first, or name another folder with --data-dir.',
        { cause: error }
      )
    : new HushlampError('storage-failed', 'The data folder cannot be opened.', { cause: error })
}
