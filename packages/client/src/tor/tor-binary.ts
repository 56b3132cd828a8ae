import { execFile } from 'node:child_process'
import { access, constants, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

import { unpackDebianPackages, withUnpackedPackages } from './debian-packages.ts'
import type { OnProgress } from './progress.ts'

/** Settings of {@link resolveTorBinary}. */
export interface ResolveTorOptions extends AbortOptions {
  /** Where `TOR_BINARY` and `PATH` are read, and what the program is to be started with; that of this process by default. */
  readonly environment?: NodeJS.ProcessEnv
  /** Where a downloaded package is kept; `~/.cache/hushlamp` by default. */
  readonly cacheDirectory?: string
  readonly onProgress?: OnProgress
}

/** A Tor program that was seen to run. */
export interface TorBinary {
  /** Path of the program. */
  readonly path: string
  /** As the program tells it, such as `0.4.8.16`. */
  readonly version: string
  /** The whole environment to start the program with. */
  readonly environment: NodeJS.ProcessEnv
}

/**
 * Finds a Tor: the program that the variable `TOR_BINARY` names, else one in `PATH`, else the package of Debian or
 * Ubuntu, unpacked into a cache folder without root and without any change to the system.
 *
 * Errors: `tor-not-found` with a message that says how to install Tor, `aborted`.
 */
export async function resolveTorBinary(options: ResolveTorOptions = {}): Promise<TorBinary> {
  const environment = options.environment ?? process.env
  const chosen = environment['TOR_BINARY']
  if (chosen !== undefined && chosen !== '') {
    const version = await torVersion(chosen, environment, options)
    if (version !== undefined && isRecent(version)) return { path: chosen, version, environment }
    throw new HushlampError(
      'tor-not-found',
      version === undefined
        ? 'TOR_BINARY does not name a Tor program that runs. Correct it or leave it unset.'
        : `TOR_BINARY names Tor ${version}, but at least ${oldestVersion.join('.')} is needed.`
    )
  }
  for (const path of programsInPath(environment)) {
    const version = await torVersion(path, environment, options)
    if (version !== undefined && isRecent(version)) return { path, version, environment }
  }
  return await torFromPackage(environment, options)
}

/** Client authorisation of ephemeral onion services came with this version. */
const oldestVersion = [0, 4, 6]

async function torFromPackage(
  environment: NodeJS.ProcessEnv,
  options: ResolveTorOptions
): Promise<TorBinary> {
  let cause: unknown
  // A package in the cache stops working when the system loses a library it needs: then it is fetched once more.
  for (const renewal of [{}, { renewAfterSeconds: 0 }]) {
    try {
      const unpacked = await unpackDebianPackages(['tor'], { ...options, environment, ...renewal })
      const path = join(unpacked.root, 'usr/bin/tor')
      const withLibraries = withUnpackedPackages(environment, unpacked)
      const version = await torVersion(path, withLibraries, options)
      if (version !== undefined && isRecent(version))
        return { path, version, environment: withLibraries }
    } catch (error) {
      if (isHushlampError(error, 'aborted')) throw error
      cause = error
      break
    }
  }
  const advice = installationAdvice(process.platform)
  const why = process.platform === 'linux' && isHushlampError(cause) ? ` (${cause.message})` : ''
  throw new HushlampError('tor-not-found', `${advice}${why}`, { cause })
}

/** How to install Tor on a platform, in one sentence per system. */
export function installationAdvice(platform: NodeJS.Platform): string {
  const how: Partial<Record<NodeJS.Platform, string>> = {
    linux:
      'Install it with "sudo apt-get install tor" (Debian, Ubuntu), "sudo dnf install tor" (Fedora) or "sudo pacman -S tor" (Arch).',
    darwin: 'Install it with "brew install tor".',
    win32: 'Download the Tor Expert Bundle of the Tor Project and unpack it.'
  }
  return `No Tor program was found. ${how[platform] ?? 'Install the package "tor" of your system.'} Where it lies outside of PATH, set TOR_BINARY to its path.`
}

function programsInPath(environment: NodeJS.ProcessEnv): readonly string[] {
  const name = process.platform === 'win32' ? 'tor.exe' : 'tor'
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name))
}

/** The version that the program at `path` tells; undefined where it is no Tor that runs. */
async function torVersion(
  path: string,
  environment: NodeJS.ProcessEnv,
  { signal }: AbortOptions
): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isFile()) return undefined
    await access(path, constants.X_OK)
    const { stdout } = await promisify(execFile)(path, ['--version'], {
      env: environment,
      timeout: 10_000,
      ...(signal === undefined ? {} : { signal })
    })
    return /^Tor version (\d+\.\d+\.\d+(?:[\w.-]*\w)?)/m.exec(stdout)?.[1]
  } catch {
    if (signal?.aborted === true) throw new HushlampError('aborted')
    return undefined
  }
}

function isRecent(version: string): boolean {
  const numbers = version.split('.').map((part) => Number.parseInt(part, 10))
  for (const [index, least] of oldestVersion.entries()) {
    const number = numbers[index] ?? 0
    if (number !== least) return number > least
  }
  return true
}
