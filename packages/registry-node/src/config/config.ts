import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { HushlampError, isNodeAddress, maxConfigurableValueBytes } from '@hushlamp/shared'
import { multiaddr } from '@multiformats/multiaddr'

import { logLevels } from '../log.ts'
import type { LogLevel } from '../log.ts'
import { isLoopback } from '../loopback.ts'
import { defaultSettings, mergeSettings } from './settings.ts'
import type { NodeSettings } from './settings.ts'

/** An address to listen on. Port 0 lets the system choose one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Everything that a node is configured with. */
export interface RegistryNodeConfig {
  /** Folder of the node's key and of what it stores; made if it is missing. */
  readonly dataDirectory: string
  readonly http: ListenAddress
  /** The host is an IP address. */
  readonly overlay: ListenAddress
  /** Multiaddresses of nodes to join. Without any, the node is a network of one until others join it. */
  readonly bootstrap: readonly string[]
  /** HTTP addresses that other nodes hand out; by default the one listened on, unless that is a wildcard. */
  readonly advertise: readonly string[] | undefined
  /** Most bytes that stored rows may take on disk. */
  readonly maxBytes: number
  /** Greatest length of a value. All nodes of a network have the same. */
  readonly maxValueBytes: number
  readonly logLevel: LogLevel
  /** Where metrics are told; undefined where nowhere. */
  readonly admin: ListenAddress | undefined
  /** Whether to be an onion service: `auto` only if a Tor is found, `on` or else not to start. */
  readonly onion: OnionMode
  /** Where Tor is controlled; undefined for the usual places. */
  readonly torControl: ControlAddress | undefined
}

/** Whether a node is an onion service. */
export type OnionMode = (typeof onionModes)[number]
const onionModes = ['auto', 'on', 'off'] as const

/** A control port of Tor: a unix socket or a TCP port of this computer. */
export type ControlAddress = { readonly path: string } | ListenAddress

/** Where a node keeps its data if nothing is said: the XDG data folder. */
export function defaultDataDirectory(
  environment: Readonly<Record<string, string | undefined>>
): string {
  const data =
    environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local/share')
  return join(data, 'hushlamp-node')
}

/**
 * The configuration that settings mean.
 *
 * @throws HushlampError `config-invalid`, naming the setting
 */
export function configFrom(settings: NodeSettings): RegistryNodeConfig {
  const merged = mergeSettings(defaultSettings, settings)
  const { dataDir, bootstrap = [], advertise } = merged
  if (dataDir === undefined || dataDir === '') throw invalid('data-dir', 'a folder')
  const overlay = listenAddress('overlay', merged.overlay)
  if (isIP(overlay.host) === 0) throw invalid('overlay', 'an IP address and a port')
  for (const address of bootstrap) checkMultiaddress(address)
  for (const address of advertise ?? []) {
    if (!isNodeAddress(address)) throw invalid('advertise', 'an address like http://host:5851')
  }
  return {
    dataDirectory: dataDir,
    http: listenAddress('http', merged.http),
    overlay,
    bootstrap,
    advertise,
    maxBytes: byteCount('max-bytes', merged.maxBytes, 1024 * 1024, Number.MAX_SAFE_INTEGER),
    maxValueBytes: byteCount('max-value-bytes', merged.maxValueBytes, 1, maxConfigurableValueBytes),
    logLevel: logLevel(merged.logLevel),
    admin: merged.admin === 'off' ? undefined : loopbackAddress('admin', merged.admin),
    onion: onionMode(merged.onion),
    torControl: merged.torControl === undefined ? undefined : controlAddress(merged.torControl)
  }
}

function onionMode(text = ''): OnionMode {
  const mode = onionModes.find((name) => name === text)
  if (mode === undefined) throw invalid('onion', `one of ${onionModes.join(', ')}`)
  return mode
}

/** Metrics and commands are for this computer alone. */
function loopbackAddress(setting: string, text = ''): ListenAddress {
  const address = listenAddress(setting, text)
  if (!isLoopback(address.host)) {
    throw invalid(setting, 'off or a loopback address and a port, like 127.0.0.1:5852')
  }
  return address
}

function controlAddress(text: string): ControlAddress {
  return text.startsWith('/') ? { path: text } : loopbackAddress('tor-control', text)
}

function invalid(setting: string, wanted: string): HushlampError {
  return new HushlampError('config-invalid', `The setting ${setting} must be ${wanted}.`)
}

function listenAddress(setting: string, text = ''): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || !(port <= 65_535)) {
    throw invalid(setting, 'an address and a port, like 127.0.0.1:5851')
  }
  return { host, port }
}

function checkMultiaddress(text: string): void {
  const wanted = 'a multiaddress like /ip4/192.0.2.1/tcp/5850/p2p/12D3…'
  let protocols: string[]
  try {
    protocols = multiaddr(text)
      .getComponents()
      .map(({ name }) => name)
  } catch {
    throw invalid('bootstrap', wanted)
  }
  if (!protocols.includes('tcp')) throw invalid('bootstrap', wanted)
}

const units = new Map([
  ['', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3]
])

function byteCount(setting: string, text = '', min: number, max: number): number {
  const match = /^([0-9]{1,15})(|KiB|MiB|GiB)$/.exec(text)
  const bytes = Number(match?.[1]) * (units.get(match?.[2] ?? '') ?? NaN)
  if (!(bytes >= min && bytes <= max)) {
    throw invalid(setting, `a number of bytes from ${min} to ${max}, or one like 512MiB`)
  }
  return bytes
}

function logLevel(text = ''): LogLevel {
  const level = logLevels.find((name) => name === text)
  if (level === undefined) throw invalid('log-level', `one of ${logLevels.join(', ')}`)
  return level
}
