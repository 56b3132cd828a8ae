/** What a process is to measure. */
export interface StoreTask {
  readonly subject: 'store' | 'level'
  /** How many values of 128 bytes, two under each key. One in ten is swept in the end. */
  readonly values: number
  /** How many keys are read, one after the other. */
  readonly reads: number
  readonly directory: string
}

/** What a process has found. */
export interface StoreFindings {
  readonly insertPerSecond: number
  readonly readP50Ms: number
  readonly readP99Ms: number
  readonly sweptRows: number
  readonly sweepPerSecond: number
  readonly readsDuringSweep: number
  readonly sweepReadP99Ms: number
  /** The longest that a read took during the sweep. */
  readonly sweepStallMs: number
  /** Resident memory with 10,000 keys, beyond that of the process with an empty database. */
  readonly fewRssBytes: number
  /** The same with all values. */
  readonly fullRssBytes: number
  readonly diskBytes: number
}
