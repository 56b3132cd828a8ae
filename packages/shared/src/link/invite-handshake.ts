import { concat, lengthPrefixed, uint32, uint64 } from '../crypto/bytes.ts'
import { agreementKeyFromSecret } from '../crypto/x25519.ts'
import type { AgreementKey } from '../crypto/x25519.ts'
import { identityBytes } from '../identity/identity.ts'
import type { PublicIdentity } from '../identity/identity.ts'
import type { Random, UnixSeconds } from '../ports.ts'
import type { EpochKeys } from '../presence/pair-keys.ts'
import {
  handshakeMessage1Bytes,
  handshakeMessage2Bytes,
  mark,
  mixAgreement,
  mixEphemeral
} from './handshake.ts'
import type { LinkKeys } from './handshake.ts'
import { NoiseSymmetricState } from './noise-symmetric-state.ts'

const protocolName = 'Noise_XKpsk0_25519_ChaChaPoly_SHA256'
const prologueLabel = 'hushlamp/v1/invite-link'
const markBytes = 16
const publicKeyBytes = 32
const tagBytes = 16
const empty = new Uint8Array(0)

/** AEAD(static key 32)(48) ‖ AEAD(∅)(16). Messages 1 and 2 have the form and length of an ordinary link's. */
export const inviteMessage3Bytes: number = publicKeyBytes + tagBytes + tagBytes

/** What both sides know beforehand; it all goes into the prologue or the keys. */
export interface InviteHandshakeContext {
  /** The inviter as the invite names him: the responder. */
  readonly inviter: PublicIdentity
  /** Expiry that the invite says. */
  readonly expires: UnixSeconds
  /** The invite's keys in one epoch. */
  readonly keys: EpochKeys
  /** Public key of the invite's onion service that was dialled, 32 bytes. */
  readonly onionKey: Uint8Array
}

/** The guest's side after message 1. */
export interface InitiatedInvite {
  /** As many bytes as message 1 of an ordinary link, without any data of the user. */
  readonly message1: Uint8Array
  /**
   * Takes message 2; undefined where it does not come from the inviter. Message 3 tells the guest's key: it goes out only
   * after the pending contact is stored.
   */
  finish(
    message2: Uint8Array
  ): { readonly message3: Uint8Array; readonly linkKeys: LinkKeys } | undefined
}

/** The inviter's side after message 2. */
export interface AnsweredInvite {
  readonly message2: Uint8Array
  /** Takes message 3; undefined where it does not come from whoever sent message 1. */
  finish(
    message3: Uint8Array
  ): { readonly guestKey: Uint8Array; readonly linkKeys: LinkKeys } | undefined
}

/**
 * Begins Noise XKpsk0 (revision 34, §7.5 and §9) towards the inviter: the guest knows the inviter's static key from the
 * invite and shows the own one, its presence key, only in message 3, to the inviter alone. The pre-shared key and the mark
 * in front of message 1 come from the invite's epoch keys, so that strangers are dropped before any curve operation.
 * Undefined where the inviter's key is not usable.
 */
export function initiateInvite(
  context: InviteHandshakeContext,
  own: AgreementKey,
  random: Random
): InitiatedInvite | undefined {
  const state = startState(context)
  const ephemeral = agreementKeyFromSecret(random.bytes(32))
  mixEphemeral(state, ephemeral.publicKey)
  if (!mixAgreement(state, ephemeral, context.inviter.presenceKey)) return undefined
  const message1 = concat(
    mark(context.keys, ephemeral.publicKey),
    ephemeral.publicKey,
    state.encryptAndHash(empty)
  )
  const finish: InitiatedInvite['finish'] = (message2) => {
    if (message2.length !== handshakeMessage2Bytes) return undefined
    const remote = message2.subarray(0, publicKeyBytes)
    mixEphemeral(state, remote)
    if (!mixAgreement(state, ephemeral, remote)) return undefined
    if (!state.decryptAndHash(message2.subarray(publicKeyBytes))) return undefined
    const sealedKey = state.encryptAndHash(own.publicKey)
    if (!mixAgreement(state, own, remote)) return undefined
    const message3 = concat(sealedKey, state.encryptAndHash(empty))
    const [send, receive] = state.split()
    return { message3, linkKeys: { send, receive, handshakeHash: state.hash } }
  }
  return { message1, finish }
}

/** Answers message 1 of whoever holds the invite; undefined where it is not valid. */
export function answerInvite(
  message1: Uint8Array,
  context: InviteHandshakeContext,
  own: AgreementKey,
  random: Random
): AnsweredInvite | undefined {
  if (message1.length !== handshakeMessage1Bytes) return undefined
  const remote = message1.subarray(markBytes, markBytes + publicKeyBytes)
  const state = startState(context)
  mixEphemeral(state, remote)
  if (!mixAgreement(state, own, remote)) return undefined
  if (!state.decryptAndHash(message1.subarray(markBytes + publicKeyBytes))) return undefined
  const ephemeral = agreementKeyFromSecret(random.bytes(32))
  mixEphemeral(state, ephemeral.publicKey)
  if (!mixAgreement(state, ephemeral, remote)) return undefined
  const message2 = concat(ephemeral.publicKey, state.encryptAndHash(empty))
  const finish: AnsweredInvite['finish'] = (message3) => {
    if (message3.length !== inviteMessage3Bytes) return undefined
    const guestKey = state.decryptAndHash(message3.subarray(0, publicKeyBytes + tagBytes))
    if (!guestKey || !mixAgreement(state, ephemeral, guestKey)) return undefined
    if (!state.decryptAndHash(message3.subarray(publicKeyBytes + tagBytes))) return undefined
    const [receive, send] = state.split()
    return { guestKey, linkKeys: { send, receive, handshakeHash: state.hash } }
  }
  return { message2, finish }
}

/**
 * Prologue lp("hushlamp/v1/invite-link", ID(inviter), epoch u64, onion key dialled, expiry u32), pre-message `<- s` and
 * the token `psk`, with which both sides start.
 */
function startState({
  inviter,
  expires,
  keys,
  onionKey
}: InviteHandshakeContext): NoiseSymmetricState {
  const state = new NoiseSymmetricState(protocolName)
  state.mixHash(
    lengthPrefixed(
      prologueLabel,
      identityBytes(inviter),
      uint64(keys.epoch),
      onionKey,
      uint32(expires)
    )
  )
  state.mixHash(inviter.presenceKey)
  state.mixKeyAndHash(keys.handshakePsk)
  return state
}
