/** Seconds since 1970-01-01T00:00Z. Decides epochs and expiries, never drives timers. */
export type UnixSeconds = number

/** What the core may know of time. `monotonicMs` never goes back and counts on while the wall clock is corrected. */
export interface Clock {
  /** Wall clock, whole seconds. */
  unixSeconds(): UnixSeconds
  /** Milliseconds since an arbitrary moment. Drives every timer. */
  monotonicMs(): number
  /** Calls `callback` once after `delayMs` monotonic milliseconds; the returned function cancels that. */
  after(delayMs: number, callback: () => void): () => void
}

/** Source of unpredictable bytes (`crypto.randomBytes` outside of tests). */
export interface Random {
  /** `length` bytes that nobody can predict. */
  bytes(length: number): Uint8Array
}

/**
 * A protocol or decision without input and output of its own: what happened goes in, what is to be done comes out.
 * The same machine runs behind sockets, in the simulator and in property tests.
 */
export interface Machine<Event, Effect, Now = UnixSeconds> {
  /** Takes one event at the moment `now` (of wall or monotonic time, as the machine says) and answers with the effects to carry out, in order. Never throws. */
  step(event: Event, now: Now): readonly Effect[]
}

/** Cancels an operation of a port. */
export interface AbortOptions {
  signal?: AbortSignal
}
