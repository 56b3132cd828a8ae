import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What ADD_ONION takes in a path (Tor 0.4.9: no blank, no quote, no letter beyond ASCII), short enough for a socket. */
const usable = /^[\w./+~@-]{1,60}$/

/**
 * Makes a new folder of mode 0700 for unix sockets, below the temporary folder of the system or, where Tor could not
 * name that one, below `/tmp`.
 *
 * Errors: those of Node.
 */
export async function makeSocketDirectory(): Promise<string> {
  const parent = [tmpdir(), '/tmp'].find((path) => usable.test(path)) ?? tmpdir()
  return await mkdtemp(join(parent, 'hushlamp-'))
}
