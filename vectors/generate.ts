/**
 * Makes every file of this folder. Run it after a change of a format, together with a new label in that format:
 * `node --conditions=source vectors/generate.ts`. All secrets in the vectors follow from published labels.
 */
import { writeFileSync } from 'node:fs'

import {
  FrameSender,
  derivePairKeys,
  encodePayload,
  epochAt,
  answerHandshake,
  hex,
  identityBytes,
  initiateHandshake,
  pairKeysOf,
  proveOwnership,
  sealRecord,
  sha256,
  utf8
} from '@hushlamp/shared'
import type { EpochKeys, Identity, Payload, Random } from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

const alice = testIdentity('alice')
const bob = testIdentity('bob')
const moment = 1_800_000_000
const onionKey = testSecret('bob/onion')

function identityVector(label: string, identity: Identity): object {
  return {
    label,
    fingerprint: hex(identity.fingerprint),
    signingSeed: hex(testSecret(`${label}/signing`)),
    signingKey: hex(identity.signingKey),
    presenceSecret: hex(testSecret(`${label}/agreement`)),
    presenceKey: hex(identity.presenceKey),
    id: hex(identityBytes(identity))
  }
}

function epochVector(keys: EpochKeys): object {
  return {
    epoch: keys.epoch,
    ownerPublicKey: hex(keys.owner.publicKey),
    registryKey: hex(keys.registryKey),
    sivKey: hex(keys.sivKey),
    handshakePsk: hex(keys.handshakePsk),
    handshakeTagKey: hex(keys.handshakeTagKey)
  }
}

function pairKeysFile(): object {
  const cases = [
    { publisher: 'bob', reader: 'alice', inviteSecret: '' },
    { publisher: 'alice', reader: 'bob', inviteSecret: '' },
    { publisher: 'bob', reader: 'alice', inviteSecret: hex(testSecret('invite')) }
  ].map(({ publisher, reader, inviteSecret }) => {
    const own = testIdentity(publisher)
    const secret = new Uint8Array(Buffer.from(inviteSecret, 'hex'))
    const pair = mustExist(derivePairKeys(own, testIdentity(reader), 'own-to-peer', secret))
    const epoch = epochAt(moment, pair.offsetSeconds)
    return {
      publisher,
      reader,
      inviteSecret,
      offsetSeconds: pair.offsetSeconds,
      moment,
      epochs: [epoch, epoch + 1].map((each) => epochVector(pair.epochKeys(each)))
    }
  })
  const root = testSecret('root')
  return {
    label: 'hushlamp/v1/pair',
    identities: [identityVector('alice', alice), identityVector('bob', bob)],
    cases,
    fromRoot: {
      pairRoot: hex(root),
      offsetSeconds: pairKeysOf(root).offsetSeconds,
      epochs: [0, 1, 2 ** 40].map((epoch) => epochVector(pairKeysOf(root).epochKeys(epoch)))
    }
  }
}

function bobToAlice(): EpochKeys {
  const pair = mustExist(derivePairKeys(bob, alice, 'own-to-peer'))
  return pair.epochKeys(epochAt(moment, pair.offsetSeconds))
}

function recordFile(): object {
  const keys = bobToAlice()
  const contents = [
    { issued: moment, sequence: 0, ttlMinutes: 360, flags: 0, device: 0, capabilities: 0 },
    {
      issued: moment + 7,
      sequence: 65_535,
      ttlMinutes: 1,
      flags: 1,
      device: 2,
      capabilities: 255
    }
  ]
  return {
    label: 'hushlamp/v1/record',
    publisher: 'bob',
    reader: 'alice',
    epochKeys: epochVector(keys),
    onionKey: hex(onionKey),
    cases: contents.map((content) => ({
      ...content,
      record: hex(sealRecord({ ...content, onionKey }, { publisher: bob, reader: alice, keys }))
    }))
  }
}

function ownershipFile(): object {
  const keys = bobToAlice()
  const value = testSecret('value')
  const ownership = proveOwnership(keys.owner, value, 21_600, moment + 1)
  return {
    label: 'hushlamp/v1/put',
    registryKey: hex(keys.registryKey),
    value: hex(value),
    now: moment + 1,
    ttlSeconds: 21_600,
    ownership: {
      publicKey: hex(ownership.publicKey),
      expiry: ownership.expiry,
      signature: hex(ownership.signature)
    }
  }
}

function handshakeFile(): object {
  const keys = bobToAlice()
  const initiated = mustExist(
    initiateHandshake({ own: alice, peer: bob, keys, onionKey }, ephemeral('alice/ephemeral'))
  )
  const answered = mustExist(
    answerHandshake(
      initiated.message1,
      { own: bob, peer: alice, keys, onionKey },
      ephemeral('bob/ephemeral')
    )
  )
  const linkKeys = mustExist(initiated.finish(answered.message2))
  return {
    label: 'hushlamp/v1/link',
    protocol: 'Noise_KKpsk0_25519_ChaChaPoly_SHA256',
    initiator: 'alice',
    responder: 'bob',
    epochKeys: epochVector(keys),
    onionKey: hex(onionKey),
    initiatorEphemeralSecret: hex(testSecret('alice/ephemeral')),
    responderEphemeralSecret: hex(testSecret('bob/ephemeral')),
    message1: hex(initiated.message1),
    message2: hex(answered.message2),
    handshakeHash: hex(linkKeys.handshakeHash),
    initiatorSends: hex(linkKeys.send),
    responderSends: hex(linkKeys.receive)
  }
}

function framesFile(): object {
  const sender = new FrameSender(testSecret('frames'))
  const long = seededRandom('long payload').bytes(20_000)
  const steps = [
    { step: 'payload', payload: hex(utf8('hello')), frames: hex(sender.payload(utf8('hello'))) },
    { step: 'keep-alive', frames: hex(sender.keepAlive()) },
    { step: 'rekey', frames: hex(sender.rekey()) },
    { step: 'payload', payload: '', frames: hex(sender.payload(new Uint8Array(0))) },
    {
      step: 'payload',
      payload: hex(long),
      framesSha256: hex(sha256(sender.payload(long)))
    }
  ]
  return { key: hex(testSecret('frames')), steps }
}

function payloadsFile(): object {
  const incarnation = testSecret('incarnation').subarray(0, 16)
  const payloads: readonly Payload[] = [
    { kind: 'presence', available: false },
    { kind: 'presence', available: true, show: 'dnd', text: 'writing' },
    { kind: 'message', incarnation, counter: 1, id: 'm1', body: 'Hello, Bob! ☂', sentAt: moment },
    { kind: 'receipt', incarnation, counter: 1 },
    { kind: 'bye' }
  ]
  return {
    version: 1,
    cases: payloads.map((payload) => ({
      payload: 'incarnation' in payload ? { ...payload, incarnation: hex(incarnation) } : payload,
      bytes: hex(encodePayload(payload))
    }))
  }
}

/** Gives the ephemeral secret of that label. */
function ephemeral(label: string): Random {
  return { bytes: () => testSecret(label) }
}

function mustExist<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test key turned out to be unusable')
  return value
}

/** Every vector file by its name. */
export const vectorFiles: Readonly<Record<string, () => object>> = {
  'pair-keys.json': pairKeysFile,
  'record.json': recordFile,
  'ownership.json': ownershipFile,
  'handshake.json': handshakeFile,
  'frames.json': framesFile,
  'payloads.json': payloadsFile
}

if (import.meta.main) {
  for (const [name, make] of Object.entries(vectorFiles))
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(make(), null, 2)}\n`)
}
