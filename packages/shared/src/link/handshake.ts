import { concat, lengthPrefixed, uint64 } from '../crypto/bytes.ts'
import { equalConstantTime, hmac } from '../crypto/hash.ts'
import { agreementKeyFromSecret } from '../crypto/x25519.ts'
import type { AgreementKey } from '../crypto/x25519.ts'
import { identityBytes } from '../identity/identity.ts'
import type { Identity, PublicIdentity } from '../identity/identity.ts'
import type { Random } from '../ports.ts'
import type { EpochKeys } from '../presence/pair-keys.ts'
import { NoiseSymmetricState } from './noise-symmetric-state.ts'

const protocolName = 'Noise_KKpsk0_25519_ChaChaPoly_SHA256'
const prologueLabel = 'hushlamp/v1/link'
const markBytes = 16
const publicKeyBytes = 32
const emptySealBytes = 16
const empty = new Uint8Array(0)

/** tag(16) ‖ ephemeral(32) ‖ AEAD(∅)(16). */
export const handshakeMessage1Bytes: number = markBytes + publicKeyBytes + emptySealBytes

/** ephemeral(32) ‖ AEAD(∅)(16). */
export const handshakeMessage2Bytes: number = publicKeyBytes + emptySealBytes

/** What both sides must agree on beforehand; it all goes into the prologue or the keys. */
export interface HandshakeContext {
  readonly own: Identity
  readonly peer: PublicIdentity
  /** Keys of the direction responder → initiator: who can look the responder up can dial. */
  readonly keys: EpochKeys
  /** Public key of the onion service that was dialled, 32 bytes. */
  readonly onionKey: Uint8Array
}

/** Keys of an established link, 32 bytes each. */
export interface LinkKeys {
  readonly send: Uint8Array
  readonly receive: Uint8Array
  /** Noise's handshake hash: the same on both sides, unique to this link. */
  readonly handshakeHash: Uint8Array
}

/** The initiator's side after message 1. */
export interface InitiatedHandshake {
  /** {@link handshakeMessage1Bytes} bytes to send, without any data of the user. */
  readonly message1: Uint8Array
  /** Takes message 2; undefined where it does not come from the peer. */
  finish(message2: Uint8Array): LinkKeys | undefined
}

/** The responder's answer. */
export interface AnsweredHandshake {
  /** {@link handshakeMessage2Bytes} bytes to send. */
  readonly message2: Uint8Array
  /** The initiator counts as present only after a first frame under these keys. */
  readonly linkKeys: LinkKeys
}

/**
 * Begins Noise KKpsk0 with a mark in front by which the responder recognises a contact before any curve operation:
 * HMAC(tagKey, ephemeral), first 16 bytes. Messages (7) and (8) of the paper, repaired. Undefined where the peer's key
 * is not usable.
 */
export function initiateHandshake(
  context: HandshakeContext,
  random: Random
): InitiatedHandshake | undefined {
  const { own, peer, keys } = context
  const state = startState(own, peer, context)
  const ephemeral = agreementKeyFromSecret(random.bytes(32))
  state.mixKeyAndHash(keys.handshakePsk)
  mixEphemeral(state, ephemeral.publicKey)
  if (!mixAgreement(state, ephemeral, peer.presenceKey)) return undefined
  if (!mixAgreement(state, own.agreement, peer.presenceKey)) return undefined
  const message1 = concat(
    mark(keys, ephemeral.publicKey),
    ephemeral.publicKey,
    state.encryptAndHash(empty)
  )
  const finish = (message2: Uint8Array): LinkKeys | undefined => {
    if (message2.length !== handshakeMessage2Bytes) return undefined
    const remote = message2.subarray(0, publicKeyBytes)
    mixEphemeral(state, remote)
    if (!mixAgreement(state, ephemeral, remote)) return undefined
    if (!mixAgreement(state, own.agreement, remote)) return undefined
    if (!state.decryptAndHash(message2.subarray(publicKeyBytes))) return undefined
    const [send, receive] = state.split()
    return { send, receive, handshakeHash: state.hash }
  }
  return { message1, finish }
}

/**
 * Finds whose message 1 this is among `candidates` (every contact, epochs e−1, e and e+1). Goes through all of them, so
 * that the time does not tell which one it was; undefined for a stranger.
 */
export function recognise<C extends { readonly keys: Pick<EpochKeys, 'handshakeTagKey'> }>(
  message1: Uint8Array,
  candidates: Iterable<C>
): C | undefined {
  if (message1.length !== handshakeMessage1Bytes) return undefined
  const given = message1.subarray(0, markBytes)
  const ephemeral = message1.subarray(markBytes, markBytes + publicKeyBytes)
  let found: C | undefined
  for (const candidate of candidates) {
    if (equalConstantTime(mark(candidate.keys, ephemeral), given)) found = candidate
  }
  return found
}

/** Answers message 1 of a recognised contact; undefined where it is not valid. */
export function answerHandshake(
  message1: Uint8Array,
  context: HandshakeContext,
  random: Random
): AnsweredHandshake | undefined {
  if (message1.length !== handshakeMessage1Bytes) return undefined
  const { own, peer, keys } = context
  const remote = message1.subarray(markBytes, markBytes + publicKeyBytes)
  const state = startState(peer, own, context)
  state.mixKeyAndHash(keys.handshakePsk)
  mixEphemeral(state, remote)
  if (!mixAgreement(state, own.agreement, remote)) return undefined
  if (!mixAgreement(state, own.agreement, peer.presenceKey)) return undefined
  if (!state.decryptAndHash(message1.subarray(markBytes + publicKeyBytes))) return undefined
  const ephemeral = agreementKeyFromSecret(random.bytes(32))
  mixEphemeral(state, ephemeral.publicKey)
  if (!mixAgreement(state, ephemeral, remote)) return undefined
  if (!mixAgreement(state, ephemeral, peer.presenceKey)) return undefined
  const message2 = concat(ephemeral.publicKey, state.encryptAndHash(empty))
  const [receive, send] = state.split()
  return { message2, linkKeys: { send, receive, handshakeHash: state.hash } }
}

/** Prologue and pre-messages `-> s`, `<- s` of KK. */
function startState(
  initiator: PublicIdentity,
  responder: PublicIdentity,
  { keys, onionKey }: HandshakeContext
): NoiseSymmetricState {
  const state = new NoiseSymmetricState(protocolName)
  state.mixHash(
    lengthPrefixed(
      prologueLabel,
      identityBytes(initiator),
      identityBytes(responder),
      uint64(keys.epoch),
      onionKey
    )
  )
  state.mixHash(initiator.presenceKey)
  state.mixHash(responder.presenceKey)
  return state
}

/** Token `e`; with a pre-shared key the ephemeral is mixed into the key as well (Noise §9.2). */
export function mixEphemeral(state: NoiseSymmetricState, publicKey: Uint8Array): void {
  state.mixHash(publicKey)
  state.mixKey(publicKey)
}

/** A Diffie-Hellman token; false where the peer's key is not usable. */
export function mixAgreement(
  state: NoiseSymmetricState,
  own: AgreementKey,
  peer: Uint8Array
): boolean {
  const secret = own.agree(peer)
  if (secret) state.mixKey(secret)
  return secret !== undefined
}

/** What stands in front of message 1: HMAC(tagKey, ephemeral), first 16 bytes. */
export function mark(keys: Pick<EpochKeys, 'handshakeTagKey'>, ephemeral: Uint8Array): Uint8Array {
  return hmac(keys.handshakeTagKey, ephemeral).subarray(0, markBytes)
}
