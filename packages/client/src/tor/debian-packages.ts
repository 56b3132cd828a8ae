import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'

import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

import { defaultCacheDirectory } from './cache-directory.ts'
import { commandFailure, runCommand } from './command.ts'
import { lockFile } from './file-lock.ts'
import { PrivateApt } from './private-apt.ts'
import type { OnProgress } from './progress.ts'

/** Settings of {@link unpackDebianPackages}. */
export interface UnpackOptions extends AbortOptions {
  /** Where the packages are kept; {@link defaultCacheDirectory} by default. */
  readonly cacheDirectory?: string
  readonly onProgress?: OnProgress
  /** The environment that apt runs in; that of this process by default. */
  readonly environment?: NodeJS.ProcessEnv
  /** Packages older than this are fetched anew, if the network allows. Default 1,209,600 (14 days). */
  readonly renewAfterSeconds?: number
}

/** Packages that lie unpacked in a folder of ours. */
export interface UnpackedPackages {
  /** Takes the place of `/`: the programs are in `usr/bin` below it. */
  readonly root: string
  /** Folders to put in front of the path lists of the environment, by name of the variable. */
  readonly environment: Readonly<Record<string, readonly string[]>>
}

/**
 * Fetches packages of Debian or Ubuntu and what they need, and unpacks them into the cache. Nothing of the system is
 * changed and root is not needed. What the system has installed is not fetched again, except for the named packages
 * themselves. A second call finds the packages in the cache and works without a network. Several processes may call
 * this at the same time: one of them does the work.
 *
 * @NOTE This is the one thing Hushlamp fetches without Tor, because it is how Tor itself gets here. It is done by the
 * distribution's own means from the distribution's own sources.
 *
 * Errors: `package-download-failed` (message names the package; also where this is not Debian), `storage-failed`,
 * `aborted`.
 */
export async function unpackDebianPackages(
  names: readonly string[],
  options: UnpackOptions = {}
): Promise<UnpackedPackages> {
  const wrong = names.find((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name))
  if (names.length === 0 || wrong !== undefined) {
    throw new HushlampError(
      'package-download-failed',
      `"${wrong ?? ''}" is not the name of a package.`
    )
  }
  const environment = options.environment ?? process.env
  const cache = resolve(options.cacheDirectory ?? (await defaultCacheDirectory(environment)))
  const shelf = join(cache, 'packages', await shelfName(names))
  const renewAfterSeconds = options.renewAfterSeconds ?? 14 * 24 * 60 * 60
  const kept = await readShelf(shelf)
  if (kept !== undefined && isFresh(kept, renewAfterSeconds)) return await describe(shelf, kept)
  try {
    await mkdir(shelf, { recursive: true, mode: 0o700 })
    options.onProgress?.({ phase: 'wait', text: 'Waiting for the cache of packages' })
    await using _lock = await lockFile(join(cache, 'packages', 'lock'), environment, options)
    const meanwhile = await readShelf(shelf)
    if (meanwhile !== undefined && isFresh(meanwhile, renewAfterSeconds)) {
      return await describe(shelf, meanwhile)
    }
    return await describe(shelf, await fill(shelf, cache, names, environment, options))
  } catch (error) {
    if (isHushlampError(error, 'aborted')) throw error
    // An old tor is better than none: without a network what is in the cache goes on being used.
    if (kept !== undefined) return await describe(shelf, kept)
    if (error instanceof HushlampError) throw error
    throw new HushlampError(
      'package-download-failed',
      `The packages ${names.join(', ')} could not be unpacked.`,
      { cause: error }
    )
  }
}

/**
 * The environment for a program from unpacked packages, or for one that starts such programs: `base` with the folders
 * of the packages in front of its path lists.
 */
export function withUnpackedPackages(
  base: NodeJS.ProcessEnv,
  ...packages: readonly UnpackedPackages[]
): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...base }
  for (const one of packages.toReversed()) {
    for (const [name, folders] of Object.entries(one.environment)) {
      const before = merged[name] ?? defaultLists[name]
      merged[name] = [...folders, ...(before === undefined ? [] : [before])].join(delimiter)
    }
  }
  return merged
}

/** What the system assumes where a variable is not set: setting it must not take that away. */
const defaultLists: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  XDG_DATA_DIRS: '/usr/local/share:/usr/share',
  TERMINFO_DIRS: '' // an empty entry stands for the system's own folders
}

/** The record of what lies on a shelf of the cache. The tree before the newest stays, a program from it may be running. */
interface Shelf {
  readonly tree: string
  readonly unpackedAt: number
}

async function shelfName(names: readonly string[]): Promise<string> {
  const sorted = [...new Set(names)].sort()
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const system = /^VERSION_CODENAME=.*$/m.exec(release)?.[0] ?? ''
  const digest = createHash('sha256').update([system, process.arch, ...sorted].join('\n'))
  return `${sorted.join('_').slice(0, 60)}-${digest.digest('hex').slice(0, 12)}`
}

async function readShelf(shelf: string): Promise<Shelf | undefined> {
  try {
    const read: unknown = JSON.parse(await readFile(join(shelf, 'current.json'), 'utf8'))
    if (typeof read !== 'object' || read === null) return undefined
    if (!('tree' in read && 'unpackedAt' in read)) return undefined
    const { tree, unpackedAt } = read
    if (typeof tree !== 'string' || typeof unpackedAt !== 'number') return undefined
    return existsSync(join(shelf, tree)) ? { tree, unpackedAt } : undefined
  } catch {
    return undefined
  }
}

function isFresh(shelf: Shelf, renewAfterSeconds: number): boolean {
  return Date.now() - shelf.unpackedAt < renewAfterSeconds * 1000
}

/** Downloads and unpacks into a new tree beside the old one; only the last step, a rename, makes it the current one. */
async function fill(
  shelf: string,
  cache: string,
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  options: UnpackOptions
): Promise<Shelf> {
  const onProgress = options.onProgress ?? ((): void => {})
  const previous = await readShelf(shelf)
  // We hold the lock: whatever else lies here was left behind by a run that was broken off.
  for (const entry of await readdir(shelf)) {
    if (entry !== 'current.json' && entry !== previous?.tree) {
      await rm(join(shelf, entry), { recursive: true, force: true })
    }
  }
  const unique = randomBytes(6).toString('hex')
  const incoming = join(shelf, `incoming-${unique}`)
  const tree = `tree-${unique}`
  await mkdir(incoming)
  try {
    await download(names, incoming, cache, { ...options, environment, onProgress })
    onProgress({ phase: 'unpack', text: `Unpacking ${names.join(', ')}` })
    const root = join(incoming, 'root')
    for (const file of await readdir(incoming)) {
      if (!file.endsWith('.deb')) continue
      const path = join(incoming, file)
      const result = await runCommand('dpkg-deb', ['-x', path, root], { ...options, environment })
      const name = file.replace(/_.*/, '')
      if (result.status !== 0)
        throw commandFailure(`The package ${name} could not be unpacked.`, result)
    }
    await rename(root, join(shelf, tree))
    const current: Shelf = { tree, unpackedAt: Date.now() }
    await writeFile(join(incoming, 'current.json'), JSON.stringify(current))
    await rename(join(incoming, 'current.json'), join(shelf, 'current.json'))
    return current
  } finally {
    await rm(incoming, { recursive: true, force: true })
  }
}

/** An index that is out of date shows as a package that is gone: then it is read anew, once. */
async function download(
  names: readonly string[],
  into: string,
  cache: string,
  options: UnpackOptions & { environment: NodeJS.ProcessEnv; onProgress: OnProgress }
): Promise<void> {
  const { environment, onProgress, signal } = options
  const abort: AbortOptions = signal === undefined ? {} : { signal }
  const apt = new PrivateApt({ directory: join(cache, 'apt'), environment, onProgress })
  await apt.prepare()
  if (await apt.hasFreshIndex()) {
    try {
      return await apt.download(await apt.resolve(names, abort), into, abort)
    } catch (error) {
      if (isHushlampError(error, 'aborted')) throw error
    }
  }
  // One source of the machine that does not answer must not stand in the way of the others.
  const incomplete = await apt.updateIndex(abort).then(
    () => undefined,
    (error: unknown) => error
  )
  if (isHushlampError(incomplete, 'aborted')) throw incomplete
  try {
    await apt.download(await apt.resolve(names, abort), into, abort)
  } catch (error) {
    if (incomplete === undefined || isHushlampError(error, 'aborted')) throw error
    throw new HushlampError(
      'package-download-failed',
      `${names.join(', ')} could not be fetched because the index of the packages could not be read. Is there a network?`,
      { cause: incomplete }
    )
  }
}

async function describe(shelf: string, { tree }: Shelf): Promise<UnpackedPackages> {
  const root = join(shelf, tree)
  const libraries: string[] = []
  for (const folder of ['usr/lib', 'lib', 'usr/lib64', 'lib64']) {
    const entries = await readdir(join(root, folder)).catch(() => [])
    const architectures = entries.filter((entry) => /-linux-gnu/.test(entry))
    libraries.push(...architectures.map((entry) => `${folder}/${entry}`), folder)
  }
  const lists: Readonly<Record<string, readonly string[]>> = {
    PATH: ['usr/bin', 'usr/sbin', 'bin', 'sbin', 'usr/games'],
    LD_LIBRARY_PATH: libraries,
    PYTHONPATH: ['usr/lib/python3/dist-packages'],
    PERL5LIB: ['usr/share/perl5'],
    XDG_DATA_DIRS: ['usr/share'],
    TERMINFO_DIRS: ['usr/share/terminfo', 'lib/terminfo']
  }
  const environment: Record<string, readonly string[]> = {}
  for (const [name, folders] of Object.entries(lists)) {
    const present = folders.map((folder) => join(root, folder)).filter((path) => existsSync(path))
    if (present.length > 0) environment[name] = present
  }
  return { root, environment }
}
