import { HushlampError } from '@hushlamp/shared'

import type { ControlCommandOptions, ControlConnection } from './control-connection.ts'
import { unquotedString } from './control-text.ts'
import type { LocalAddress } from './local-socket.ts'

/**
 * Asks Tor for its SOCKS listeners and takes the first, a unix socket if there is one.
 *
 * Errors: `tor-control` where Tor has none, and those of {@link ControlConnection.ok}.
 */
export async function socksListener(
  control: ControlConnection,
  options: ControlCommandOptions = {}
): Promise<LocalAddress> {
  const reply = await control.ok('GETINFO net/listeners/socks', options)
  const listeners = (reply.lines[0] ?? '').replace(/^[^=]*=/, '')
  const addresses = [...listeners.matchAll(/"(?:[^"\\]|\\.)*"/g)].flatMap(([quoted]) =>
    parseListener(unquotedString(quoted) ?? '')
  )
  const address = addresses.find((candidate) => 'path' in candidate) ?? addresses[0]
  if (address !== undefined) return address
  throw new HushlampError('tor-control', 'This Tor has no SOCKS port that is open.')
}

function parseListener(text: string): LocalAddress[] {
  if (text.startsWith('unix:')) {
    const name = text.slice('unix:'.length)
    return [{ path: Buffer.from(unquotedString(name) ?? name, 'latin1').toString('utf8') }]
  }
  const [, ipv4, ipv6, port] = /^(?:(\d+(?:\.\d+){3})|\[([0-9a-f:.]+)\]):(\d+)$/i.exec(text) ?? []
  const host = ipv4 ?? ipv6
  return host === undefined ? [] : [{ host, port: Number(port) }]
}
