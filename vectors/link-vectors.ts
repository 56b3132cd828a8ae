import { createCipheriv } from 'node:crypto'

import {
  FrameReceiver,
  FrameSender,
  agreementKeyFromSecret,
  answerHandshake,
  concat,
  frameBuckets,
  hex,
  hmac,
  identityBytes,
  initiateHandshake,
  lengthPrefixed,
  maxPayloadBytes,
  recognise,
  utf8
} from '@hushlamp/shared'
import { seededRandom, testSecret } from '@hushlamp/shared/test-inputs'

import {
  alice,
  bob,
  bobToAlice,
  changed,
  epochVector,
  fixedRandom,
  hexOrDigest,
  mustExist,
  mustNotExist,
  onionKey
} from './inputs.ts'
import type { Change } from './inputs.ts'

// ---- handshake ----------------------------------------------------------------------------------------------------

const linkLabel = 'hushlamp/v1/link'
const initiatorEphemeral = testSecret('alice/ephemeral')
const responderEphemeral = testSecret('bob/ephemeral')

export function handshakeFile(): object {
  const keys = bobToAlice()
  const initiator = { own: alice, peer: bob, keys, onionKey }
  const responder = { own: bob, peer: alice, keys, onionKey }
  const initiated = mustExist(initiateHandshake(initiator, fixedRandom('alice/ephemeral')))
  const answered = mustExist(
    answerHandshake(initiated.message1, responder, fixedRandom('bob/ephemeral'))
  )
  const linkKeys = mustExist(initiated.finish(answered.message2))
  const epoch = Buffer.alloc(8)
  epoch.writeBigUInt64BE(BigInt(keys.epoch))
  const [ephemeralA, ephemeralB] = [initiatorEphemeral, responderEphemeral].map((secret) =>
    agreementKeyFromSecret(secret)
  )
  return {
    label: linkLabel,
    protocol: 'Noise_KKpsk0_25519_ChaChaPoly_SHA256',
    initiator: 'alice',
    responder: 'bob',
    epochKeys: epochVector(keys),
    onionKey: hex(onionKey),
    prologue: hex(
      lengthPrefixed(linkLabel, identityBytes(alice), identityBytes(bob), epoch, onionKey)
    ),
    initiatorEphemeralSecret: hex(initiatorEphemeral),
    initiatorEphemeral: hex(mustExist(ephemeralA).publicKey),
    responderEphemeralSecret: hex(responderEphemeral),
    responderEphemeral: hex(mustExist(ephemeralB).publicKey),
    es: hex(mustExist(ephemeralA?.agree(bob.presenceKey))),
    ss: hex(mustExist(alice.agreement.agree(bob.presenceKey))),
    ee: hex(mustExist(ephemeralA?.agree(ephemeralB?.publicKey ?? onionKey))),
    se: hex(mustExist(ephemeralB?.agree(alice.presenceKey))),
    mark: hex(initiated.message1.subarray(0, 16)),
    message1: hex(initiated.message1),
    message2: hex(answered.message2),
    handshakeHash: hex(linkKeys.handshakeHash),
    initiatorSends: hex(linkKeys.send),
    responderSends: hex(linkKeys.receive),
    rejectedMessage1: rejectedMessage1(initiated.message1),
    rejectedMessage2: rejectedMessage2(answered.message2)
  }
}

function rejectedMessage1(good: Uint8Array): readonly object[] {
  const keys = bobToAlice()
  const context = { own: bob, peer: alice, keys, onionKey }
  const zero = new Uint8Array(32)
  const marked = concat(hmac(keys.handshakeTagKey, zero).subarray(0, 16), zero, good.subarray(48))
  const otherOnion = changed(onionKey, { at: 0, xor: 1 })
  const changes: readonly [string, Change][] = [
    ['length', { keep: 63 }],
    ['mark', { at: 0, xor: 1 }],
    ['mark', { at: 16, xor: 1 }],
    ['seal', { at: 63, xor: 1 }]
  ]
  const cases = [
    ...changes.map(([reason, change]) => ({
      reason,
      change,
      message1: changed(good, change),
      onionKey
    })),
    { reason: 'ephemeral', ephemeral: hex(zero), message1: marked, onionKey },
    { reason: 'seal', message1: good, onionKey: otherOnion }
  ]
  return cases.map(({ message1, onionKey: dialled, ...rest }) => {
    const found = recognise(message1, [{ keys }])
    mustNotExist(
      found && answerHandshake(message1, { ...context, onionKey: dialled }, fixedRandom('x'))
    )
    return {
      ...rest,
      ...(dialled === otherOnion
        ? { change: { at: 0, xor: 1 }, onionKey: hex(otherOnion) }
        : { message1: hex(message1) })
    }
  })
}

function rejectedMessage2(good: Uint8Array): readonly object[] {
  const changes: readonly [string, Change][] = [
    ['length', { append: '00' }],
    ['seal', { at: 0, xor: 1 }],
    ['seal', { at: 47, xor: 1 }]
  ]
  const cases = [
    ...changes.map(([reason, change]) => ({ reason, change, message2: changed(good, change) })),
    {
      reason: 'ephemeral',
      ephemeral: '00'.repeat(32),
      message2: concat(new Uint8Array(32), good.subarray(32))
    }
  ]
  const context = { own: alice, peer: bob, keys: bobToAlice(), onionKey }
  return cases.map(({ message2, ...rest }) => {
    mustNotExist(initiateHandshake(context, fixedRandom('alice/ephemeral'))?.finish(message2))
    return { ...rest, message2: hex(message2) }
  })
}

// ---- frames -------------------------------------------------------------------------------------------------------

interface Plain {
  /** Number of the key: 0 is the first, 1 the one after a rekey. */
  readonly key: number
  readonly counter: number
  readonly kind: number
  readonly length: number
  readonly bucket: number
}

const firstKey = testSecret('frames')
const maxFragmentBytes = 16_365
const kinds = { 'keep-alive': 0, last: 1, more: 2, rekey: 3 } as const

function nonceOf(counter: number): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64LE(BigInt(counter), 4)
  return nonce
}

/** ChaCha20-Poly1305, which the core does not export, under a nonce of twelve bytes. */
function chachaSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array
): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  cipher.setAAD(associated, { plaintextLength: plaintext.length })
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

const greatestNonce = Buffer.from('00000000ffffffffffffffff', 'hex')
const none = new Uint8Array(0)
const secondKey = chachaSeal(firstKey, greatestNonce, none, new Uint8Array(32)).subarray(0, 32)
const keysInTurn = [firstKey, secondKey]

/** Seals a frame by hand, good or bad; the content is zeros where none is given. */
function sealFrame(
  { key, counter, kind, length, bucket }: Plain,
  content: Uint8Array = none
): { readonly plaintext: Uint8Array; readonly frame: Uint8Array } {
  const header = Uint8Array.of(bucket >> 8, bucket & 255)
  const plaintext = new Uint8Array(bucket - 16)
  plaintext.set([kind, length >> 8, length & 255])
  plaintext.set(content, 3)
  const sealed = chachaSeal(mustExist(keysInTurn[key]), nonceOf(counter), header, plaintext)
  return { plaintext, frame: concat(header, sealed) }
}

function bucketFor(length: number): number {
  return frameBuckets.find((bucket) => length + 19 <= bucket) ?? frameBuckets[3]
}

type Step =
  | { readonly step: 'payload'; readonly payload: Uint8Array }
  | { readonly step: 'keep-alive' | 'rekey' }

/** Seals the frames of each step by hand beside the core's sender, which must make the same. */
class FrameScript {
  readonly #sender = new FrameSender(firstKey)
  readonly #receiver = new FrameReceiver(firstKey)
  #counter = 0
  #key = 0

  step(step: Step): object {
    const frames = this.#plain(step).map(({ plain, content }) => {
      const { plaintext, frame } = sealFrame(plain, content)
      return { plain, plaintext, frame }
    })
    const made = this.#send(step)
    if (hex(made) !== hex(concat(...frames.map(({ frame }) => frame))))
      throw new Error('the steps do not lead to the frames')
    mustExist(this.#receiver.receive(made))
    return {
      step: step.step,
      ...(step.step === 'payload' ? { payload: hexOrDigest(step.payload) } : {}),
      frames: frames.map(({ plain, plaintext, frame }) => ({
        ...plain,
        nonce: hex(nonceOf(plain.counter)),
        plaintext: hexOrDigest(plaintext),
        frame: hexOrDigest(frame)
      }))
    }
  }

  #plain(step: Step): { readonly plain: Plain; readonly content: Uint8Array }[] {
    const payload = step.step === 'payload' ? step.payload : none
    const parts = Math.max(1, Math.ceil(payload.length / maxFragmentBytes))
    return Array.from({ length: parts }, (_, part) => {
      const content = payload.subarray(part * maxFragmentBytes, (part + 1) * maxFragmentBytes)
      const payloadKind = part === parts - 1 ? kinds.last : kinds.more
      const plain = {
        key: this.#key,
        counter: this.#counter++,
        kind: step.step === 'payload' ? payloadKind : kinds[step.step],
        length: content.length,
        bucket: bucketFor(content.length)
      }
      return { plain, content }
    })
  }

  #send(step: Step): Uint8Array {
    if (step.step === 'payload') return this.#sender.payload(step.payload)
    if (step.step === 'keep-alive') return this.#sender.keepAlive()
    this.#key++
    return this.#sender.rekey()
  }
}

function longPayload(length: number): Uint8Array {
  return seededRandom('long payload').bytes(length)
}

export function framesFile(): object {
  const script = new FrameScript()
  const steps: readonly Step[] = [
    { step: 'payload', payload: utf8('hello') },
    { step: 'keep-alive' },
    { step: 'payload', payload: none },
    { step: 'payload', payload: longPayload(237) },
    { step: 'payload', payload: longPayload(238) },
    { step: 'rekey' },
    { step: 'payload', payload: utf8('after the change of key') },
    { step: 'payload', payload: longPayload(maxFragmentBytes) },
    { step: 'payload', payload: longPayload(maxFragmentBytes + 1) }
  ]
  return {
    key: hex(firstKey),
    rekeyed: hex(secondKey),
    longPayloads: 'long payload',
    steps: steps.map((step) => script.step(step)),
    rejected: rejectedFrames()
  }
}

function rejectedFrames(): readonly object[] {
  const plain = { key: 0, counter: 0, kind: 1, length: 5, bucket: 256 }
  const fragments = Array.from({ length: 17 }, (_, counter) => ({
    ...plain,
    counter,
    kind: 2,
    length: maxFragmentBytes,
    bucket: 16_384
  }))
  if (fragments.length * maxFragmentBytes <= maxPayloadBytes) throw new Error('not too long')
  const cases: readonly { reason: string; frames: readonly Plain[]; change?: Change }[] = [
    { reason: 'length', frames: [plain], change: { at: 1, xor: 1 } },
    { reason: 'length', frames: [plain], change: { at: 0, xor: 1 } },
    { reason: 'seal', frames: [plain], change: { at: 2, xor: 1 } },
    { reason: 'seal', frames: [plain], change: { at: 257, xor: 128 } },
    { reason: 'seal', frames: [plain, plain] },
    { reason: 'seal', frames: [{ ...plain, counter: 1 }] },
    {
      reason: 'seal',
      frames: [
        { ...plain, kind: 3, length: 0 },
        { ...plain, counter: 1 }
      ]
    },
    { reason: 'kind', frames: [{ ...plain, kind: 4 }] },
    { reason: 'content-length', frames: [{ ...plain, length: 238 }] },
    { reason: 'fragment', frames: [{ ...plain, kind: 2 }] },
    { reason: 'payload-length', frames: fragments }
  ]
  return cases.map(({ reason, frames, change }) => {
    const good = concat(...frames.map((frame) => sealFrame(frame).frame))
    const stream = change ? changed(good, change) : good
    mustNotExist(new FrameReceiver(firstKey).receive(stream))
    return { reason, frames, ...(change && { change }), stream: hexOrDigest(stream) }
  })
}
