import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'

import { HushlampError } from '@hushlamp/shared'

const prefix = 'hushlamp-private-tor-'
/** The path of a unix socket has at most 107 bytes; below the folder come `/authority/control`. */
const maxPathBytes = 107 - '/authority/control'.length
/** A folder that is younger may belong to a network that is just starting. */
const abandonedAfterMs = 10 * 60 * 1000

/**
 * Makes the folder of a network: `wanted`, which must be new or empty, or else a temporary one. What networks left
 * behind that were killed is removed on this occasion.
 *
 * Errors: `config-invalid`.
 */
export async function networkDirectory(wanted?: string): Promise<string> {
  if (wanted === undefined) await removeAbandonedNetworks()
  const directory = resolvePath(wanted ?? (await mkdtemp(join(tmpdir(), prefix))))
  if (/[\s"#\\]/.test(directory) || Buffer.byteLength(directory) > maxPathBytes) {
    throw new HushlampError(
      'config-invalid',
      `The folder of a private Tor network needs a path of at most ${maxPathBytes} bytes without blanks, because sockets lie in it.`
    )
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if ((await readdir(directory)).length > 0) {
    throw new HushlampError('config-invalid', 'The folder of a private Tor network must be empty.')
  }
  return directory
}

async function removeAbandonedNetworks(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    const directory = join(tmpdir(), name)
    const found = await stat(directory).catch(() => undefined)
    if (found === undefined || found.uid !== process.getuid?.()) continue
    if (Date.now() - found.mtimeMs < abandonedAfterMs) continue
    // Process ids mean nothing between containers that share a folder; an open socket does.
    if (await answers(join(directory, 'authority', 'control'))) continue
    await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
}

async function answers(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
