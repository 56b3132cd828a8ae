import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'

import { HushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

/** What a command that has ended said. */
export interface CommandResult {
  /** Exit status; 128 where a signal ended it. */
  readonly status: number
  readonly output: string
  readonly errors: string
}

/** How {@link runCommand} runs a command. */
export interface CommandOptions extends AbortOptions {
  readonly environment: NodeJS.ProcessEnv
  /** The folder to run in; ours by default. */
  readonly directory?: string
  /** Is told of each line that the command writes to file descriptor 3. */
  readonly onStatus?: (line: string) => void
}

/**
 * Runs a tool of the distribution to its end.
 *
 * Errors: `package-download-failed` where the tool does not exist, `aborted`.
 */
export async function runCommand(
  command: string,
  arguments_: readonly string[],
  options: CommandOptions
): Promise<CommandResult> {
  const { signal, directory, environment, onStatus } = options
  const aborted = (): boolean => signal?.aborted ?? false
  if (aborted()) throw new HushlampError('aborted')
  const child = spawn(command, arguments_, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    ...(directory === undefined ? {} : { cwd: directory }),
    ...(signal === undefined ? {} : { signal })
  })
  const output = collectText(child.stdio[1])
  const errors = collectText(child.stdio[2])
  collectText(child.stdio[3], (chunk) => {
    for (const line of chunk.split('\n')) onStatus?.(line)
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => reject(notRunnable(command, cause, signal)))
    child.on('close', (exit) => resolve(exit ?? 128))
  })
  if (aborted()) throw new HushlampError('aborted')
  return { status: code, output: output(), errors: errors() }
}

/** Addresses and names of hosts, as apt writes them. */
const sources = /\b[a-z+-]+:\/+\S+|\b(?:[a-z][\w-]*\.)+[a-z]{2,}(?::\d+)?\b|\b\d+(?:\.\d+){3}\b/gi

/** The error for a tool that did not succeed; its last lines become the cause, without the addresses of hosts. */
export function commandFailure(message: string, result: CommandResult): HushlampError {
  const tail = result.errors.trim().split('\n').slice(-6).join('\n')
  const cause = new Error(tail.replaceAll(sources, '(source)'))
  return new HushlampError('package-download-failed', message, { cause })
}

/** The error for a tool that could not even be started. */
export function notRunnable(command: string, cause: unknown, signal?: AbortSignal): HushlampError {
  if (signal?.aborted === true) return new HushlampError('aborted')
  return new HushlampError(
    'package-download-failed',
    `Packages can be fetched on Debian and Ubuntu only: ${command} does not run on this computer.`,
    { cause }
  )
}

/** Reads all that a child writes, so that it never waits for us; the returned function tells it. */
function collectText(stream: unknown, onChunk?: (chunk: string) => void): () => string {
  let text = ''
  if (stream instanceof Readable) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      onChunk?.(chunk)
    })
  }
  return () => text
}
