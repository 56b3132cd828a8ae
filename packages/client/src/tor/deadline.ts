import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { Clock, ErrorCode } from '@hushlamp/shared'

/** What happens when time is up. */
export interface DeadlineInit {
  /** Monotonic milliseconds from now. */
  readonly deadlineMs: number
  /** The code and the message of the error once time is up. */
  readonly code: ErrorCode
  readonly message?: string
  /** Cancels earlier. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Joins a deadline of our own with the caller's signal into one signal, whose `reason` always is a
 * {@link HushlampError}: the one of {@link DeadlineInit}, the reason of the caller's signal where that is one already, or
 * `aborted`. Dispose it when the work is done.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController()
  readonly #cleanUp: () => void

  constructor(clock: Pick<Clock, 'after'>, init: DeadlineInit) {
    const { signal } = init
    const onAbort = (): void => {
      const reason: unknown = signal?.reason
      const error = isHushlampError(reason)
        ? reason
        : new HushlampError('aborted', undefined, { cause: reason })
      this.#controller.abort(error)
    }
    const cancelTimer = clock.after(init.deadlineMs, () => {
      this.#controller.abort(new HushlampError(init.code, init.message))
    })
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
    this.#cleanUp = () => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Aborted at the deadline or by the caller, whichever comes first. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  [Symbol.dispose](): void {
    this.#cleanUp()
  }
}

/** Settles as `work` does, or rejects with the reason of `signal` if that is aborted first. `work` itself goes on. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Fulfilled after `delayMs`; rejected with the reason of `signal` if that is aborted first. */
export async function wait(
  clock: Pick<Clock, 'after'>,
  delayMs: number,
  signal: AbortSignal
): Promise<void> {
  let cancel: (() => void) | undefined
  const elapsed = new Promise<void>((resolve) => {
    cancel = clock.after(delayMs, resolve)
  })
  try {
    await orAborted(elapsed, signal)
  } finally {
    cancel?.()
  }
}
