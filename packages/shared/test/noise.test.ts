import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { agreementKeyFromSecret, concat, fromHex, hex } from '@hushlamp/shared'
import type { AgreementKey } from '@hushlamp/shared'

import { mixAgreement, mixEphemeral } from '../src/link/handshake.ts'
import { NoiseSymmetricState } from '../src/link/noise-symmetric-state.ts'

type KeyName = 'si' | 'ei' | 'sr' | 'er'

interface NoiseVector {
  readonly given: {
    readonly protocol: string
    readonly prologue: string
    readonly psks: readonly string[]
    readonly secrets: Readonly<Record<KeyName, string>>
    readonly payloads: readonly string[]
  }
  readonly expected: { readonly messages: readonly string[]; readonly handshakeHash?: string }
}

const vectors: { readonly handshake: readonly NoiseVector[] } = JSON.parse(
  readFileSync(new URL('../../../vectors/noise.json', import.meta.url), 'utf8')
)

/** Keys known beforehand, and the tokens of each message as the core's handshakes go through them. */
const patterns: Readonly<Record<string, readonly [readonly KeyName[], readonly string[]]>> = {
  Noise_KKpsk0_25519_ChaChaPoly_SHA256: [
    ['si', 'sr'],
    ['psk e es ss', 'e ee se']
  ],
  'Noise_XKpsk0+psk3_25519_ChaChaPoly_SHA256': [['sr'], ['psk e es', 'e ee', 's se psk']]
}

function bytes(digits: string | undefined): Uint8Array {
  const found = fromHex(digits ?? '')
  if (!found) throw new TypeError('not hexadecimal')
  return found
}

/** The keys of a token like `es`, seen from the initiator. */
function keysOf(token: string): readonly [KeyName, KeyName] {
  return [token.startsWith('e') ? 'ei' : 'si', token.endsWith('e') ? 'er' : 'sr']
}

describe('The symmetric state of Noise and its tokens', () => {
  test.each(vectors.handshake.map((vector) => [vector.given.protocol, vector] as const))(
    'give the messages that another implementation gives for %s',
    (protocol, { given, expected }) => {
      const [known, messages] = patterns[protocol] ?? [[], []]
      const keys = (name: KeyName): AgreementKey =>
        agreementKeyFromSecret(bytes(given.secrets[name]))
      const psks = [...given.psks]
      const state = new NoiseSymmetricState(protocol)
      state.mixHash(bytes(given.prologue))
      for (const name of known) state.mixHash(keys(name).publicKey)
      const made = messages.map((tokens, index) => {
        const [ephemeral, own] = index % 2 === 0 ? (['ei', 'si'] as const) : (['er', 'sr'] as const)
        let message: Uint8Array = new Uint8Array(0)
        for (const token of tokens.split(' ')) {
          if (token === 'psk') state.mixKeyAndHash(bytes(psks.shift()))
          else if (token === 'e') {
            mixEphemeral(state, keys(ephemeral).publicKey)
            message = concat(message, keys(ephemeral).publicKey)
          } else if (token === 's')
            message = concat(message, state.encryptAndHash(keys(own).publicKey))
          else {
            const [ofInitiator, ofResponder] = keysOf(token)
            expect(mixAgreement(state, keys(ofInitiator), keys(ofResponder).publicKey)).toBe(true)
          }
        }
        return hex(concat(message, state.encryptAndHash(bytes(given.payloads[index]))))
      })
      expect(made).toEqual(expected.messages)
      if (expected.handshakeHash !== undefined) expect(hex(state.hash)).toBe(expected.handshakeHash)
    }
  )
})
