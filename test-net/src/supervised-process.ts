import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

import { HushlampError } from '@hushlamp/shared'

import type { Command } from './sandbox/network-namespace.ts'

/** A report of a program: one line of JSON on its standard output. */
export type Report = Readonly<Record<string, unknown>>

/** How a program is run. */
export interface SupervisedInit {
  /** For messages: what this is, in one or two words. */
  readonly label: string
  readonly command: Command
  readonly environment?: NodeJS.ProcessEnv
  readonly directory?: string
}

/** Kept of what a program complains of, for the message when it fails. */
const keptErrorCharacters = 2_000

/** How long a program may take to end after SIGTERM. */
const patienceMs = 8_000

/**
 * A program of the test network. It reports by lines of JSON, is given a group of its own so that Ctrl-C reaches us alone,
 * and is ended by the kernel if we are killed.
 */
export class SupervisedProcess implements AsyncDisposable {
  readonly reports: Report[] = []
  readonly #label: string
  readonly #child: ChildProcess
  readonly #listeners = new Set<(report: Report) => void>()
  readonly #ended: Promise<void>
  #errors = ''

  constructor(init: SupervisedInit) {
    const { command, args } = init.command
    this.#label = init.label
    this.#child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', command, ...args], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: init.environment ?? process.env,
      ...(init.directory === undefined ? {} : { cwd: init.directory })
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', () => {
        resolve()
      })
      this.#child.once('close', () => {
        resolve()
      })
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-keptErrorCharacters)
    })
    const { stdout } = this.#child
    if (stdout)
      createInterface({ input: stdout }).on('line', (line) => {
        this.#take(line)
      })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Fulfilled once the program has ended. Never rejected. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** Calls `listener` at each report; the returned function ends that. */
  onReport(listener: (report: Report) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * The first report, past or future, for which `matches` holds.
   *
   * Errors: `config-invalid` with the program's last words where it ends before, `aborted` when `deadlineMs` has passed.
   */
  async report(
    matches: (report: Report) => boolean,
    options: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {}
  ): Promise<Report> {
    const past = this.reports.find(matches)
    if (past) return past
    const { deadlineMs = 60_000, signal } = options
    const deadline = AbortSignal.timeout(deadlineMs)
    const given = signal ? AbortSignal.any([signal, deadline]) : deadline
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        stop()
        given.removeEventListener('abort', late)
      }
      const fail = (code: 'config-invalid' | 'aborted', what: string): void => {
        settle()
        reject(new HushlampError(code, `${this.#label} ${what}${this.#lastWords()}`))
      }
      const late = (): void => {
        fail('aborted', 'did not report in time.')
      }
      const stop = this.onReport((report) => {
        if (!matches(report)) return
        settle()
        resolve(report)
      })
      if (given.aborted) late()
      else given.addEventListener('abort', late, { once: true })
      void this.#ended.then(() => {
        fail('config-invalid', 'ended unexpectedly.')
      })
    })
  }

  /** Writes one line of JSON to the program's standard input. */
  command(command: object): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
  }

  /** Sends a signal, if the program still runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
  }

  /** Ends the program: SIGTERM, and SIGKILL when it takes too long. */
  async stop(): Promise<void> {
    this.signal('SIGTERM')
    const timer = setTimeout(() => {
      this.signal('SIGKILL')
    }, patienceMs)
    await this.#ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #lastWords(): string {
    const words = this.#errors.trim()
    return words === '' ? '' : ` Its last words:\n${words}`
  }

  #take(line: string): void {
    const report = parseReport(line)
    if (!report) return
    this.reports.push(report)
    for (const listener of this.#listeners) listener(report)
  }
}

/** Runs a program to its end and gives its standard output. Rejects with its last words where it fails. */
export async function runToEnd(
  label: string,
  { command, args }: Command,
  environment: NodeJS.ProcessEnv = process.env
): Promise<string> {
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-keptErrorCharacters)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new HushlampError('config-invalid', `${label} failed. ${errors.trim()}`)
  return output
}

function parseReport(line: string): Report | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const report: unknown = JSON.parse(line)
    return typeof report === 'object' && report !== null ? { ...report } : undefined
  } catch {
    // Not a report: programs may print other things as well.
    return undefined
  }
}
