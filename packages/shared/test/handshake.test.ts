import { describe, expect, test } from 'vitest'

import {
  answerHandshake,
  initiateHandshake,
  isHushlampError,
  HushlampError,
  recognise,
  utf8
} from '@hushlamp/shared'
import type { HandshakeContext, Random } from '@hushlamp/shared'
import { seededRandom, testSecret } from '@hushlamp/shared/test-inputs'

import { NoiseSymmetricState } from '../src/link/noise-symmetric-state.ts'
import { alice, bob, keysFor, onionKey } from './link-pair.ts'

const keys = keysFor(bob, alice)
const initiator: HandshakeContext = { own: alice, peer: bob, keys, onionKey }
const responder: HandshakeContext = { own: bob, peer: alice, keys, onionKey }
const random = seededRandom('handshake')
const unusable = new Uint8Array(32)

function begun(): NonNullable<ReturnType<typeof initiateHandshake>> {
  const started = initiateHandshake(initiator, random)
  if (!started) throw new Error('unusable test key')
  return started
}

/** An identity whose long-term key agrees with nobody after `times` agreements. */
function tiring(times: number): HandshakeContext['own'] {
  let left = times
  const agree = (peer: Uint8Array): Uint8Array | undefined =>
    left-- > 0 ? alice.agreement.agree(peer) : undefined
  return { ...alice, agreement: { ...alice.agreement, agree } }
}

describe('A handshake with unusable keys', () => {
  test('is not begun with a peer whose key is of small order', () => {
    const peer = { ...bob, presenceKey: unusable }
    expect(initiateHandshake({ ...initiator, peer }, random)).toBeUndefined()
    expect(initiateHandshake({ ...initiator, own: tiring(0) }, random)).toBeUndefined()
  })

  test('is not answered when the ephemeral or the peer’s key is of small order', () => {
    const { message1 } = begun()
    const small = new Uint8Array(message1)
    small.set(unusable, 16)
    expect(answerHandshake(small, responder, random)).toBeUndefined()
    const peer = { ...alice, presenceKey: unusable }
    expect(answerHandshake(message1, { ...responder, peer }, random)).toBeUndefined()
  })

  test('is not finished when the responder’s ephemeral is of small order', () => {
    expect(begun().finish(new Uint8Array(48))).toBeUndefined()
    const tired = initiateHandshake({ ...initiator, own: tiring(1) }, random)
    const answer = answerHandshake(tired?.message1 ?? unusable, responder, random)
    expect(answer).toBeDefined()
    expect(tired?.finish(answer?.message2 ?? unusable)).toBeUndefined()
  })
})

describe('Handshake messages of another length', () => {
  test('are recognised, answered and finished by nobody', () => {
    const { message1, finish } = begun()
    for (const length of [0, 16, 63, 65]) {
      const message = new Uint8Array(length)
      message.set(message1.subarray(0, length))
      expect(recognise(message, [{ keys }])).toBeUndefined()
      expect(answerHandshake(message, responder, random)).toBeUndefined()
      expect(finish(message)).toBeUndefined()
    }
  })
})

describe('The symmetric state of Noise', () => {
  test('starts from a short protocol name itself, and leaves texts plain before there is a key', () => {
    const state = new NoiseSymmetricState('Noise_short')
    expect(state.hash).toEqual(new Uint8Array([...utf8('Noise_short'), ...new Uint8Array(21)]))
    const other = new NoiseSymmetricState('Noise_short')
    expect(state.encryptAndHash(utf8('text'))).toEqual(utf8('text'))
    expect(other.decryptAndHash(utf8('text'))).toEqual(utf8('text'))
    expect(other.hash).toEqual(state.hash)
    expect(state.split()).toEqual(other.split())
  })

  test('agrees on both sides after the same keys, and only then', () => {
    const [a, b, c] = ['same', 'same', 'other'].map((label) => {
      const state = new NoiseSymmetricState('Noise_KKpsk0_25519_ChaChaPoly_SHA256')
      state.mixKeyAndHash(testSecret(label))
      state.mixKey(testSecret('more'))
      return state
    })
    const sealed = a?.encryptAndHash(utf8('text')) ?? unusable
    expect(b?.decryptAndHash(sealed)).toEqual(utf8('text'))
    expect(c?.decryptAndHash(sealed)).toBeUndefined()
    expect(a?.split()).toEqual(b?.split())
  })
})

describe('Randomness', () => {
  test('is drawn once by each side, 32 bytes of it', () => {
    const drawn: number[] = []
    const counting: Random = {
      bytes(length) {
        drawn.push(length)
        return random.bytes(length)
      }
    }
    const started = initiateHandshake(initiator, counting)
    answerHandshake(started?.message1 ?? unusable, responder, counting)
    expect(drawn).toEqual([32, 32])
  })
})

describe('Errors', () => {
  test('are told apart by their code', () => {
    const error = new HushlampError('aborted')
    expect(isHushlampError(error)).toBe(true)
    expect(isHushlampError(error, 'aborted')).toBe(true)
    expect(isHushlampError(error, 'link-closed')).toBe(false)
    expect(isHushlampError(new Error('aborted'))).toBe(false)
  })
})
