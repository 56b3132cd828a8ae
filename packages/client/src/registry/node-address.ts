import { HushlampError } from '@hushlamp/shared'

import { onionPublicKey } from '../tor/onion-address.ts'
import type { TorTarget } from '../tor/tor-provider.ts'

const addressForm = /^http:\/\/(?:\[([0-9a-f:.]+)\]|([0-9a-z.-]+))(?::([0-9]{1,5}))?$/i

/** Port of a node's HTTP interface where its address names none. */
const httpPort = 80

/**
 * Where a registry node is, from its address: `http://host:port`, where the host may be an onion address. TLS is not used:
 * what travels is sealed records under keys that say nothing, and an onion address authenticates the node.
 *
 * Throws `config-invalid` for anything else.
 */
export function registryNodeTarget(address: string): TorTarget {
  const match = addressForm.exec(address)
  const host = (match?.[1] ?? match?.[2])?.toLowerCase()
  const port = match?.[3] === undefined ? httpPort : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535) throw invalid()
  if (!host.endsWith('.onion')) return { kind: 'host', host, port }
  const publicKey = onionPublicKey(host)
  if (!publicKey) throw invalid()
  return { kind: 'onion', publicKey, port }
}

function invalid(): HushlampError {
  return new HushlampError(
    'config-invalid',
    'A registry node is given as http://HOST:PORT, without a path.'
  )
}
