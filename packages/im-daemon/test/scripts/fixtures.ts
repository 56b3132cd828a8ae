import type { Random } from '@hushlamp/shared'

import { deriveCredentials } from '../../src/xmpp/sasl/credentials.ts'
import type { XmppCredentials } from '../../src/xmpp/xmpp-account.ts'

/** Bytes that count up: never twice the same, always the same in each run. */
export function countingRandom(): Random {
  let next = 0
  return {
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      new DataView(bytes.buffer).setUint32(0, ++next)
      return bytes
    }
  }
}

/** Of the password `secret`. */
export const testCredentials: XmppCredentials = deriveCredentials('secret', countingRandom())
