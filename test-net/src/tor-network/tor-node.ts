import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { ControlConnection } from '@hushlamp/client'
import type { TorBinary } from '@hushlamp/client'
import { HushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

/** How a {@link TorNode} is set up. */
export interface TorNodeInit {
  readonly nickname: string
  /** Its data folder, which exists. `lines` put the log and the control socket there. */
  readonly directory: string
  readonly lines: readonly string[]
}

/**
 * How long a relay may take to end. Some (0.4.9.11) wait for their own threads for ever when they are told to end while
 * they compress a new consensus; nothing in them is worth more patience.
 */
const exitPatienceMs = 1000

/** One Tor process of the private network. It ends with us, at the latest 15 s after we are killed. */
export class TorNode implements AsyncDisposable {
  readonly nickname: string
  readonly directory: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  /** Aborted when the process ends: nobody is to wait for its control socket then. */
  readonly #life = new AbortController()
  #control: Promise<ControlConnection> | undefined

  private constructor(init: TorNodeInit, child: ChildProcess) {
    this.nickname = init.nickname
    this.directory = init.directory
    this.#process = child
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#life.abort()
        resolve()
      }
      child.once('error', end).once('exit', end)
    })
  }

  /** Starts the process. Whether it runs well is seen by {@link control}. */
  static async start(binary: TorBinary, init: TorNodeInit): Promise<TorNode> {
    const torrc = join(init.directory, 'torrc')
    await writeFile(torrc, `${init.lines.join('\n')}\n`)
    const output = await open(join(init.directory, 'output'), 'a')
    try {
      const owner = ['--__OwningControllerProcess', String(process.pid)]
      const child = spawn(
        binary.path,
        ['-f', torrc, '--defaults-torrc', '/dev/null', '--hush', ...owner],
        {
          // A process group of its own: Ctrl-C in the terminal reaches us first, and we end it in order.
          detached: true,
          env: binary.environment,
          stdio: ['ignore', output.fd, output.fd]
        }
      )
      return new TorNode(init, child)
    } finally {
      await output.close()
    }
  }

  /** The process id; undefined where the program could not be started. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Whether the process is gone or never came up. */
  get hasEnded(): boolean {
    return (
      this.pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null
    )
  }

  /**
   * The control connection, opened at the first call.
   *
   * Errors: `tor-start-failed` with the end of the log when the process ends or does not answer, `aborted`.
   */
  async control({ signal }: AbortOptions = {}): Promise<ControlConnection> {
    this.#control ??= ControlConnection.open(
      { path: join(this.directory, 'control') },
      { kind: 'cookie-file', path: join(this.directory, 'control_auth_cookie') },
      {
        signal: AbortSignal.any([this.#life.signal, ...(signal === undefined ? [] : [signal])]),
        deadlineMs: 30_000
      }
    )
    try {
      return await this.#control
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw await this.failure(this.hasEnded ? 'it ended' : 'it does not take commands', error)
    }
  }

  /** The error `tor-start-failed` for this process, with the last lines of its log. */
  async failure(what: string, cause?: unknown): Promise<HushlampError> {
    const read = async (name: string): Promise<string> =>
      await readFile(join(this.directory, name), 'utf8').catch(() => '')
    const log = `${await read('output')}${await read('log')}`.trim().split('\n').slice(-12)
    return new HushlampError(
      'tor-start-failed',
      `Tor "${this.nickname}" of the private network did not start: ${what}.\n${log.join('\n')}`,
      { cause }
    )
  }

  /** Asks the process to end without waiting for it. */
  terminate(): void {
    this.#process.kill('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), exitPatienceMs)
    await this.#ended
    clearTimeout(kill)
    const control = await this.#control?.catch(() => undefined)
    await control?.close()
  }
}
