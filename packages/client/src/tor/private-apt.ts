import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { HushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

import { commandFailure, runCommand } from './command.ts'
import type { CommandOptions, CommandResult } from './command.ts'
import type { OnProgress } from './progress.ts'

/** How a {@link PrivateApt} is run. */
export interface PrivateAptInit {
  /** Holds the index and apt's own caches; made where missing. */
  readonly directory: string
  readonly environment: NodeJS.ProcessEnv
  readonly onProgress: OnProgress
}

/** One package of the distribution in the form that `apt-get download` takes: `name` or `name=version`. */
export type PackageSpecification = string

/** An index of the packages is used for a day, unless it turns out to be out of date before. */
const indexLifetimeMs = 24 * 60 * 60 * 1000

/**
 * Debian's own apt with a private state, so that it works without root and changes nothing of the system. It reads the
 * sources, keys and proxies that the machine is set up with and the list of installed packages, and writes only below
 * its folder. Signatures and hashes are checked as ever.
 *
 * Errors of all methods: `package-download-failed`, `aborted`.
 */
export class PrivateApt {
  readonly #init: PrivateAptInit

  constructor(init: PrivateAptInit) {
    this.#init = init
  }

  /** Writes the configuration. To be called before everything else. */
  async prepare(): Promise<void> {
    const { directory } = this.#init
    await mkdir(join(directory, 'lists', 'partial'), { recursive: true })
    await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true })
    await writeFile(this.#configuration, aptConfiguration(directory))
  }

  /** Tells whether there is an index of the packages that is less than a day old. */
  async hasFreshIndex(): Promise<boolean> {
    const made = await stat(this.#indexStamp).catch(() => undefined)
    return made !== undefined && Math.abs(Date.now() - made.mtimeMs) < indexLifetimeMs
  }

  /** Fetches the index of the packages. One source that fails does not count as long as others answer. */
  async updateIndex(options: AbortOptions = {}): Promise<void> {
    this.#init.onProgress({ phase: 'index', text: 'Reading the index of the packages' })
    const result = await this.#run(['update'], options)
    // apt calls it a success when it goes on with an old index, or with none.
    if (result.status !== 0 || /^[EW]: (Failed to fetch|Some index files)/m.test(result.errors)) {
      throw commandFailure('The index of the packages could not be read.', result)
    }
    await writeFile(this.#indexStamp, '')
  }

  /**
   * The packages that have to be fetched so that all of `names` can run here: the named ones, also where the system
   * has them installed, and what is missing of those that they depend on.
   */
  async resolve(
    names: readonly string[],
    options: AbortOptions = {}
  ): Promise<readonly PackageSpecification[]> {
    this.#init.onProgress({ phase: 'resolve', text: `Looking up ${names.join(', ')}` })
    const command = ['--simulate', '--no-install-recommends', 'install', '--', ...names]
    let result = await this.#run(command, options)
    if (/unmet dependencies|broken packages/i.test(result.errors)) {
      // The system's own packages are at odds with each other: then it is not asked what it has.
      result = await this.#run(['-o', 'Dir::State::status=/dev/null', ...command], options)
    }
    if (result.status !== 0) {
      const unknown = /Unable to locate package (\S+)/.exec(result.errors)?.[1]
      throw commandFailure(
        unknown === undefined
          ? `The packages that ${names.join(', ')} needs could not be worked out.`
          : `The distribution's sources have no package ${unknown}.`,
        result
      )
    }
    const missing = new Map<string, PackageSpecification>()
    // Inst NAME [INSTALLED VERSION] (VERSION SOURCES [ARCHITECTURE]) …
    for (const [, name, version] of result.output.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)) {
      if (name === undefined || version === undefined || presentEverywhere.has(name)) continue
      missing.set(name, `${name}=${version}`)
    }
    for (const name of names) if (!missing.has(name)) missing.set(name, name)
    return [...missing.values()]
  }

  /** Downloads the packages as `.deb` files into the folder `into`. */
  async download(
    packages: readonly PackageSpecification[],
    into: string,
    options: AbortOptions = {}
  ): Promise<void> {
    let reported = ''
    const text = `Downloading ${packages.map((one) => one.replace(/=.*/, '')).join(', ')}`
    this.#init.onProgress({ phase: 'download', fraction: 0, text })
    const result = await this.#run(['-o', 'APT::Status-Fd=3', 'download', '--', ...packages], {
      ...options,
      directory: into,
      onStatus: (line) => {
        const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1]
        if (percent === undefined || percent === reported) return
        reported = percent
        this.#init.onProgress({ phase: 'download', fraction: Number(percent) / 100, text })
      }
    })
    if (result.status !== 0) {
      const missing = packages.find((one) => result.errors.includes(one.replace(/=.*/, '')))
      throw commandFailure(
        `The package ${(missing ?? packages[0] ?? '').replace(/=.*/, '')} could not be downloaded.`,
        result
      )
    }
  }

  get #configuration(): string {
    return join(this.#init.directory, 'apt.conf')
  }

  get #indexStamp(): string {
    return join(this.#init.directory, 'index-read')
  }

  async #run(
    arguments_: readonly string[],
    options: Omit<CommandOptions, 'environment'>
  ): Promise<CommandResult> {
    return await runCommand('apt-get', ['-c', this.#configuration, '-qq', ...arguments_], {
      ...options,
      environment: { ...this.#init.environment, LC_ALL: 'C' }
    })
  }
}

/** What every Debian has. Above all a C library of another version than the loader's must not get into the way. */
const presentEverywhere: ReadonlySet<string> = new Set(
  'adduser base-files debconf dpkg init-system-helpers libc-bin libc6 login lsb-base passwd perl-base sysvinit-utils tar usrmerge'.split(
    ' '
  )
)

/** Read after the configuration of the machine, so that it wins. */
function aptConfiguration(directory: string): string {
  return `Dir::State::lists ${quoted(join(directory, 'lists'))};
Dir::Cache ${quoted(join(directory, 'cache'))};
Dir::Cache::archives "archives/";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
Debug::NoLocking "true";
APT::Sandbox::User "root";
APT::Get::Assume-Yes "true";
Acquire::Retries "3";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`
}

function quoted(path: string): string {
  if (/["\n]/.test(path)) {
    throw new HushlampError('package-download-failed', 'The path of the cache has a quote in it.')
  }
  return `"${path}/"`
}
