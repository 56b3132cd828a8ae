/** The steps on the way to a contact that take time. */
export type Stage =
  | 'onion-published'
  | 'self-probe'
  | 'publish'
  | 'look-up'
  | 'onion-connect'
  | 'handshake'

/**
 * Told how long a step took, milliseconds, and nothing of whom it was for. For test networks and measurements; a program
 * that users run keeps no such record.
 */
export type OnStage = (stage: Stage, durationMs: number) => void
