import { HushlampError } from '@hushlamp/shared'

import type { RegistryNodeConfig } from '../config/config.ts'
import { readRunningFile } from '../data-folder/running-file.ts'
import { askNodeForText } from './local-request.ts'

/**
 * What the node on a data folder says of itself (`GET /v1/status`), and whether it is ready.
 *
 * @throws HushlampError `registry-unreachable` if none runs or it does not answer
 */
export async function statusOf(
  config: RegistryNodeConfig
): Promise<{ readonly http: string; readonly ready: boolean; readonly status: unknown }> {
  const running = await readRunningFile(config.dataDirectory)
  if (running === undefined) {
    throw new HushlampError(
      'registry-unreachable',
      'No node runs on this data folder. Start one with hushlamp-node start.'
    )
  }
  const { http } = running
  const ready = await askNodeForText(`${http}/readyz`)
  const { text } = await askNodeForText(`${http}/v1/status`)
  try {
    const status: unknown = JSON.parse(text)
    return { http, ready: ready.status === 200, status }
  } catch (cause) {
    throw new HushlampError('registry-malformed', undefined, { cause })
  }
}

/** The members of a status, one a line, nested ones named by their path. */
export function statusLines(status: unknown, path = ''): string[] {
  if (typeof status !== 'object' || status === null) return [`${path.padEnd(28)}${String(status)}`]
  return Object.entries(status).flatMap(([name, value]) =>
    statusLines(value, path === '' ? name : `${path}.${name}`)
  )
}
