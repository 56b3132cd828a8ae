import { isHushlampError } from '@hushlamp/shared'

import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'

/**
 * Reports failures that should not happen, each kind once: one line per failed request would tell when requests came, and
 * let a stranger fill the disk.
 */
export class Failures {
  readonly #logger: Logger
  readonly #reported = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Takes any error; those that are an answer to the client, like an unreachable registry, are no news. */
  report(error: unknown): void {
    if (isHushlampError(error) && error.code.startsWith('registry-')) return
    const code = errorCode(error)
    if (this.#reported.has(code)) return
    this.#reported.add(code)
    this.#logger.warn(`a request failed: ${code}; more of this kind will not be reported`)
  }
}
