import { isIPv4, isIPv6 } from 'node:net'

import { HushlampError, concat, utf8 } from '@hushlamp/shared'

import { onionHost, onionPublicKey } from './onion-address.ts'
import type { TorTarget } from './tor-provider.ts'

/** A destination that has been checked. */
export interface SocksDestination {
  /** A name in lower case or an IP address without brackets. */
  readonly host: string
  readonly port: number
  /** ATYP, DST.ADDR and DST.PORT (RFC 1928 §4). */
  readonly bytes: Uint8Array
}

/**
 * Checks a target and puts it into the form of SOCKS5. Names, those of onion services too, go as names, so that nobody on
 * this side looks them up; IP addresses go as what they are.
 *
 * Errors: `tor-address` for keys, hosts and ports that cannot be.
 */
export function socksDestination(target: TorTarget): SocksDestination {
  const { port } = target
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new HushlampError('tor-address')
  const host = target.kind === 'onion' ? onionName(target.publicKey) : hostName(target.host)
  return { host, port, bytes: concat(addressBytes(host), Uint8Array.of(port >> 8, port & 255)) }
}

function onionName(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new HushlampError('tor-address')
  return onionHost(publicKey)
}

function hostName(text: string): string {
  const host = text.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (isIPv4(host) || (isIPv6(host) && !host.includes('%'))) return host
  const isName = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/.test(host) && host.length <= 253
  if (!isName || text.startsWith('[')) throw new HushlampError('tor-address')
  if (host.endsWith('.onion') && onionPublicKey(host) === undefined) {
    throw new HushlampError('tor-address')
  }
  return host
}

function addressBytes(host: string): Uint8Array {
  if (isIPv4(host)) return concat(Uint8Array.of(1), ipv4Bytes(host))
  if (isIPv6(host)) return concat(Uint8Array.of(4), ipv6Bytes(host))
  const name = utf8(host)
  return concat(Uint8Array.of(3, name.length), name)
}

function ipv4Bytes(host: string): Uint8Array {
  return Uint8Array.from(host.split('.'), Number)
}

/** RFC 4291 §2.2, all three forms; the text has been checked before. */
function ipv6Bytes(host: string): Uint8Array {
  const [before = '', after] = host.split('::')
  const head = groups(before)
  const tail = after === undefined ? [] : groups(after)
  const gap = Array.from({ length: 16 - head.length - tail.length }, () => 0)
  return Uint8Array.from([...head, ...gap, ...tail])
}

function groups(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (group.includes('.')) return [...ipv4Bytes(group)]
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}
