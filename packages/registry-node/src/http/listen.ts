import { isIPv6 } from 'node:net'

import { HushlampError } from '@hushlamp/shared'
import type { FastifyInstance } from 'fastify'

import type { ListenAddress } from '../config/config.ts'
import { errorCode } from '../log.ts'

/**
 * Listens on the address of a setting.
 *
 * @throws HushlampError `address-in-use` or `config-invalid`, naming the setting
 */
export async function listen(
  server: FastifyInstance,
  { host, port }: ListenAddress,
  setting: 'http' | 'admin'
): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    const inUse = errorCode(cause) === 'EADDRINUSE'
    throw new HushlampError(
      inUse ? 'address-in-use' : 'config-invalid',
      inUse
        ? `The port ${port} of the setting ${setting} is in use by another program.`
        : `It is not possible to listen on the setting ${setting}.`,
      { cause }
    )
  }
}

/** Where a server that listens is reached from this computer. */
export function addressOf(server: FastifyInstance): ListenAddress {
  const bound = server.server.address()
  if (bound === null || typeof bound === 'string') throw new HushlampError('config-invalid')
  const { address, port } = bound
  const local = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1']
  ])
  return { host: local.get(address) ?? address, port }
}

/** The `http:` address of a host and a port. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
}
