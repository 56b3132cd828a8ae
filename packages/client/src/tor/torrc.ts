import { devNull } from 'node:os'

import { HushlampError } from '@hushlamp/shared'

import { quotedString } from './control-text.ts'

/** Where our own Tor listens: two unix sockets, or loopback ports of its choice with a file that names the control port. */
export type TorListeners =
  | { readonly kind: 'unix'; readonly controlPath: string; readonly socksPath: string }
  | { readonly kind: 'tcp'; readonly controlPortFile: string }

/** What the configuration of our own Tor depends on. */
export interface TorrcInit {
  /** Absolute. */
  readonly dataDirectory: string
  readonly listeners: TorListeners
  /** Lines of the caller, such as bridges. They come last. */
  readonly extra?: readonly string[]
}

/**
 * The configuration of our own Tor: client only, no listener but for us, circuits isolated by credentials, nothing
 * written that is not needed, no sleep at the start (a dormant Tor waits for us while we wait for it).
 *
 * Errors: `config-invalid` for an extra line that is not one line.
 */
export function torrcText(init: TorrcInit): string {
  const { extra = [] } = init
  if (extra.some((line) => /[\r\n\0]/.test(line))) {
    throw new HushlampError('config-invalid', 'An extra line for Tor has to be exactly one line.')
  }
  const lines = [
    `DataDirectory ${quotedString(init.dataDirectory)}`,
    ...listenerLines(init.listeners),
    'CookieAuthentication 1',
    'ClientOnly 1',
    'AvoidDiskWrites 1',
    'DormantCanceledByStartup 1',
    `GeoIPFile ${devNull}`,
    `GeoIPv6File ${devNull}`,
    'SafeLogging 1',
    'Log notice stdout',
    ...extra
  ]
  return `${lines.join('\n')}\n`
}

function listenerLines(listeners: TorListeners): readonly string[] {
  const isolation = 'IsolateSOCKSAuth ExtendedErrors'
  if (listeners.kind === 'unix') {
    return [
      `SocksPort unix:${quotedString(listeners.socksPath)} ${isolation}`,
      `ControlPort unix:${quotedString(listeners.controlPath)}`
    ]
  }
  return [
    `SocksPort 127.0.0.1:auto ${isolation}`,
    'ControlPort 127.0.0.1:auto',
    `ControlPortWriteToFile ${quotedString(listeners.controlPortFile)}`
  ]
}
