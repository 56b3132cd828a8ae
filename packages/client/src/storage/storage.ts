/** One change of a {@link Storage}. */
export type StorageChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: string }

/**
 * Where an endpoint keeps what must outlive it. Values hold secrets: whoever implements this encrypts them. Keys hold
 * none; they consist of the characters `a-z 0-9 / -`.
 *
 * Errors: `storage-failed` (the disk refused), `storage-corrupt`.
 */
export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>
  /** All entries whose key starts with `prefix`, in the order of their keys. */
  entries(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]>
  /** All changes or none; fulfilled once they are on the disk. */
  write(changes: readonly StorageChange[]): Promise<void>
}
