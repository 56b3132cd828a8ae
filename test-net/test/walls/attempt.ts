/** One way out of a room, or (as a control) one harmless file that both tools must leave alone. */
export interface Attempt {
  readonly name: string
  /** Lines of TypeScript. */
  readonly code: string
  /** The rule of the linter or the code of the compiler that stops it. */
  readonly caughtBy: string
  /** Path in the room; by default one made from the name. */
  readonly file?: string
  /** Further files of the attempt, by path in the room. */
  readonly companions?: Readonly<Record<string, string>>
}

/** A folder with the attempts to get out of it and the controls that belong in it. */
export interface ProbedRoom {
  readonly name: string
  /** From the root of the repository. */
  readonly folder: string
  readonly attempts: readonly Attempt[]
  readonly controls: Readonly<Record<string, string>>
}

/** The same rule for a table of attempts: name → code. */
export function stoppedBy(caughtBy: string, table: Readonly<Record<string, string>>): Attempt[] {
  return Object.entries(table).map(([name, code]) => ({ name, code, caughtBy }))
}

/** Where an attempt lies in its room. */
export function attemptFile(attempt: Attempt): string {
  const slug = attempt.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return attempt.file ?? `attempt-${slug}.ts`
}
