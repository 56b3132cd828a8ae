import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { attemptFile } from './attempt.ts'
import type { Attempt, ProbedRoom } from './attempt.ts'

/** The root of the repository. */
export const repository: string = join(import.meta.dirname, '../../..')

const configuration = [
  '.gitignore',
  'lint',
  'oxlint.config.ts',
  'package.json',
  'tsconfig.base.json',
  'tsconfig.json'
]
const packages = [
  'packages/shared',
  'packages/client',
  'packages/registry-node',
  'packages/im-daemon',
  'test-net'
]
const stub = `/** Stands for the package. */\nexport const stub: number = 1\n\n/** Stands for its types. */\nexport interface Stub {\n  readonly stub: number\n}\n`

/** One complaint of a tool. `file` is relative to the root, `code` is a rule or an error code. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly code: string
}

/** The lines that an attempt or a control has in the tree. */
export interface Section {
  readonly room: string
  readonly name: string
  readonly file: string
  readonly firstLine: number
  readonly lastLine: number
  /** Undefined for a control. */
  readonly attempt?: Attempt
}

/** A copy of the repository's configuration with stubs for its packages and, in their rooms, the probes. */
export interface ProbeTree extends AsyncDisposable {
  readonly root: string
  readonly sections: readonly Section[]
}

async function copyConfiguration(root: string): Promise<void> {
  const declarations = await readdir(join(repository, 'packages/shared/src'), { recursive: true })
  const paths = [
    ...configuration,
    ...packages.flatMap((path) => [`${path}/package.json`, `${path}/tsconfig.json`]),
    'packages/shared/src/crypto/tsconfig.json',
    ...declarations
      .filter((path) => path.endsWith('.d.ts'))
      .map((path) => `packages/shared/src/${path}`)
  ]
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(join(repository, path), join(root, path), { recursive: true })
  }
  for (const path of packages) await write(join(root, path, 'src/index.ts'), stub)
}

/** Everything that is installed, but the packages of the repository as they are in the copy. */
async function linkModules(root: string): Promise<void> {
  const modules = join(root, 'node_modules')
  await mkdir(join(modules, '@hushlamp'), { recursive: true })
  for (const name of await readdir(join(repository, 'node_modules'))) {
    if (name === '@hushlamp' || name === '.cache') continue
    await symlink(join(repository, 'node_modules', name), join(modules, name))
  }
  for (const path of packages) {
    await symlink(join(root, path), join(modules, '@hushlamp', path.replace('packages/', '')))
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** Lays the probes out: those that share a file one after the other, controls first. */
function layOut(rooms: readonly ProbedRoom[]): { texts: Map<string, string>; sections: Section[] } {
  const texts = new Map<string, string>()
  const sections: Section[] = []
  const add = (room: ProbedRoom, path: string, code: string, name: string, attempt?: Attempt) => {
    const file = `${room.folder}/${path}`
    const before = texts.get(file) ?? ''
    const text = code.replaceAll(/(?<=\w)\$(?!\{)/g, String(sections.length))
    const firstLine = before.split('\n').length
    const lastLine = firstLine + text.split('\n').length - 2
    texts.set(file, before + text)
    sections.push({ room: room.name, name, file, firstLine, lastLine, ...(attempt && { attempt }) })
  }
  for (const room of rooms) {
    for (const [path, code] of Object.entries(room.controls)) add(room, path, code, path)
    for (const attempt of room.attempts) {
      add(room, attemptFile(attempt), attempt.code, attempt.name, attempt)
      for (const [path, code] of Object.entries(attempt.companions ?? {})) {
        texts.set(`${room.folder}/${path}`, code)
      }
    }
  }
  return { texts, sections }
}

/** Builds a tree with the controls of all rooms and those attempts that `wanted` picks. Dispose it to remove it. */
export async function plantProbes(
  rooms: readonly ProbedRoom[],
  wanted: (attempt: Attempt) => boolean
): Promise<ProbeTree> {
  const root = await mkdtemp(join(tmpdir(), 'hushlamp-walls-'))
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true })
  try {
    await copyConfiguration(root)
    await linkModules(root)
    const picked = rooms.map((room) => ({ ...room, attempts: room.attempts.filter(wanted) }))
    const { texts, sections } = layOut(picked)
    for (const [file, text] of texts) await write(join(root, file), text)
    return { root, sections, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** What a tool of the repository prints when it runs in `root`. Complaints make it exit with 1 or 2, which is fine. */
export async function runTool(path: string, parameters: string[], root: string): Promise<string> {
  const command = [join(repository, 'node_modules', path), ...parameters]
  return await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      command,
      { cwd: root, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(error)
        else if (stdout === '' && stderr !== '') reject(new Error(stderr))
        else resolve(stdout)
      }
    )
  })
}
