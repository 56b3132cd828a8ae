/** Times of the overlay, in milliseconds. */
export interface OverlayTimings {
  /** How long a peer may take to answer. */
  readonly requestTimeoutMs: number
  /** How long a connection to a peer may take. */
  readonly dialTimeoutMs: number
  /** After this, further nodes are asked beside a slow one. */
  readonly slowAfterMs: number
  /** How long a put or a get may take. */
  readonly operationTimeoutMs: number
  /** How long to wait after a peer came or went before repairing. */
  readonly churnDelayMs: number
  /** How often everything is repaired. */
  readonly repairIntervalMs: number
  /** How often to look whether the bootstrap nodes must be dialled again. */
  readonly rejoinIntervalMs: number
}

/** Times for an ordinary network. */
export const defaultTimings: OverlayTimings = {
  requestTimeoutMs: 4000,
  dialTimeoutMs: 3000,
  slowAfterMs: 700,
  operationTimeoutMs: 7000,
  churnDelayMs: 3000,
  repairIntervalMs: 600_000,
  rejoinIntervalMs: 5000
}
