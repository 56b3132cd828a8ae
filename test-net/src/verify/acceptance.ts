import type { Workbench } from './workbench.ts'

/** How one line of an acceptance came out. `not run` is neither: something that it needs is missing, and it says what. */
export interface Outcome {
  readonly status: 'passed' | 'failed' | 'not run'
  /** What was typed, as a reader would type it. */
  readonly command: string
  /** Times, counts, and if something failed, what was seen. One sentence or figure each. */
  readonly figures: readonly string[]
}

/** One thing that an acceptance promises. */
export interface AcceptanceLine {
  /** The promise, with its bar. */
  readonly promise: string
  check(bench: Workbench): Promise<readonly Outcome[]>
}

/** An acceptance: what has to hold before a stage of the project counts as reached. Lines are numbered from 1. */
export interface Acceptance {
  readonly topic: string
  readonly title: string
  readonly lines: readonly AcceptanceLine[]
}

/** An outcome by whether it held. */
export function outcome(held: boolean, command: string, ...figures: readonly string[]): Outcome {
  return { status: held ? 'passed' : 'failed', command, figures }
}
