import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rooms } from '../../../lint/rooms.ts'
import { repository, runTool } from './probe-tree.ts'

const folders: readonly string[] = [
  ...new Set(Object.values(rooms).map((room) => room.files[0]?.replace(/\/\*\*$/, '') ?? ''))
]
const wallRules =
  /walls|no-restricted|no-eval|no-new-func|no-implied-eval|ban-ts-comment|triple-slash|no-dynamic-require|no-cycle|no-default-export/

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(join(repository, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1))
}

/** The files of all rooms that are there on disk, whatever git and the linter think of them. */
export async function roomFiles(): Promise<string[]> {
  const existing = await Promise.all(
    folders.map((folder) => filesBelow(folder).catch(() => [] as string[]))
  )
  return [...new Set(existing.flat())]
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    .toSorted((a, b) => a.localeCompare(b))
}

/** The files that the linter looks at. */
export async function lintedFiles(): Promise<Set<string>> {
  const flags = ['--disable-nested-config', '--debug=files']
  const output = await runTool('oxlint/bin/oxlint', flags, repository)
  return new Set(output.split('\n'))
}

/** Configuration files that would soften the linter for a part of the tree. */
export async function strayConfigurations(): Promise<string[]> {
  const found = await Promise.all(['packages', 'test-net'].map(filesBelow))
  return found
    .flat()
    .filter((file) => !file.includes('/node_modules/'))
    .filter((file) => /(?:^|\/)(?:\.oxlint|oxlint\.config|\.eslintignore)/.test(file))
}

/** Comments in the rooms that switch off a wall, or everything at once. */
export async function directivesAgainstWalls(files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readFile(join(repository, file), 'utf8')))
  return texts.flatMap((text, index) =>
    [...text.matchAll(/oxlint-disable(?<scope>-next-line|-line)?(?<rules>[^\n]*)/g)]
      .filter(({ groups }) => {
        const named = groups?.['rules']?.replace(/\s--\s.*|\*\/.*/, '').trim() ?? ''
        return named === '' || wallRules.test(named)
      })
      .map(([directive]) => `${files[index]}: ${directive}`)
  )
}
