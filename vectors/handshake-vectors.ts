import {
  agreementKeyFromSecret,
  answerHandshake,
  answerInvite,
  concat,
  hmac,
  identityBytes,
  initiateHandshake,
  initiateInvite,
  lengthPrefixed,
  recognise
} from '@hushlamp/shared'
import type { InviteHandshakeContext } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { changed, expects, mustEqual, mustExist, mustNotExist, refuses, uint } from './cases.ts'
import type { Case, Values, VectorFile } from './cases.ts'
import {
  alice,
  bob,
  bobToAlice,
  fixedRandom,
  inviteOf,
  inviteOnionKey,
  onionKey
} from './inputs.ts'

const none = new Uint8Array(0)
const zero = new Uint8Array(32)

// ---- links --------------------------------------------------------------------------------------------------------

const linkLabel = 'hushlamp/v1/link'
const initiatorEphemeral = testSecret('alice/ephemeral')
const responderEphemeral = testSecret('bob/ephemeral')

/** `handshake.json`: Alice dials Bob with Noise KKpsk0. */
export function handshakeFile(): VectorFile {
  const keys = bobToAlice()
  const initiator = { own: alice, peer: bob, keys, onionKey }
  const responder = { own: bob, peer: alice, keys, onionKey }
  const initiated = mustExist(initiateHandshake(initiator, fixedRandom('alice/ephemeral')))
  const { message1 } = initiated
  const answered = mustExist(answerHandshake(message1, responder, fixedRandom('bob/ephemeral')))
  const { message2 } = answered
  const linkKeys = mustExist(initiated.finish(message2))
  mustEqual(answered.linkKeys.receive, linkKeys.send)
  const ephemeralA = agreementKeyFromSecret(initiatorEphemeral)
  const ephemeralB = agreementKeyFromSecret(responderEphemeral)
  return {
    prologue: [
      expects(
        {
          label: linkLabel,
          identities: [identityBytes(alice), identityBytes(bob)],
          epoch: keys.epoch,
          onionKey
        },
        { prologue: linkPrologue(onionKey) }
      )
    ],
    handshake: [
      expects(linkInputs(linkPrologue(onionKey)), {
        publics: {
          si: alice.presenceKey,
          ei: ephemeralA.publicKey,
          sr: bob.presenceKey,
          er: ephemeralB.publicKey
        },
        agreements: {
          es: mustExist(ephemeralA.agree(bob.presenceKey)),
          ss: mustExist(alice.agreement.agree(bob.presenceKey)),
          ee: mustExist(ephemeralA.agree(ephemeralB.publicKey)),
          se: mustExist(ephemeralB.agree(alice.presenceKey))
        },
        mark: message1.subarray(0, 16),
        messages: [message1, message2],
        handshakeHash: linkKeys.handshakeHash,
        initiatorSends: linkKeys.send,
        responderSends: linkKeys.receive
      }),
      ...rejectedMessage1(message1),
      ...rejectedMessage2(message1, message2)
    ]
  }
}

function linkPrologue(dialled: Uint8Array): Uint8Array {
  return lengthPrefixed(
    linkLabel,
    identityBytes(alice),
    identityBytes(bob),
    uint(8, bobToAlice().epoch),
    dialled
  )
}

function linkInputs(prologue: Uint8Array): Values {
  const { handshakePsk, handshakeTagKey } = bobToAlice()
  return {
    protocol: 'Noise_KKpsk0_25519_ChaChaPoly_SHA256',
    prologue,
    psks: [handshakePsk],
    secrets: {
      si: testSecret('alice/agreement'),
      ei: initiatorEphemeral,
      sr: testSecret('bob/agreement'),
      er: responderEphemeral
    },
    payloads: [none, none],
    tagKey: handshakeTagKey
  }
}

function rejectedMessage1(good: Uint8Array): readonly Case[] {
  const keys = bobToAlice()
  const mark = hmac(keys.handshakeTagKey, zero).subarray(0, 16)
  const otherOnion = changed(onionKey, { at: 0, xor: 1 })
  const cases: readonly (readonly [string, Uint8Array, Uint8Array?])[] = [
    ['length', changed(good, { keep: 63 })],
    ['mark', changed(good, { at: 0, xor: 1 })],
    ['mark', changed(good, { at: 16, xor: 1 })],
    ['seal', changed(good, { at: 63, xor: 1 })],
    ['key', concat(mark, zero, good.subarray(48))],
    ['seal', good, otherOnion]
  ]
  return cases.map(([reason, message1, dialled = onionKey]) => {
    const context = { own: bob, peer: alice, keys, onionKey: dialled }
    const found = recognise(message1, [{ keys }])
    mustNotExist(found && answerHandshake(message1, context, fixedRandom('x')))
    return refuses(reason, { ...linkInputs(linkPrologue(dialled)), received: [message1] })
  })
}

function rejectedMessage2(message1: Uint8Array, good: Uint8Array): readonly Case[] {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['length', changed(good, { append: '00' })],
    ['seal', changed(good, { at: 0, xor: 1 })],
    ['seal', changed(good, { at: 47, xor: 1 })],
    ['key', concat(zero, good.subarray(32))]
  ]
  const context = { own: alice, peer: bob, keys: bobToAlice(), onionKey }
  return cases.map(([reason, message2]) => {
    mustNotExist(initiateHandshake(context, fixedRandom('alice/ephemeral'))?.finish(message2))
    return refuses(reason, {
      ...linkInputs(linkPrologue(onionKey)),
      received: [message1, message2]
    })
  })
}

// ---- invites ------------------------------------------------------------------------------------------------------

const inviteLabel = 'hushlamp/v1/invite-link'

/** `invite-handshake.json`: Bob uses Alice's invite with Noise XKpsk0. */
export function inviteHandshakeFile(): VectorFile {
  const { invite, epochKeys: keys } = inviteOf(alice)
  const { inviter, expires } = invite
  const context: InviteHandshakeContext = { inviter, expires, keys, onionKey: inviteOnionKey }
  const initiated = mustExist(
    initiateInvite(context, bob.agreement, fixedRandom('bob/invite ephemeral'))
  )
  const { message1 } = initiated
  const answered = mustExist(
    answerInvite(message1, context, alice.agreement, fixedRandom('alice/invite ephemeral'))
  )
  const { message2 } = answered
  const { message3, linkKeys } = mustExist(initiated.finish(message2))
  mustEqual(mustExist(answered.finish(message3)).guestKey, bob.presenceKey)
  const prologue = lengthPrefixed(
    inviteLabel,
    identityBytes(inviter),
    uint(8, keys.epoch),
    inviteOnionKey,
    uint(4, expires)
  )
  const inputs: Values = {
    protocol: 'Noise_XKpsk0_25519_ChaChaPoly_SHA256',
    prologue,
    psks: [keys.handshakePsk],
    secrets: {
      si: testSecret('bob/agreement'),
      ei: testSecret('bob/invite ephemeral'),
      sr: testSecret('alice/agreement'),
      er: testSecret('alice/invite ephemeral')
    },
    payloads: [none, none, none],
    tagKey: keys.handshakeTagKey
  }
  return {
    prologue: [
      expects(
        {
          label: inviteLabel,
          identities: [identityBytes(inviter)],
          epoch: keys.epoch,
          onionKey: inviteOnionKey,
          expires: [expires]
        },
        { prologue }
      )
    ],
    handshake: [
      expects(inputs, {
        messages: [message1, message2, message3],
        handshakeHash: linkKeys.handshakeHash,
        initiatorSends: linkKeys.send,
        responderSends: linkKeys.receive
      }),
      ...rejectedInviteMessages(inputs, context, [message1, message2, message3])
    ]
  }
}

/** The last byte of each message changed. */
function rejectedInviteMessages(
  inputs: Values,
  context: InviteHandshakeContext,
  good: readonly Uint8Array[]
): readonly Case[] {
  return good.map((message, index) => {
    const bad = changed(message, { at: message.length - 1, xor: 1 })
    const received = [...good.slice(0, index), bad]
    const [message1 = none, message2 = none, message3 = none] = received
    const guest = initiateInvite(context, bob.agreement, fixedRandom('bob/invite ephemeral'))
    const inviter = answerInvite(
      message1,
      context,
      alice.agreement,
      fixedRandom('alice/invite ephemeral')
    )
    const results = [inviter, guest?.finish(message2), inviter?.finish(message3)]
    mustNotExist(results[index])
    return refuses('seal', { ...inputs, received })
  })
}
