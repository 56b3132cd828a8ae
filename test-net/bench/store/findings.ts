/** What a process found of the store, or of the bare database. */
export interface StoreFindings {
  /** Values of 128 bytes, on disk when they count. */
  readonly insertPerSecond: number
  readonly readP50Ms: number
  readonly readP99Ms: number
  readonly sweptRows: number
  readonly sweepPerSecond: number
  /** How many reads were answered during the sweep. */
  readonly sweepReads: number
  readonly sweepReadP99Ms: number
  /** The longest that a read took during the sweep. */
  readonly sweepStallMs: number
  /** Resident memory with 10,000 keys, beyond that with none. */
  readonly fewRssBytes: number
  /** The same with all values; the files are mapped into memory and count. */
  readonly fullRssBytes: number
  readonly diskBytes: number
}
