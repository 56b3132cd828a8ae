import { homedir } from 'node:os'
import { join } from 'node:path'

import { registryNodeTarget } from '@hushlamp/client'
import type { LocalAddress } from '@hushlamp/client'
import { HushlampError } from '@hushlamp/shared'

import type { DoorAddress } from './inward-door.ts'

/** Settings as flags and environment give them. */
export interface DaemonSettings {
  readonly dataDir?: string
  readonly xmpp?: string
  readonly torControl?: string
  readonly torSocks?: string
  readonly registry?: readonly string[]
}

/** Which Tor to use: one that runs already, or one of our own. */
export type TorChoice =
  | { readonly kind: 'existing'; readonly control: LocalAddress; readonly socks?: LocalAddress }
  | { readonly kind: 'own' }

/** Settings in the form in which the daemon uses them. */
export interface DaemonConfig {
  readonly dataDir: string
  readonly xmpp: DoorAddress
  readonly tor: TorChoice
  readonly registryNodes: readonly string[]
}

/** Where XMPP clients look for a server on this computer (RFC 6120 §14.7). */
export const defaultXmppAddress = '127.0.0.1:5222'

/** Settings from the environment: HUSHLAMP_DATA_DIR, HUSHLAMP_XMPP, HUSHLAMP_TOR_CONTROL, …; nodes separated by spaces. */
export function readEnv(env: NodeJS.ProcessEnv): DaemonSettings {
  const nodes = env['HUSHLAMP_REGISTRY']?.split(/\s+/).filter((node) => node !== '')
  return {
    ...optional('dataDir', env['HUSHLAMP_DATA_DIR']),
    ...optional('xmpp', env['HUSHLAMP_XMPP']),
    ...optional('torControl', env['HUSHLAMP_TOR_CONTROL']),
    ...optional('torSocks', env['HUSHLAMP_TOR_SOCKS']),
    ...(nodes && nodes.length > 0 ? { registry: nodes } : {})
  }
}

/** Checks settings and fills in what is not set. Throws `config-invalid`, naming the setting. */
export function configFrom(settings: DaemonSettings, env: NodeJS.ProcessEnv): DaemonConfig {
  return {
    dataDir: dataDirFrom(settings, env),
    xmpp: doorAddress('--xmpp', settings.xmpp ?? defaultXmppAddress),
    tor: torChoice(settings),
    registryNodes: registryNodes(settings.registry)
  }
}

/** The data folder: as set, else `hushlamp` in the user's XDG data folder. */
export function dataDirFrom(settings: DaemonSettings, env: NodeJS.ProcessEnv): string {
  const base = env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share')
  return settings.dataDir ?? join(base, 'hushlamp')
}

function torChoice({ torControl, torSocks }: DaemonSettings): TorChoice {
  if (torControl === undefined) {
    if (torSocks !== undefined)
      throw invalid('--tor-socks', 'needs --tor-control as well: onion services are made there.')
    return { kind: 'own' }
  }
  const control = localAddress('--tor-control', torControl)
  return torSocks === undefined
    ? { kind: 'existing', control }
    : { kind: 'existing', control, socks: localAddress('--tor-socks', torSocks) }
}

function registryNodes(nodes: readonly string[] | undefined): readonly string[] {
  if (!nodes || nodes.length === 0)
    throw invalid(
      '--registry',
      'names at least one registry node, as in --registry http://HOST:5851. There is no public registry yet.'
    )
  for (const node of nodes) registryNodeTarget(node)
  return nodes
}

function doorAddress(setting: string, text: string): DoorAddress {
  const address = localAddress(setting, text)
  if ('host' in address && address.host !== '::1' && !address.host.startsWith('127.'))
    throw invalid(setting, 'has to be an address of this computer: 127.0.0.1 or ::1.')
  return address
}

/** `PATH` of a unix socket, absolute or starting with a dot, or `HOST:PORT`. */
function localAddress(setting: string, text: string): LocalAddress {
  if (/^[/.]/.test(text)) return { path: text }
  const match = /^(?:\[([0-9a-f:]+)\]|([0-9.]+)|localhost):([0-9]{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535)
    throw invalid(setting, 'has to be IP:PORT, or the path of a unix socket.')
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port }
}

function invalid(setting: string, what: string): HushlampError {
  return new HushlampError('config-invalid', `${setting} ${what}`)
}

function optional<K extends keyof DaemonSettings>(
  name: K,
  value: string | undefined
): Partial<Record<K, string>> {
  if (value === undefined || value === '') return {}
  const settings: Partial<Record<K, string>> = {}
  settings[name] = value
  return settings
}
