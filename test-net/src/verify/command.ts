import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'

/** How a command runs. */
export interface CommandOptions {
  readonly directory: string
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>
  /** After this time its whole process group is killed and the result says `timedOut`. */
  readonly deadlineMs: number
}

/** What came of a command. */
export interface CommandResult {
  /** The exit status, 128 + signal as in a shell. */
  readonly status: number
  readonly timedOut: boolean
  readonly seconds: number
  /** Both streams, in the order in which they came. */
  readonly output: string
}

/** A command that is running, as leader of a process group of its own. */
export interface RunningCommand {
  readonly finished: Promise<CommandResult>
  /** Fulfilled with the seconds until a line of the output matched, undefined if the command ended before. */
  untilLine(pattern: RegExp): Promise<number | undefined>
  /** Sends the signal to the whole group, as a terminal does for Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void
}

function signalGroupOf(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group has ended.
  }
}

/** The environment without what `npm run` put into it for this process alone: its folders are those of one user. */
function inherited(): NodeJS.ProcessEnv {
  const own =
    /^(?:INIT_CWD|npm_(?:package|lifecycle|command|execpath|node_execpath).*|npm_config_(?:cache|prefix|userconfig|globalconfig|init_module|local_prefix|global_prefix))$/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}

/** Starts a command, without a terminal and without input. */
export function startCommand(
  [program, ...parameters]: readonly [string, ...string[]],
  options: CommandOptions
): RunningCommand {
  const startMs = performance.now()
  const seconds = (): number => (performance.now() - startMs) / 1000
  const child = spawn(program, parameters, {
    cwd: options.directory,
    env: { ...inherited(), ...options.environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  let timedOut = false
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const watch of watchers) watch()
    })
  }
  const deadline = setTimeout(() => {
    timedOut = true
    signalGroupOf(child, 'SIGKILL')
  }, options.deadlineMs)

  const finish = async (): Promise<CommandResult> => {
    try {
      await once(child, 'close')
    } finally {
      clearTimeout(deadline)
    }
    const status = child.exitCode ?? 128 + constants.signals[child.signalCode ?? 'SIGKILL']
    return { status, timedOut, seconds: seconds(), output }
  }
  const finished = finish()

  return {
    finished,
    untilLine: (pattern) =>
      new Promise((resolve) => {
        const watch = (): void => {
          if (!pattern.test(output)) return
          watchers.delete(watch)
          resolve(seconds())
        }
        watchers.add(watch)
        watch()
        void finished.then(
          () => resolve(undefined),
          () => resolve(undefined)
        )
      }),
    signalGroup: (signal) => signalGroupOf(child, signal)
  }
}

/** Runs a command to its end. */
export async function runCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions
): Promise<CommandResult> {
  return await startCommand(command, options).finished
}

/** An output as it would be on paper. */
export function withoutColours(output: string): string {
  // oxlint-disable-next-line no-control-regex -- colours begin with a control character
  return output.replaceAll(/\u{1b}\[[\d;]*m/gu, '')
}

/** The last lines of an output, for a report: without colours, each as one figure. */
export function lastLines(output: string, count = 8): string[] {
  return withoutColours(output).trimEnd().split('\n').slice(-count)
}
