import {
  concat,
  derivePairKeys,
  deriveInviteKeys,
  epochStart,
  hkdf,
  hmac,
  identityBytes,
  lengthPrefixed,
  pairKeysOf,
  utf8
} from '@hushlamp/shared'
import type { Identity } from '@hushlamp/shared'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import { digits, expects, mustEqual, mustExist, mustNotExist, refuses, uint } from './cases.ts'
import type { Case, Values, VectorFile } from './cases.ts'
import { alice, bob, bobToAlice, inviteOf } from './inputs.ts'

const none = new Uint8Array(0)

/** `pair-keys.json`: people, the roots of their pairs, and the keys of epochs. */
export function pairKeysFile(): VectorFile {
  const roots = [
    rootOf('bob', 'alice', none),
    rootOf('alice', 'bob', none),
    rootOf('bob', 'alice', testSecret('invite'))
  ]
  const { epoch } = bobToAlice()
  return {
    identity: ['alice', 'bob', 'carol'].map(identityCase),
    pairRoot: [...roots.map(({ vector }) => vector), ...unusableKeys()],
    epochKeys: [
      ...roots.flatMap(({ root }) =>
        [epoch - 1, epoch, epoch + 1].map((each) => epochKeysCase(root, each))
      ),
      ...[0, 1, 2 ** 38].map((each) => epochKeysCase(testSecret('root'), each))
    ]
  }
}

function identityCase(label: string): Case {
  const identity = testIdentity(label)
  return expects(
    { label },
    {
      fingerprint: identity.fingerprint,
      signingSeed: testSecret(`${label}/signing`),
      signingKey: identity.signingKey,
      presenceSecret: testSecret(`${label}/agreement`),
      presenceKey: identity.presenceKey,
      id: identityBytes(identity)
    }
  )
}

function pairInputs(
  publisher: string,
  { presenceKey, ...reader }: Identity,
  pairSecret: Uint8Array
): Values {
  return {
    presenceSecret: testSecret(`${publisher}/agreement`),
    presenceKey,
    pairSecret,
    publisher: identityBytes(testIdentity(publisher)),
    reader: identityBytes({ presenceKey, ...reader })
  }
}

function rootOf(
  publisher: string,
  reader: string,
  pairSecret: Uint8Array
): { readonly root: Uint8Array; readonly vector: Case } {
  const own = testIdentity(publisher)
  const peer = testIdentity(reader)
  const sharedSecret = mustExist(own.agreement.agree(peer.presenceKey))
  const info = lengthPrefixed(identityBytes(own), identityBytes(peer))
  const root = hkdf(concat(sharedSecret, pairSecret), utf8('hushlamp/v1/pair'), info)
  for (const [epoch, pair] of [
    [7, derivePairKeys(own, peer, 'own-to-peer', pairSecret)],
    [8, derivePairKeys(peer, own, 'peer-to-own', pairSecret)]
  ] as const)
    mustEqual(mustExist(pair).epochKeys(epoch).sivKey, pairKeysOf(root).epochKeys(epoch).sivKey)
  const given = pairInputs(publisher, peer, pairSecret)
  return { root, vector: expects(given, { sharedSecret, info, root }) }
}

/** Keys of one epoch with everything between the root and them. */
export function epochKeysCase(root: Uint8Array, epoch: number): Case {
  const pair = pairKeysOf(root)
  const { offsetSeconds } = pair
  const keys = pair.epochKeys(epoch)
  const epochInput = lengthPrefixed('epoch', uint(8, epoch))
  const epochKey = hmac(root, epochInput)
  return expects(
    { root, epoch },
    {
      offsetMac: hmac(root, utf8('offset')),
      offsetSeconds,
      startsAt: epochStart(epoch, offsetSeconds),
      epochInput,
      epochKey,
      ownerSeed: hmac(epochKey, utf8('owner')),
      ownerPublicKey: keys.owner.publicKey,
      registryKey: keys.registryKey,
      sivKey: keys.sivKey,
      handshakePsk: keys.handshakePsk,
      handshakeTagKey: keys.handshakeTagKey
    }
  )
}

/** The root of Alice's invite, whose keys must be those that the core derives. */
export function inviteRootOf(inviter: Identity): Uint8Array {
  const { invite } = inviteOf(inviter)
  const root = hkdf(invite.secret, utf8('hushlamp/v1/invite'), identityBytes(inviter))
  mustEqual(deriveInviteKeys(invite).epochKeys(9).sivKey, pairKeysOf(root).epochKeys(9).sivKey)
  return root
}

/** u-coordinates under which every X25519 secret gives zero: RFC 7748 §6.1 and the encodings of p, p ± 1. */
const smallOrderPresenceKeys = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]

function unusableKeys(): readonly Case[] {
  const keys = [...smallOrderPresenceKeys.map(digits), bob.presenceKey.subarray(0, 31)]
  return keys.map((presenceKey) => {
    const peer = { ...bob, presenceKey }
    mustNotExist(derivePairKeys(alice, peer, 'own-to-peer'))
    return refuses('key', pairInputs('alice', peer, none))
  })
}
