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

/** Goes through a handshake with the secrets of both sides, as its tokens say. */
function handshake({ protocol, prologue, psks, secrets, payloads }: NoiseVector['given']): object {
  const [known, patternsOfMessages] = patterns[protocol] ?? [[], []]
  const keys = (name: KeyName): AgreementKey => agreementKeyFromSecret(bytes(secrets[name]))
  const remaining = [...psks]
  const state = new NoiseSymmetricState(protocol)
  state.mixHash(bytes(prologue))
  for (const name of known) state.mixHash(keys(name).publicKey)

  const tokenOf = (token: string, ephemeral: AgreementKey, own: AgreementKey): Uint8Array => {
    if (token === 's') return state.encryptAndHash(own.publicKey)
    if (token === 'e') {
      mixEphemeral(state, ephemeral.publicKey)
      return ephemeral.publicKey
    }
    if (token === 'psk') state.mixKeyAndHash(bytes(remaining.shift()))
    else {
      const [ofInitiator, ofResponder] = keysOf(token)
      if (!mixAgreement(state, keys(ofInitiator), keys(ofResponder).publicKey))
        throw new Error('an unusable key')
    }
    return new Uint8Array(0)
  }

  const messages = patternsOfMessages.map((tokens, index) => {
    const isInitiator = index % 2 === 0
    const ephemeral = keys(isInitiator ? 'ei' : 'er')
    const own = keys(isInitiator ? 'si' : 'sr')
    const parts = tokens.split(' ').map((token) => tokenOf(token, ephemeral, own))
    return hex(concat(...parts, state.encryptAndHash(bytes(payloads[index]))))
  })
  return { messages, handshakeHash: hex(state.hash) }
}

describe('The symmetric state of Noise and its tokens', () => {
  test.each(vectors.handshake.map((vector) => [vector.given.protocol, vector] as const))(
    'give the messages that another implementation gives for %s',
    (_protocol, { given, expected }) => {
      expect(handshake(given)).toMatchObject(expected)
    }
  )
})
