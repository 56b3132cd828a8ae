/** How much a node says, from least to most. */
export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** How much a node says: `silent` is nothing, `debug` everything. */
export type LogLevel = (typeof logLevels)[number]

/**
 * Where a node reports on itself. A line tells of the node, never of a request: no key, no value, no address, no time of
 * a request. So errors are reported by their code, not with whatever their message may hold.
 */
export interface Logger {
  error(message: string): void
  warn(message: string): void
  info(message: string): void
  debug(message: string): void
}

/** A logger that hands each line of at least the importance `level` to `write`. */
export function lineLogger(level: LogLevel, write: (line: string) => void): Logger {
  const enabled = logLevels.indexOf(level)
  const at =
    (name: LogLevel) =>
    (message: string): void => {
      if (logLevels.indexOf(name) <= enabled) write(`${name} ${message}\n`)
    }
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }
}

/** Says nothing. */
export const silentLogger: Logger = lineLogger('silent', () => {})

/** The code of an error, which is all that a log may tell of it. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
