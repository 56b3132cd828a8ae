import { execFile } from 'node:child_process'
import { access, constants, readdir, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { unpackDebianPackages, withUnpackedPackages } from '@hushlamp/client'
import type { OnProgress, UnpackedPackages } from '@hushlamp/client'
import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

/** What a package is wanted for, and how to see that it works. */
interface Purpose {
  /** The program; a path where another one of the same name often comes first in PATH. */
  readonly program: string
  /** Arguments with which the program ends at once and well, if all its parts are there. */
  readonly check: readonly string[]
  /** Where the program itself is in the package, if what is in PATH is a script that only finds it in its usual place. */
  readonly insidePackage?: string
  /** Folder beside the libraries that one of them looks for only in its usual place. */
  readonly libraries?: string
}

/** Packages of Debian that the suite uses programs or modules of. */
export type SuitePackage =
  | 'chromium-headless-shell'
  | 'go-sendxmpp'
  | 'iproute2'
  | 'mcabber'
  | 'profanity'
  | 'python3-cryptography'
  | 'python3-slixmpp'
  | 'spin'
  | 'tmux'

const purposes: Readonly<Record<SuitePackage, Purpose>> = {
  iproute2: { program: 'ip', check: ['-Version'] },
  mcabber: { program: 'mcabber', check: ['-V'] },
  spin: { program: 'spin', check: ['-V'] },
  tmux: { program: 'tmux', check: ['-V'] },
  // The shell does all that tests need of a browser and has far fewer packages behind it.
  'chromium-headless-shell': {
    program: 'chromium',
    check: ['--version'],
    insidePackage: 'usr/lib/chromium/chromium-headless-shell',
    libraries: 'pulseaudio'
  },
  profanity: { program: 'profanity', check: ['--version'] },
  'go-sendxmpp': { program: 'go-sendxmpp', check: ['--version'] },
  // A python3 of pyenv, conda and the like does not see the modules of the distribution.
  'python3-cryptography': {
    program: '/usr/bin/python3',
    check: ['-c', 'from cryptography.hazmat.primitives.ciphers.aead import AESSIV']
  },
  'python3-slixmpp': { program: '/usr/bin/python3', check: ['-c', 'import slixmpp'] }
}

/** Settings of {@link resolvePrograms}. */
export interface ResolveProgramsOptions extends AbortOptions {
  /** Where programs are looked for; that of this process by default. */
  readonly environment?: NodeJS.ProcessEnv
  /** Where packages are kept; `~/.cache/hushlamp` by default. */
  readonly cacheDirectory?: string
  readonly onProgress?: OnProgress
}

/** Programs that were seen to run. */
export interface Programs {
  /** The whole environment to start them with. */
  readonly environment: NodeJS.ProcessEnv
  /** The program of each package; for a module of Python the Python that can import it. */
  readonly paths: ReadonlyMap<SuitePackage, string>
  /** What takes the place of `/` for the packages that were unpacked. */
  readonly unpackedRoots: readonly string[]
  /** For `set modules_dir` in mcabber's settings, where it does not find its modules by itself. */
  readonly mcabberModules?: string
}

/**
 * Finds the programs that the suite needs: those of the system where they work, else the distribution's packages in a
 * cache folder of ours. Nothing of the system is changed, root is not needed.
 *
 * Errors: `package-download-failed` where a program neither works nor can be fetched, `aborted`.
 */
export async function resolvePrograms(
  packages: readonly SuitePackage[],
  options: ResolveProgramsOptions = {}
): Promise<Programs> {
  const { environment = process.env } = options
  const paths = new Map<SuitePackage, string>()
  const unpacked: UnpackedPackages[] = []
  let mcabberModules: string | undefined
  for (const name of packages) {
    const own = await workingProgram(purposes[name], environment, options)
    if (own !== undefined) {
      paths.set(name, own)
      continue
    }
    const fetched = await unpack(name, options)
    const path = await workingProgram(
      purposes[name],
      withUnpackedPackages(environment, fetched),
      options,
      fetched
    )
    if (path === undefined) {
      throw new HushlampError(
        'package-download-failed',
        `The package ${name} was fetched but does not work here. ${installIt(name)}`
      )
    }
    paths.set(name, path)
    unpacked.push(fetched)
    if (name === 'mcabber') mcabberModules = await findMcabberModules(fetched)
  }
  return {
    environment: withTerminal(withUnpackedPackages(environment, ...unpacked)),
    paths,
    unpackedRoots: unpacked.map(({ root }) => root),
    ...(mcabberModules === undefined ? {} : { mcabberModules })
  }
}

async function unpack(
  name: SuitePackage,
  options: ResolveProgramsOptions
): Promise<UnpackedPackages> {
  try {
    return withLibraries(await unpackDebianPackages([name], options), purposes[name].libraries)
  } catch (cause) {
    if (!isHushlampError(cause, 'package-download-failed')) throw cause
    throw new HushlampError(
      'package-download-failed',
      `The tests need the package ${name}, which is not installed and could not be fetched. ${installIt(name)}`,
      { cause }
    )
  }
}

function withLibraries(unpacked: UnpackedPackages, folder: string | undefined): UnpackedPackages {
  if (folder === undefined) return unpacked
  const libraries = unpacked.environment['LD_LIBRARY_PATH'] ?? []
  const more = libraries.map((each) => join(each, folder))
  return {
    ...unpacked,
    environment: { ...unpacked.environment, LD_LIBRARY_PATH: [...libraries, ...more] }
  }
}

function installIt(name: SuitePackage): string {
  return `Install it: sudo apt-get install ${name}`
}

/** Programs with a screen need a terminal type that exists everywhere, and letters beyond ASCII. */
function withTerminal(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { TERM: terminal, LANG: language } = environment
  return {
    ...environment,
    TERM: terminal === undefined || terminal === 'dumb' ? 'xterm' : terminal,
    LANG: /utf-?8/i.test(language ?? '') ? language : 'C.UTF-8'
  }
}

async function workingProgram(
  purpose: Purpose,
  environment: NodeJS.ProcessEnv,
  { signal }: AbortOptions,
  unpacked?: UnpackedPackages
): Promise<string | undefined> {
  for (const path of candidates(purpose, environment, unpacked)) {
    try {
      // Not every file with the right name is a program: a masked one may be a device.
      if (!(await stat(path)).isFile()) continue
      await access(path, constants.X_OK)
      await promisify(execFile)(path, purpose.check, {
        env: environment,
        timeout: 20_000,
        ...(signal === undefined ? {} : { signal })
      })
      return path
    } catch {
      if (signal?.aborted === true) throw new HushlampError('aborted')
    }
  }
  return undefined
}

function candidates(
  { program, insidePackage }: Purpose,
  environment: NodeJS.ProcessEnv,
  unpacked: UnpackedPackages | undefined
): readonly string[] {
  if (unpacked !== undefined && insidePackage !== undefined) {
    return [join(unpacked.root, insidePackage)]
  }
  if (program.startsWith('/')) {
    return unpacked === undefined ? [program] : [program, join(unpacked.root, program)]
  }
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  // Ordinary users often lack the folders of administration in PATH, where ip may be.
  return [...folders, '/usr/sbin', '/sbin'].map((folder) => join(folder, program))
}

async function findMcabberModules({ root }: UnpackedPackages): Promise<string | undefined> {
  const libraries = join(root, 'usr/lib')
  for (const entry of await readdir(libraries)) {
    const directory = join(libraries, entry, 'mcabber')
    const found = await stat(directory).catch(() => undefined)
    if (found?.isDirectory() === true) return directory
  }
  return undefined
}
