/** Times of the overlay, in milliseconds. */
export interface OverlayTimings {
  /** How long a peer may take to answer at most. Less where its earlier answers took much less. */
  readonly requestTimeoutMs: number
  /** How long it may take at least, however fast it was before. */
  readonly minRequestTimeoutMs: number
  /** How long a connection to a peer may take. */
  readonly dialTimeoutMs: number
  /** After this at the latest, further nodes are asked beside a slow one. */
  readonly slowAfterMs: number
  /** Not before this, however fast it was before. */
  readonly minSlowAfterMs: number
  /** How long a put or a get may take. */
  readonly operationTimeoutMs: number
  /** How long to wait after a peer came or went before repairing. */
  readonly churnDelayMs: number
  /** How often everything is repaired. */
  readonly repairIntervalMs: number
  /** How long a node that stops may take to hand over what it holds. */
  readonly handOverMs: number
  /** How long a peer that did not answer is left alone; doubled up to three times where it fails again. */
  readonly retryLostMs: number
  /** How often to look whether the bootstrap nodes must be dialled again. */
  readonly rejoinIntervalMs: number
}

/** Times for an ordinary network. */
export const defaultTimings: OverlayTimings = {
  requestTimeoutMs: 4000,
  minRequestTimeoutMs: 1000,
  dialTimeoutMs: 3000,
  slowAfterMs: 700,
  minSlowAfterMs: 30,
  operationTimeoutMs: 7000,
  churnDelayMs: 3000,
  repairIntervalMs: 600_000,
  handOverMs: 4000,
  retryLostMs: 5000,
  rejoinIntervalMs: 5000
}
