import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../src/index.ts'

const page = new URL('../../../docs/errors.md', import.meta.url)

/** The rows of the page's tables: code → cells. */
async function rows(): Promise<Map<string, string[]>> {
  const text = await readFile(page, 'utf8')
  const cells = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(cells.map((row) => [row[1]?.replaceAll('`', '') ?? '', row.slice(2, -1)]))
}

describe('docs/errors.md', () => {
  it('explains every error code', async () => {
    const documented = await rows()
    const missing = Object.entries(errorCodes).filter(([code]) => !documented.has(code))
    const lines = missing.map(
      ([code, meaning]) => `| \`${code}\` | ${meaning} | <what to do> | <who meets it> |`
    )
    expect(lines, 'add these lines to docs/errors.md and fill them in').toEqual([])
  })

  it('explains nothing that no longer exists', async () => {
    const gone = [...(await rows()).keys()].filter((code) => !Object.hasOwn(errorCodes, code))
    expect(gone, 'remove these lines from docs/errors.md').toEqual([])
  })

  it('leaves no cell open', async () => {
    const documented = await rows()
    const open = [...documented].filter(
      ([, cells]) => cells.length !== 3 || cells.some((cell) => cell === '' || cell.startsWith('<'))
    )
    expect(open.map(([code]) => code)).toEqual([])
  })

  it('repeats the meaning in the words of the table in the code', async () => {
    const documented = await rows()
    const differing = Object.entries(errorCodes)
      .filter(([code, meaning]) => documented.has(code) && documented.get(code)?.[0] !== meaning)
      .map(([code, meaning]) => `${code}: ${meaning}`)
    expect(differing, 'write these meanings into docs/errors.md').toEqual([])
  })
})
