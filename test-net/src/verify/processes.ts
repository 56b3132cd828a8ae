import { readdir, readFile, readlink } from 'node:fs/promises'

/** A process of this machine. */
export interface FoundProcess {
  readonly id: number
  /** Its program and arguments. */
  readonly command: string
}

async function readProcess(id: number, marker: string): Promise<FoundProcess | undefined> {
  try {
    const environment = await readFile(`/proc/${id}/environ`, 'utf8')
    if (!environment.split('\0').includes(marker)) return undefined
    const command = (await readFile(`/proc/${id}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim()
    return { id, command: command === '' ? await readlink(`/proc/${id}/exe`) : command }
  } catch {
    // It has ended meanwhile, or belongs to somebody else.
    return undefined
  }
}

/**
 * The processes that were started with `marker` (`NAME=value`) in their environment, by whatever way and however
 * often they have changed their parent and their group since.
 */
export async function processesMarked(marker: string): Promise<FoundProcess[]> {
  const entries = await readdir('/proc')
  const ids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number)
  const found = await Promise.all(ids.map((id) => readProcess(id, marker)))
  return found.filter((process) => process !== undefined)
}
