/** One step of something slow, for a person to read. */
export interface Progress {
  /** A stable word for what is being done, such as `download`. */
  readonly phase: string
  /** How much of the phase is done, 0 to 1, where it is known. */
  readonly fraction?: number
  /** A short text for people. Names no hosts and no addresses. */
  readonly text: string
}

/** Is told of each step. Must not throw. */
export type OnProgress = (progress: Progress) => void
