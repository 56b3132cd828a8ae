/** Vectors of invites: link, keys, record and handshake. All secrets follow from published labels. */
import {
  answerInvite,
  createInvite,
  deriveInviteKeys,
  encodeInvite,
  encodeInvitePayload,
  epochAt,
  hex,
  hkdf,
  identityBytes,
  initiateInvite,
  lengthPrefixed,
  sealRecord,
  sha256,
  utf8
} from '@hushlamp/shared'
import type {
  EpochKeys,
  Identity,
  Invite,
  InviteHandshakeContext,
  InvitePayload,
  Random
} from '@hushlamp/shared'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import { epochVector } from './inputs.ts'

const alice = testIdentity('alice')
const bob = testIdentity('bob')
const moment = 1_800_000_000
const onionKey = testSecret('invite/onion')

/** An identity whose fingerprint has the length of OpenPGP v6. */
const aliceV6: Identity = { ...alice, fingerprint: testSecret('alice/fingerprint') }

function random(label: string): Random {
  return { bytes: (length) => testSecret(label).subarray(0, length) }
}

function inviteOf(inviter: Identity): Invite {
  return createInvite(inviter, random('invite'), moment)
}

function keysOf(invite: Invite): EpochKeys {
  const keys = deriveInviteKeys(invite)
  return keys.epochKeys(epochAt(moment, keys.offsetSeconds))
}

function publicKeys(identity: Identity): object {
  return {
    fingerprint: hex(identity.fingerprint),
    signingKey: hex(identity.signingKey),
    presenceKey: hex(identity.presenceKey)
  }
}

function mustExist<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test key turned out to be unusable')
  return value
}

function bigEndian(bytes: number, value: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex'))
}

/** `invite.json`: links, and what follows from their secrets. */
export function inviteFile(): object {
  return {
    note: 'Published test secrets. Never use them.',
    label: 'hushlamp/v1/invite',
    cases: [alice, aliceV6].map((inviter) => {
      const invite = inviteOf(inviter)
      const keys = deriveInviteKeys(invite)
      const epochKeys = keysOf(invite)
      const content = {
        onionKey,
        issued: moment,
        sequence: 0,
        ttlMinutes: 360,
        flags: 0,
        device: 0,
        capabilities: 0
      }
      const context = { publisher: inviter, reader: keys.reader, keys: epochKeys }
      return {
        inviter: publicKeys(inviter),
        secret: hex(invite.secret),
        expires: invite.expires,
        link: encodeInvite(invite),
        inviteRoot: hex(
          hkdf(invite.secret, utf8('hushlamp/v1/invite'), identityBytes(invite.inviter))
        ),
        inviteRootHash: hex(keys.reader.inviteRootHash),
        offsetSeconds: keys.offsetSeconds,
        ...epochVector(epochKeys),
        record: {
          issued: moment,
          onionKey: hex(onionKey),
          bytes: hex(sealRecord(content, context))
        }
      }
    })
  }
}

/** `invite-handshake.json`: Noise XKpsk0 from Bob to Alice, and the payloads behind it. */
export function inviteHandshakeFile(): object {
  const invite = inviteOf(alice)
  const keys = keysOf(invite)
  const context: InviteHandshakeContext = {
    inviter: invite.inviter,
    expires: invite.expires,
    keys,
    onionKey
  }
  const initiated = mustExist(
    initiateInvite(context, bob.agreement, random('bob/invite ephemeral'))
  )
  const answered = mustExist(
    answerInvite(initiated.message1, context, alice.agreement, random('alice/invite ephemeral'))
  )
  const { message3, linkKeys } = mustExist(initiated.finish(answered.message2))
  const certificate = utf8('stands for a certificate')
  const payloads: readonly InvitePayload[] = [
    { kind: 'join', certificate },
    { kind: 'join', certificate, pairSecret: new Uint8Array(0) },
    { kind: 'accepted', certificate, pairSecret: invite.secret },
    {
      kind: 'accepted',
      certificate,
      pairSecret: invite.secret,
      onionKey: testSecret('alice/onion')
    },
    { kind: 'bye' }
  ]
  return {
    note: 'Published test secrets. Never use them.',
    label: 'hushlamp/v1/invite-link',
    protocol: 'Noise_XKpsk0_25519_ChaChaPoly_SHA256',
    guest: 'bob',
    inviter: 'alice',
    link: encodeInvite(invite),
    epoch: keys.epoch,
    onionKey: hex(onionKey),
    prologue: hex(
      lengthPrefixed(
        'hushlamp/v1/invite-link',
        identityBytes(invite.inviter),
        bigEndian(8, keys.epoch),
        onionKey,
        bigEndian(4, invite.expires)
      )
    ),
    guestPresenceSecret: hex(testSecret('bob/agreement')),
    inviterPresenceSecret: hex(testSecret('alice/agreement')),
    guestEphemeralSecret: hex(testSecret('bob/invite ephemeral')),
    inviterEphemeralSecret: hex(testSecret('alice/invite ephemeral')),
    message1: hex(initiated.message1),
    message2: hex(answered.message2),
    message3: hex(message3),
    handshakeHash: hex(linkKeys.handshakeHash),
    guestSends: hex(linkKeys.send),
    inviterSends: hex(linkKeys.receive),
    payloads: payloads.map((payload) => {
      const bytes = encodeInvitePayload(payload)
      const fields = Object.entries(payload).map(([name, value]: [string, string | Uint8Array]) => [
        name,
        typeof value === 'string' ? value : hex(value)
      ])
      return { ...Object.fromEntries(fields), length: bytes.length, sha256: hex(sha256(bytes)) }
    })
  }
}
