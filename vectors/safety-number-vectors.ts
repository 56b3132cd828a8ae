import { hex, identityBytes, lengthPrefixed, safetyNumber, sha256 } from '@hushlamp/shared'
import { testIdentity } from '@hushlamp/shared/test-inputs'

const label = 'hushlamp/v1/safety-number'

/** `safety-number.json`: what two people compare, with the digest of each. */
export function safetyNumberFile(): object {
  const pairs: readonly (readonly string[])[] = [
    ['alice', 'bob'],
    ['bob', 'carol'],
    ['carol', 'alice']
  ]
  return {
    label,
    codeLabel: 'hushlamp/v1/safety-code',
    cases: pairs.map(([a = '', b = '']) => {
      const { groups, code } = safetyNumber(testIdentity(a), testIdentity(b))
      const digests = [a, b].map((name) =>
        hex(sha256(lengthPrefixed(label, identityBytes(testIdentity(name)))))
      )
      return { between: [a, b], digests, groups, code: hex(code) }
    })
  }
}
