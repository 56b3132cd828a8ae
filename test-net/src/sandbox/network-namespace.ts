import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { HushlampError, isHushlampError } from '@hushlamp/shared'

import { resolvePrograms } from '../programs.ts'

/** A command with its arguments, as `spawn` takes them. */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/** By which right a namespace is made: as root, or as an ordinary user in a user namespace. */
export type NamespaceRight = 'root' | 'user'

/** Whether network namespaces can be made here. `reason` is for people. */
export type NamespaceAvailability =
  | { readonly available: true; readonly how: NamespaceRight }
  | { readonly available: false; readonly reason: string }

/**
 * An empty network namespace: a world with a loopback interface and nothing else. Who runs in it can reach unix sockets
 * and others in the same namespace, but no network, not even to look up a name. That is how we prove that nothing
 * leaves but through Tor.
 *
 * A child process holds the namespace. It ends with us, also when we are killed; programs in the namespace do not.
 */
export class NetworkNamespace implements AsyncDisposable {
  /** By which right this one was made. */
  readonly how: NamespaceRight
  readonly #holder: ChildProcess
  readonly #pid: number

  private constructor(how: NamespaceRight, holder: ChildProcess, pid: number) {
    this.how = how
    this.#holder = holder
    this.#pid = pid
  }

  /**
   * Makes a namespace, as root if we may, else in a user namespace of our own.
   *
   * Errors: `config-invalid` where the system allows neither; the message says why. Those of {@link resolvePrograms}.
   */
  static async create(): Promise<NetworkNamespace> {
    const { environment, paths } = await resolvePrograms(['iproute2'])
    const ip = paths.get('iproute2') ?? 'ip'
    const refusals: string[] = []
    for (const how of process.getuid?.() === 0
      ? (['root', 'user'] as const)
      : (['user'] as const)) {
      try {
        const { holder, pid } = await hold(how, ip, environment)
        return new NetworkNamespace(how, holder, pid)
      } catch (error) {
        refusals.push(error instanceof Error ? error.message : String(error))
      }
    }
    throw new HushlampError(
      'config-invalid',
      `No network namespace can be made here. Run this as root, or allow user namespaces. (${refusals.join('; ')})`
    )
  }

  /** Tries whether namespaces can be made here. Never rejected. */
  static async available(): Promise<NamespaceAvailability> {
    try {
      await using namespace = await NetworkNamespace.create()
      return { available: true, how: namespace.how }
    } catch (error) {
      const reason = isHushlampError(error)
        ? error.message
        : 'No network namespace can be made here.'
      return { available: false, reason }
    }
  }

  /**
   * The command line that runs a program in the namespace. As an ordinary user the program sees itself as root of a
   * user namespace, and has no more rights on files than before.
   */
  wrap(command: string, args: readonly string[] = []): Command {
    const rights = this.how === 'user' ? ['--user', '--preserve-credentials'] : []
    return {
      command: 'nsenter',
      args: ['--target', String(this.#pid), ...rights, '--net', '--', command, ...args]
    }
  }

  /** Lets go of the namespace. It is gone when the last program in it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return
    const closed = once(this.#holder, 'close')
    this.#holder.stdin?.end()
    await closed
  }
}

/** The holder ends when its standard input does: by our hand, or because we are gone. */
async function hold(
  how: NamespaceRight,
  ip: string,
  environment: NodeJS.ProcessEnv
): Promise<{ holder: ChildProcess; pid: number }> {
  const flags = how === 'root' ? ['--net'] : ['--user', '--map-root-user', '--net']
  const script = '"$0" link set lo up && echo ready && exec cat'
  const holder = spawn('unshare', [...flags, 'sh', '-c', script, ip], {
    detached: true,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let errors = ''
  holder.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const [first] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])
  if (String(first) !== 'ready\n' || holder.pid === undefined) throw new Error(errors.trim())
  return { holder, pid: holder.pid }
}
