import { identityBytes, lengthPrefixed, safetyNumber, sha256 } from '@hushlamp/shared'

import { expects } from './cases.ts'
import type { VectorFile } from './cases.ts'
import { alice, bob, carol } from './inputs.ts'

/** `safety-number.json`: what two people compare, with the digest of each. */
export function safetyNumberFile(): VectorFile {
  const pairs = [
    [alice, bob],
    [bob, carol],
    [carol, alice]
  ] as const
  return {
    safetyNumber: pairs.map(([first, second]) => {
      const ids = [first, second].map(identityBytes)
      const [firstId = new Uint8Array(0), secondId = new Uint8Array(0)] = ids
      const digests = ids.map((id) => sha256(lengthPrefixed('hushlamp/v1/safety-number', id)))
      const { groups, code } = safetyNumber(first, second)
      return expects({ firstId, secondId }, { digests, groups, code })
    })
  }
}
