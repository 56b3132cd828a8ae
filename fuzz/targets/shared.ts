import {
  FrameReceiver,
  FrameSender,
  LinkMachine,
  answerHandshake,
  concat,
  createCertificate,
  decodeGet,
  decodeGetResult,
  decodeInvite,
  decodeNodes,
  decodePayload,
  decodePut,
  decodeRemove,
  decodeResult,
  derivePairKeys,
  encodeGetResult,
  encodeInvite,
  encodePayload,
  encodePut,
  hex,
  initiateHandshake,
  isHushlampError,
  maxPayloadBytes,
  openRecord,
  readCertificate,
  recognise,
  recordBytes,
  sealRecord,
  utf8
} from '@hushlamp/shared'
import type { EpochKeys, Payload } from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import { ensure, piecesOf, textOfInput } from '../target.ts'
import type { FuzzTarget } from '../target.ts'

const now = 1_800_000_000
const alice = testIdentity('alice')
const bob = testIdentity('bob')
const onionKey = testSecret('onion')
const keys = epochKeys()
const onlyOurs = (error: unknown): void => {
  if (!isHushlampError(error)) throw error
}

function epochKeys(): EpochKeys {
  const pair = derivePairKeys(bob, alice, 'own-to-peer')
  ensure(pair !== undefined, 'unusable test key')
  return pair.epochKeys(7)
}

const greeting: Payload = { kind: 'presence', available: true, show: 'away', text: 'lunch' }
const message: Payload = {
  kind: 'message',
  incarnation: testSecret('i').subarray(0, 16),
  counter: 9,
  id: 'id',
  body: 'ü☂',
  sentAt: now
}
const context = { publisher: bob, reader: alice, keys }
const record = {
  onionKey,
  issued: now,
  sequence: 1,
  ttlMinutes: 360,
  flags: 0,
  device: 0,
  capabilities: 0
}
const toBob = { own: alice, peer: bob, keys, onionKey }
const toAlice = { own: bob, peer: alice, keys, onionKey }

const certificate: FuzzTarget = {
  name: 'certificate',
  seeds: async () => {
    const made = await createCertificate({ name: 'Alice' }, seededRandom('fuzz'), now)
    return [
      made.certificate.bytes,
      utf8('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxjME\n-----END PGP PUBLIC KEY BLOCK-----\n')
    ]
  },
  run: async ({ bytes }) => {
    await readCertificate(bytes, now).then(
      ({ identity: { fingerprint, signingKey, presenceKey } }) => {
        ensure([20, 32].includes(fingerprint.length), 'a fingerprint of another length')
        ensure(signingKey.length === 32 && presenceKey.length === 32, 'a key of another length')
      },
      onlyOurs
    )
  }
}

const invite: FuzzTarget = {
  name: 'invite',
  seeds: () => [utf8(encodeInvite({ inviter: bob, secret: testSecret('s'), expires: now }))],
  run: (input) => {
    const text = textOfInput(input)
    try {
      const decoded = decodeInvite(text)
      const again = decodeInvite(encodeInvite(decoded))
      ensure(hex(again.secret) === hex(decoded.secret), 'an invite that reads back differently')
    } catch (error) {
      onlyOurs(error)
    }
  }
}

const presenceRecord: FuzzTarget = {
  name: 'record',
  seeds: () => [sealRecord(record, context), sealRecord({ ...record, sequence: 9 }, context)],
  run: ({ bytes }) => {
    const opened = openRecord(bytes, context, now)
    if (!opened) return
    ensure(bytes.length === recordBytes, 'a record of another length')
    // The encryption is deterministic: nothing opens but what sealing gives.
    ensure(hex(sealRecord(opened, context)) === hex(bytes), 'a second form of a record')
  }
}

const message1: FuzzTarget = {
  name: 'handshake-message-1',
  seeds: () => [initiateHandshake(toBob, seededRandom('m1'))?.message1 ?? new Uint8Array(0)],
  run: ({ bytes }) => {
    const random = seededRandom('answer')
    const candidate = recognise(bytes, [{ keys }])
    const answered = answerHandshake(bytes, toAlice, random)
    ensure(!candidate || bytes.length === 64, 'a message 1 of another length')
    // Whatever is behind a valid mark is checked again by the handshake itself.
    ensure(!answered || answered.message2.length === 48, 'a message 2 of another length')
  }
}

const genuineMessage2 = answerHandshake(
  initiateHandshake(toBob, seededRandom('m1'))?.message1 ?? new Uint8Array(0),
  toAlice,
  seededRandom('m2')
)?.message2
ensure(genuineMessage2 !== undefined, 'unusable test key')

const message2: FuzzTarget = {
  name: 'handshake-message-2',
  seeds: () => [genuineMessage2],
  run: (input) => {
    const started = LinkMachine.initiate(
      { random: seededRandom('m1') },
      {
        own: alice,
        onionKey,
        candidate: { contact: 'bob', peer: bob, keys },
        greeting: () => greeting
      },
      0
    )
    const effects = piecesOf(input).flatMap(
      (bytes) => started?.machine.step({ type: 'received', bytes }, 0) ?? []
    )
    const established = effects.some(({ type }) => type === 'established')
    const genuine = hex(input.bytes).startsWith(hex(genuineMessage2))
    ensure(established === genuine, 'a link with somebody else')
  }
}

const frameKey = testSecret('frames')
const frames: FuzzTarget = {
  name: 'frames',
  seeds: () => {
    const sender = new FrameSender(frameKey)
    return [
      concat(
        sender.payload(utf8('one')),
        sender.keepAlive(),
        sender.rekey(),
        sender.payload(utf8('two'))
      ),
      new FrameSender(frameKey).payload(new Uint8Array(1_000))
    ]
  },
  run: (input) => {
    const whole = new FrameReceiver(frameKey).receive(input.bytes)
    const receiver = new FrameReceiver(frameKey)
    const pieces = piecesOf(input).map((piece) => receiver.receive(piece))
    const broken = pieces.includes(undefined)
    ensure(broken === (whole === undefined), 'the cuts of the stream make a difference')
    if (!broken)
      ensure(pieces.flat().length === whole?.length, 'the cuts of the stream make a difference')
    for (const frame of whole ?? [])
      if (frame.kind === 'payload')
        ensure(frame.payload.length <= maxPayloadBytes, 'a payload above the limit')
  }
}

const payload: FuzzTarget = {
  name: 'payload',
  seeds: () => [encodePayload(greeting), encodePayload(message), encodePayload({ kind: 'bye' })],
  run: ({ bytes }) => {
    const decoded = decodePayload(bytes)
    if (!decoded || decoded.kind === 'unknown') return
    const again = decodePayload(encodePayload(decoded))
    ensure(
      JSON.stringify(again) === JSON.stringify(decoded),
      'a payload that reads back differently'
    )
  }
}

const restKey = hex(new Uint8Array(20))
const rest: FuzzTarget = {
  name: 'rest',
  seeds: () => [
    utf8(encodePut({ key: new Uint8Array(20), value: utf8('v'), ttlSeconds: 60 }).body ?? ''),
    utf8(
      encodeGetResult({
        values: [{ value: utf8('v'), ttlSeconds: 5, secretHash: new Uint8Array(20) }],
        placemark: new Uint8Array(0)
      }).body
    ),
    utf8(JSON.stringify({ nodes: ['http://127.0.0.1:5851'] })),
    utf8(JSON.stringify({ max: '3', placemark: '', secret: 'AA==', code: 0 }))
  ],
  run: (input) => {
    const text = textOfInput(input)
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      body = text
    }
    const decoders: (() => unknown)[] = [
      () => decodePut(restKey, body),
      () => decodePut(body, body),
      () => decodeGet(restKey, body),
      () => decodeRemove(restKey, restKey, body),
      ...[200, 201, 404, 503, 507].flatMap((status) => [
        () => decodeResult(status, text),
        () => decodeGetResult(status, text),
        () => decodeNodes(status, text)
      ])
    ]
    for (const decode of decoders) {
      try {
        decode()
      } catch (error) {
        onlyOurs(error)
      }
    }
  }
}

/** The decoders of the protocol core. */
export const sharedTargets: readonly FuzzTarget[] = [
  certificate,
  invite,
  presenceRecord,
  message1,
  message2,
  frames,
  payload,
  rest
]
