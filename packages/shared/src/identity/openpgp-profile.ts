import * as openpgp from 'openpgp'

import type { UnixSeconds } from '../ports.ts'

/** Marks the presence subkey in its binding signature. Not critical: gpg drops subkeys with unknown critical notations. */
export const presenceNotation = { name: 'presence@hushlamp', value: 'x25519-v1' } as const

/** OpenPGP.js settings, pinned here so that nothing depends on the library's mutable global ones. */
export const openpgpConfig: openpgp.Config = {
  ...openpgp.config,
  showVersion: false,
  showComment: false,
  knownNotations: [presenceNotation.name],
  v6Keys: false
}

/** OpenPGP.js takes moments as Date; this converts, it does not read a clock. */
export function openpgpDate(moment: UnixSeconds): Date {
  // oxlint-disable-next-line no-restricted-globals -- converts a given moment, reads no clock
  return new Date(moment * 1000)
}

/** The moment of one of OpenPGP.js's expiry times; undefined for never, or where there is none. */
export function secondsOf(expiry: object | number | null): UnixSeconds | undefined {
  return expiry === null || expiry === Infinity ? undefined : Math.floor(Number(expiry) / 1000)
}
