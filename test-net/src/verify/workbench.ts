import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import type { CommandResult } from './command.ts'

const minute = 60_000

/** Somebody who follows the README. */
export type Role = 'root' | 'ordinary user' | 'current user'

/** A fresh clone of the repository, with the home folder and the temporary folder of the one who works in it. */
export interface Clone {
  readonly role: Role
  readonly directory: string
  readonly temporary: string
  /** `NAME=value` in the environment of every process that comes from this clone. */
  readonly marker: string
  readonly environment: Readonly<Record<string, string>>
  /** The command as the role of the clone runs it. */
  as(command: string): [string, ...string[]]
}

/** An identity without rights and without a home: `nobody` of every distribution. */
const nobody = '65534'
const asNobody = ['setpriv', '--reuid', nobody, '--regid', nobody, '--clear-groups'] as const

/** Where an acceptance works: clones that are made on demand and removed at the end. */
export class Workbench implements AsyncDisposable {
  readonly repository: string
  readonly #root: string
  readonly #installed = new Map<Role, Promise<{ clone: Clone; installation: CommandResult }>>()
  #clones = 0

  private constructor(repository: string, root: string) {
    this.repository = repository
    this.#root = root
  }

  /** Makes a bench in the temporary folder of the system. */
  static async open(repository: string): Promise<Workbench> {
    const root = await mkdtemp(join(tmpdir(), 'hushlamp-verify-'))
    await chmod(root, 0o755)
    return new Workbench(repository, root)
  }

  /** The roles that can be played here: as root both, otherwise only one's own. */
  roles(): Role[] {
    return process.getuid?.() === 0 ? ['root', 'ordinary user'] : ['current user']
  }

  /** A clone in which nothing has been installed yet. */
  async clone(role: Role = this.roles()[0] ?? 'current user'): Promise<Clone> {
    this.#clones += 1
    const place = join(this.#root, String(this.#clones))
    const directory = join(place, 'hushlamp')
    const home = join(place, 'home')
    const temporary = join(place, 'tmp')
    for (const folder of [home, temporary]) await mkdir(folder, { recursive: true })
    const options = { directory: place, deadlineMs: minute }
    await expectSuccess(['git', 'clone', '--quiet', this.repository, directory], options)
    if (role === 'ordinary user') {
      await expectSuccess(['chown', '-R', `${nobody}:${nobody}`, place], options)
    }
    const name = 'HUSHLAMP_VERIFICATION'
    const value = randomUUID()
    return {
      role,
      directory,
      temporary,
      marker: `${name}=${value}`,
      environment: {
        [name]: value,
        TMPDIR: temporary,
        PATH: outsidePath(),
        ...(role === 'ordinary user' && { HOME: home })
      },
      as: (command) =>
        role === 'ordinary user' ? [...asNobody, 'bash', '-c', command] : ['bash', '-c', command]
    }
  }

  /** A clone in which `npm ci` has run, the same one for every line that asks. */
  async installed(
    role: Role = this.roles()[0] ?? 'current user'
  ): Promise<{ clone: Clone; installation: CommandResult }> {
    const existing = this.#installed.get(role)
    if (existing) return await existing
    const made = this.#install(role)
    this.#installed.set(role, made)
    return await made
  }

  async #install(role: Role): Promise<{ clone: Clone; installation: CommandResult }> {
    const clone = await this.clone(role)
    const installation = await this.run(clone, 'npm ci', 10 * minute)
    return { clone, installation }
  }

  /** Runs a command in a clone, as its role. */
  async run(clone: Clone, command: string, deadlineMs: number): Promise<CommandResult> {
    const { directory, environment } = clone
    return await runCommand(clone.as(command), { directory, environment, deadlineMs })
  }

  /** What lies in the temporary folder of a clone. */
  async leftBehind(clone: Clone): Promise<string[]> {
    const entries = await readdir(clone.temporary)
    // Caches of the tools that live on by design; a program of this repository leaves nothing.
    return entries.filter((entry) => !/^(?:node-compile-cache|v8-compile-cache)/.test(entry))
  }

  /** The text without the folders of this machine. */
  withoutPaths(text: string): string {
    return text
      .replaceAll(this.#root, '<bench>')
      .replaceAll(this.repository, '<repository>')
      .replaceAll(homedir(), '~')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#root, { recursive: true, force: true })
  }
}

/** PATH without the tools of the checkout that npm puts first in it when it runs a script. */
function outsidePath(): string {
  const path = process.env['PATH'] ?? ''
  return path
    .split(':')
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(':')
}

async function expectSuccess(
  command: readonly [string, ...string[]],
  options: { directory: string; deadlineMs: number }
): Promise<void> {
  const { status, output } = await runCommand(command, options)
  if (status !== 0) throw new Error(`${command.join(' ')} failed: ${output}`)
}
