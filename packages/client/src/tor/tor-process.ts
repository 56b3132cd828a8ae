import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join, resolve as absolutePath } from 'node:path'

import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { AbortOptions, Clock, Random } from '@hushlamp/shared'

import { systemClock, systemRandom } from '../system-ports.ts'
import { ControlConnection } from './control-connection.ts'
import { Deadline, orAborted, wait } from './deadline.ts'
import type { LocalAddress } from './local-socket.ts'
import { makeSocketDirectory } from './socket-directory.ts'
import { socksListener } from './socks-listener.ts'
import { resolveTorBinary } from './tor-binary.ts'
import type { TorBinary } from './tor-binary.ts'
import { TorLog } from './tor-log.ts'
import { torrcText } from './torrc.ts'
import type { TorListeners } from './torrc.ts'

/** What a Tor process of our own needs from others. */
export interface TorProcessComponents {
  /** Default: the clock of the system. */
  readonly clock?: Pick<Clock, 'after'>
  /** Default: the generator of the system. */
  readonly random?: Random
}

/** How a Tor process of our own is run. */
export interface TorProcessInit {
  /** Tor's folder, of nobody else at the same time. Made with mode 0700 if it is not there. */
  readonly dataDirectory: string
  /** Default: what `resolveTorBinary` finds. */
  readonly binary?: Pick<TorBinary, 'path' | 'environment'>
  /** Extra lines for Tor's configuration, such as bridges. */
  readonly torrc?: readonly string[]
  /** Unix sockets, or loopback ports where the platform has none. Default: by the platform. */
  readonly transport?: 'unix' | 'tcp'
  /** How long Tor may take from its start until it takes commands, not until it is ready. Default 30,000. */
  readonly controlDeadlineMs?: number
}

/** The most bytes of a path that every platform takes for a unix socket. */
const maxSocketPathBytes = 100
const portFileRetryMs = 25
/** Steps of {@link TorProcess.stop}: a polite word, SIGTERM, SIGKILL. Together under three seconds. */
const politeMs = 1500
const terminateMs = 1000

interface Running {
  readonly child: ChildProcess
  /** Fulfilled once the process has ended, with the error if it never began. */
  readonly exited: Promise<Error | undefined>
  readonly log: TorLog
}

/**
 * A Tor process of our own. It belongs to its control connection and ends with it (TAKEOWNERSHIP), so none is left behind
 * even where this process is killed; until then it watches our process id.
 */
export class TorProcess implements AsyncDisposable {
  /** The connection that owns the process. */
  readonly control: ControlConnection
  /** Where other programs of the same user may connect to its control port; the cookie is in its data folder. */
  readonly controlAddress: LocalAddress
  /** The SOCKS port, with isolation by credentials and extended errors. */
  readonly socks: LocalAddress
  /** Fulfilled once the process has ended, wanted or not. Never rejected. */
  readonly exited: Promise<void>
  readonly #running: Running
  readonly #clock: Pick<Clock, 'after'>
  readonly #leftovers: readonly string[]
  #stopping: Promise<void> | undefined

  private constructor(
    components: {
      readonly running: Running
      readonly control: ControlConnection
      readonly clock: Pick<Clock, 'after'>
    },
    init: {
      readonly controlAddress: LocalAddress
      readonly socks: LocalAddress
      readonly leftovers: readonly string[]
    }
  ) {
    this.#running = components.running
    this.#clock = components.clock
    this.control = components.control
    this.exited = components.running.exited.then(() => undefined)
    this.controlAddress = init.controlAddress
    this.socks = init.socks
    this.#leftovers = init.leftovers
  }

  /**
   * Starts Tor and waits until it takes commands; it has not come far then with its network.
   *
   * Errors: `tor-not-found`, `tor-start-failed` where Tor ends at once (the message says what it complained of) or does
   * not take commands in time, `tor-control`, `config-invalid`, `storage-failed` where the folder cannot be written,
   * `aborted`.
   */
  static async start(
    components: TorProcessComponents,
    init: TorProcessInit,
    options: AbortOptions = {}
  ): Promise<TorProcess> {
    const { clock = systemClock, random = systemRandom } = components
    const { controlDeadlineMs = 30_000 } = init
    const dataDirectory = absolutePath(init.dataDirectory)
    const binary = init.binary ?? (await resolveTorBinary(options))
    using deadline = new Deadline(clock, {
      deadlineMs: controlDeadlineMs,
      code: 'tor-start-failed',
      message: 'Tor was started but did not take commands in time.',
      signal: options.signal
    })
    const { listeners, leftovers, torrcPath } = await prepare(dataDirectory, init)
    const running = run(binary, torrcPath)
    const early = new AbortController()
    void running.exited.then(() => early.abort(endedEarly(running.log)))
    const signal = AbortSignal.any([deadline.signal, early.signal])
    try {
      const controlAddress = await findControlAddress(listeners, clock, signal)
      const control = await ControlConnection.open(
        controlAddress,
        { kind: 'cookie-file', path: join(dataDirectory, cookieName) },
        { clock, random, signal, deadlineMs: controlDeadlineMs }
      )
      await control.ok('TAKEOWNERSHIP', { signal })
      await control.ok('RESETCONF __OwningControllerProcess', { signal })
      const socks = await socksListener(control, { signal })
      return new TorProcess({ running, control, clock }, { controlAddress, socks, leftovers })
    } catch (error) {
      const spawnError = await kill(running)
      await remove(leftovers)
      if (spawnError !== undefined) throw notSpawned(spawnError)
      throw isHushlampError(error, 'tor-lost') ? endedEarly(running.log) : error
    }
  }

  /** Ends Tor within three seconds and removes its sockets. Streams through it end as well. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(): Promise<void> {
    // As a client Tor leaves at once on SHUTDOWN, and for want of an owner when the connection closes.
    await this.control.command('SIGNAL SHUTDOWN', { deadlineMs: politeMs / 3 }).catch(() => {})
    await this.control.close()
    if (!(await this.#endsWithin(politeMs))) this.#running.child.kill('SIGTERM')
    if (!(await this.#endsWithin(terminateMs))) await kill(this.#running)
    await remove(this.#leftovers)
  }

  async #endsWithin(deadlineMs: number): Promise<boolean> {
    using deadline = new Deadline(this.#clock, { deadlineMs, code: 'tor-control' })
    return await orAborted(this.exited, deadline.signal).then(
      () => true,
      () => false
    )
  }
}

const cookieName = 'control_auth_cookie'

interface Prepared {
  readonly listeners: TorListeners
  readonly torrcPath: string
  /** Files and folders to remove when Tor has ended. */
  readonly leftovers: readonly string[]
}

async function prepare(dataDirectory: string, init: TorProcessInit): Promise<Prepared> {
  const { transport = process.platform === 'win32' ? 'tcp' : 'unix' } = init
  const torrcPath = join(dataDirectory, 'torrc')
  const leftovers = [join(dataDirectory, cookieName)]
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    await chmod(dataDirectory, 0o700)
    const listeners = await chooseListeners(dataDirectory, transport, leftovers)
    // A cookie of an earlier run would be taken for the new one, and an old socket for an open door.
    await remove(leftovers.filter((path) => path.startsWith(dataDirectory)))
    const text = torrcText({ dataDirectory, listeners, extra: init.torrc ?? [] })
    await writeFile(torrcPath, text, { mode: 0o600 })
    return { listeners, torrcPath, leftovers }
  } catch (error) {
    if (error instanceof HushlampError) throw error
    const message = "Tor's folder cannot be written."
    throw new HushlampError('storage-failed', message, { cause: error })
  }
}

async function chooseListeners(
  dataDirectory: string,
  transport: 'unix' | 'tcp',
  leftovers: string[]
): Promise<TorListeners> {
  if (transport === 'tcp') {
    const controlPortFile = join(dataDirectory, 'control-port')
    leftovers.push(controlPortFile)
    return { kind: 'tcp', controlPortFile }
  }
  const fits = Buffer.byteLength(join(dataDirectory, 'control')) <= maxSocketPathBytes
  const directory = fits ? dataDirectory : await makeSocketDirectory()
  const controlPath = join(directory, 'control')
  const socksPath = join(directory, 'socks')
  leftovers.push(...(fits ? [controlPath, socksPath] : [directory]))
  return { kind: 'unix', controlPath, socksPath }
}

function run(binary: Pick<TorBinary, 'path' | 'environment'>, torrcPath: string): Running {
  const log = new TorLog()
  const owner = ['--__OwningControllerProcess', String(process.pid)]
  const child = spawn(
    binary.path,
    ['-f', torrcPath, '--defaults-torrc', devNull, '--hush', ...owner],
    {
      env: binary.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      // In a group of its own, so that Ctrl-C reaches us alone and we can say goodbye through it.
      detached: process.platform !== 'win32'
    }
  )
  child.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text))
  child.stderr.resume()
  const exited = new Promise<Error | undefined>((resolve) => {
    child.once('close', () => resolve(undefined))
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(error)
    })
  })
  return { child, exited, log }
}

function notSpawned(cause: Error): HushlampError {
  const isMissing = 'code' in cause && cause.code === 'ENOENT'
  return new HushlampError(isMissing ? 'tor-not-found' : 'tor-start-failed', undefined, { cause })
}

function endedEarly({ problem }: TorLog): HushlampError {
  return new HushlampError(
    'tor-start-failed',
    problem === undefined ? 'Tor ended while starting.' : `Tor ended while starting: ${problem}`
  )
}

async function findControlAddress(
  listeners: TorListeners,
  clock: Pick<Clock, 'after'>,
  signal: AbortSignal
): Promise<LocalAddress> {
  if (listeners.kind === 'unix') return { path: listeners.controlPath }
  for (;;) {
    const text = await readFile(listeners.controlPortFile, 'latin1').catch(() => '')
    const port = /^PORT=127\.0\.0\.1:(\d+)\s*$/m.exec(text)?.[1]
    if (port !== undefined) return { host: '127.0.0.1', port: Number(port) }
    await wait(clock, portFileRetryMs, signal)
  }
}

async function kill({ child, exited }: Running): Promise<Error | undefined> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  return await exited
}

async function remove(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
}
