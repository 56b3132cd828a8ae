import { appendFile, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { HushlampError } from '@hushlamp/shared'

import type { Programs } from '../programs.ts'
import { SupervisedProcess, runToEnd } from '../supervised-process.ts'
import type { TestUser } from '../users/test-user.ts'

const pollMs = 100

/** mcabber in tmux, logged in as a user, beside the user's daemon: a client as people use it, with its screen. */
export class McabberClient implements AsyncDisposable {
  readonly #user: TestUser
  readonly #programs: Programs
  readonly #directory: string
  readonly #tmux: SupervisedProcess

  private constructor(
    user: TestUser,
    programs: Programs,
    directory: string,
    tmux: SupervisedProcess
  ) {
    this.#user = user
    this.#programs = programs
    this.#directory = directory
    this.#tmux = tmux
  }

  /** Starts the client; it logs in by itself. */
  static async start(
    user: TestUser,
    programs: Programs,
    directory: string
  ): Promise<McabberClient> {
    await mkdir(join(directory, 'history'), { recursive: true, mode: 0o700 })
    await writeFile(join(directory, 'mcabberrc'), settings(user, programs, directory), {
      mode: 0o600
    })
    const tmux = programs.paths.get('tmux') ?? 'tmux'
    const socket = join(directory, 'tmux')
    // In the foreground (-D), so that it ends with us and not when it likes.
    const server = new SupervisedProcess({
      label: 'tmux',
      command: user.command(tmux, ['-D', '-S', socket, '-f', '/dev/null']),
      environment: programs.environment
    })
    const client = new McabberClient(user, programs, directory, server)
    const mcabber = programs.paths.get('mcabber') ?? 'mcabber'
    const command = `${quoted(mcabber)} -f ${quoted(join(directory, 'mcabberrc'))}`
    await client.#whenTmuxAnswers(['new-session', '-d', '-x', '120', '-y', '40', command])
    return client
  }

  /** Sends a message to a contact. */
  async say(to: string, body: string): Promise<void> {
    await this.#command(`say_to ${to} ${body}`)
  }

  /** Shows the conversation with a contact. */
  async open(contact: string): Promise<void> {
    await this.#command(`roster search ${contact}`)
    await this.#run(['send-keys', 'Enter'])
  }

  /** Waits until the history with a contact holds a text. */
  async received(from: string, body: string, deadlineMs: number): Promise<void> {
    await this.#until(`a message of ${from}`, deadlineMs, async () => {
      const history = await readFile(join(this.#directory, 'history', from), 'utf8').catch(() => '')
      return history.includes(body)
    })
  }

  /** Waits until the screen shows a text. */
  async shows(pattern: RegExp, deadlineMs: number): Promise<void> {
    await this.#until(`${pattern} on the screen`, deadlineMs, async () =>
      pattern.test(await this.screen())
    )
  }

  /** What the user sees. */
  async screen(): Promise<string> {
    return this.#run(['capture-pane', '-p'])
  }

  /** Ends the client as a user does. */
  async quit(): Promise<void> {
    await this.#command('quit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run(['kill-server']).catch(() => '')
    await this.#tmux.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #command(line: string): Promise<void> {
    const fifo = join(this.#directory, 'fifo')
    await this.#until('mcabber’s fifo', 10_000, async () => {
      try {
        // Without a reader this fails at once instead of waiting for ever.
        const file = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
        await appendFile(file, `/${line}\n`)
        await file.close()
        return true
      } catch {
        return false
      }
    })
  }

  async #whenTmuxAnswers(args: readonly string[]): Promise<void> {
    await this.#until('tmux', 10_000, () =>
      this.#run(args).then(
        () => true,
        () => false
      )
    )
  }

  #run(args: readonly string[]): Promise<string> {
    const tmux = this.#programs.paths.get('tmux') ?? 'tmux'
    const command = this.#user.command(tmux, ['-S', join(this.#directory, 'tmux'), ...args])
    return runToEnd('tmux', command, this.#programs.environment)
  }

  async #until(what: string, deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + deadlineMs
    while (!(await holds())) {
      if (performance.now() > end) {
        const screen = await this.screen().catch(() => '')
        throw new HushlampError('aborted', `mcabber: no ${what} in time. Its screen:\n${screen}`)
      }
      await sleep(pollMs)
    }
  }
}

function settings(user: TestUser, programs: Programs, directory: string): string {
  const { mcabberModules } = programs
  return [
    `set jid = ${user.jid}`,
    `set password = ${user.password}`,
    `set server = ${user.xmpp.host}`,
    `set port = ${user.xmpp.port}`,
    'set resource = mcabber',
    'set ssl_ignore_checks = 1',
    'set logging = 1',
    `set logging_dir = ${join(directory, 'history')}/`,
    'set log_win_height = 8',
    'set disable_random_resource = 1',
    `set fifo_name = ${join(directory, 'fifo')}`,
    ...(mcabberModules === undefined ? [] : [`set modules_dir = ${mcabberModules}`]),
    'module load fifo',
    ''
  ].join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
