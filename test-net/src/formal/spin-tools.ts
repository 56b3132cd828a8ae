import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { unpackDebianPackages, withUnpackedPackages } from '@hushlamp/client'
import type { OnProgress, UnpackedPackages } from '@hushlamp/client'
import { HushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

import { resolvePrograms } from '../programs.ts'

const run = promisify(execFile)

/** A C compiler that was seen to make a program that runs. */
export interface Compiler {
  readonly program: string
  readonly flags: readonly string[]
  /** Command by which Spin reads `#if` and its like. */
  readonly preprocessor: string
}

/** What a check by Spin needs. */
export interface SpinTools {
  readonly spin: string
  readonly compiler: Compiler
  /** The whole environment to start both with. */
  readonly environment: NodeJS.ProcessEnv
}

/** Settings of {@link findSpinTools}. */
export interface FindSpinToolsOptions extends AbortOptions {
  readonly onProgress?: OnProgress
  /** Whether what is missing may be fetched; otherwise the outcome is undefined. */
  readonly fetch: boolean
}

/** Finds Spin and a C compiler on this machine or, with `fetch`, in the distribution's packages, without root. */
export async function findSpinTools(options: FindSpinToolsOptions): Promise<SpinTools | undefined> {
  const spin = await findSpin(options)
  if (!spin) return undefined
  for (const program of ['cc', 'gcc', 'clang']) {
    const compiler = {
      program,
      flags: ['-O1', '-w'],
      preprocessor: `${program} -E -x c`
    }
    if (await compiles(compiler, spin.environment)) return { ...spin, compiler }
  }
  if (!options.fetch) return undefined
  const fetched = await unpackDebianPackages(['tcc', 'libc6-dev'], options)
  const environment = withUnpackedPackages(spin.environment, fetched)
  const compiler = await smallCompiler(fetched)
  if (compiler && (await compiles(compiler, environment)))
    return { spin: spin.spin, compiler, environment }
  throw new HushlampError(
    'package-download-failed',
    'There is no C compiler here, and the fetched one does not work. Install one: sudo apt-get install gcc libc6-dev'
  )
}

async function findSpin(
  options: FindSpinToolsOptions
): Promise<{ readonly spin: string; readonly environment: NodeJS.ProcessEnv } | undefined> {
  if (!options.fetch) {
    const there = await run('spin', ['-V']).then(
      () => true,
      () => false
    )
    return there ? { spin: 'spin', environment: process.env } : undefined
  }
  const { paths, environment } = await resolvePrograms(['spin'], options)
  return { spin: paths.get('spin') ?? 'spin', environment }
}

/** The paths of an unpacked tcc: it looks for its parts and for libc below `/` unless told. */
async function smallCompiler({ root }: UnpackedPackages): Promise<Compiler | undefined> {
  const program = join(root, 'usr/bin/tcc')
  const include = join(root, 'usr/include')
  for (const entry of await readdir(join(root, 'usr/lib'))) {
    const library = join(root, 'usr/lib', entry)
    const own = join(library, 'tcc')
    if (!(await stat(own).catch(() => undefined))) continue
    const flags = [`-B${own}`, `-I${include}`, `-I${join(include, entry)}`, `-L${library}`]
    return { program, flags, preprocessor: `${program} -E -xc` }
  }
  return undefined
}

async function compiles(compiler: Compiler, environment: NodeJS.ProcessEnv): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'hushlamp-compiler-'))
  try {
    await writeFile(
      join(folder, 'a.c'),
      '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'
    )
    const options = { cwd: folder, env: environment }
    await run(compiler.program, [...compiler.flags, '-o', 'a', 'a.c'], options)
    await run(join(folder, 'a'), [], options)
    return true
  } catch {
    // Not there, or not whole: whatever it is, this compiler is of no use.
    return false
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
