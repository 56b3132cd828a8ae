import { lstat, mkdir, access, constants } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

import { HushlampError } from '@hushlamp/shared'

/**
 * The folder for what can be fetched again: `$XDG_CACHE_HOME/hushlamp`, else `~/.cache/hushlamp`, else one of our own in
 * the folder for temporary files (for service users without a home). It exists and is writable afterwards.
 *
 * Errors: `storage-failed` when none of the three can be used.
 */
export async function defaultCacheDirectory(
  environment: NodeJS.ProcessEnv = process.env
): Promise<string> {
  const xdg = environment['XDG_CACHE_HOME']
  const home = environment['HOME'] ?? homedir()
  const candidates = [
    ...(xdg?.startsWith('/') ? [join(xdg, 'hushlamp')] : []),
    ...(home === '' ? [] : [join(home, '.cache', 'hushlamp')])
  ]
  for (const candidate of candidates) {
    try {
      await mkdir(candidate, { recursive: true, mode: 0o700 })
      await access(candidate, constants.W_OK)
      return candidate
    } catch {
      // Not this one: read-only, or below something that is no folder.
    }
  }
  return await temporaryCacheDirectory()
}

/** We run programs from the cache, and everyone may write to /tmp: the folder there has to be ours alone. */
async function temporaryCacheDirectory(): Promise<string> {
  const user = process.getuid?.()
  const directory = join(tmpdir(), `hushlamp-cache-${user ?? 'user'}`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const found = await lstat(directory)
    const ours = user === undefined || (found.uid === user && (found.mode & 0o022) === 0)
    if (found.isDirectory() && ours) return directory
  } catch (cause) {
    throw new HushlampError('storage-failed', noCache, { cause })
  }
  throw new HushlampError('storage-failed', noCache)
}

const noCache = 'No folder for cached files can be used. Set XDG_CACHE_HOME to a folder you own.'
