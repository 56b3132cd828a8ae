import {
  createCipheriv,
  createHmac,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify
} from 'node:crypto'

import * as openpgp from 'openpgp'

import {
  FrameReceiver,
  FrameSender,
  agreementKeyFromSecret,
  answerHandshake,
  derivePairKeys,
  epochAt,
  initiateHandshake,
  openRecord,
  sealRecord,
  signingKeyFromSeed
} from '@hushlamp/shared'
import type { Identity, PresenceRecord, Random, RecordContext } from '@hushlamp/shared'

import type { Subject } from './interleaved.ts'

const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }
const now = 1_800_000_000

/** Length of what a record's signature covers with fingerprints of 20 bytes: the bare signature gets as much to do. */
const transcriptBytes = 284

/** The bare primitives of node:crypto, with keys that are imported already: what nothing built on them can beat. */
export function primitives(): readonly Subject[] {
  const signer = generateKeyPairSync('ed25519')
  const message = randomBytes(transcriptBytes)
  const signature = sign(null, message, signer.privateKey)
  const [own, peer] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')]
  const [aeadKey, nonce, kibibyte] = [randomBytes(32), randomBytes(12), randomBytes(1_024)]
  return [
    { name: 'Ed25519 sign', run: () => void sign(null, message, signer.privateKey) },
    {
      name: 'Ed25519 verify',
      run: () => expectTrue(verify(null, message, signer.publicKey, signature))
    },
    {
      name: 'X25519 agreement',
      run: () => void diffieHellman({ privateKey: own.privateKey, publicKey: peer.publicKey })
    },
    {
      name: 'ChaCha20-Poly1305 seal, 1 KiB',
      run: () => {
        const cipher = createCipheriv('chacha20-poly1305', aeadKey, nonce, { authTagLength: 16 })
        cipher.update(kibibyte)
        cipher.final()
        cipher.getAuthTag()
      }
    },
    {
      name: 'HMAC-SHA256, 64 B',
      run: () => void createHmac('sha256', aeadKey).update(kibibyte.subarray(0, 64)).digest()
    }
  ]
}

/** What the protocol does, by the functions that the programs call. */
export function operations(): readonly Subject[] {
  const [publisher, reader] = [newIdentity(), newIdentity()]
  const pair = present(derivePairKeys(publisher, reader, 'own-to-peer'))
  const keys = pair.epochKeys(epochAt(now, pair.offsetSeconds))
  const context = { publisher, reader, keys }
  const content = newRecord()
  const record = sealRecord(content, context)
  const junk = random.bytes(record.length)
  const onionKey = content.onionKey
  const [sender, receiver] = newFrames()
  const payload = random.bytes(1_005)
  let epoch = keys.epoch
  return [
    {
      name: 'pair root',
      run: () => void present(derivePairKeys(publisher, reader, 'own-to-peer'))
    },
    { name: 'epoch keys', run: () => void pair.epochKeys(++epoch) },
    { name: 'seal a record', run: () => void sealRecord(content, firstUse(context)) },
    { name: 'open a record', run: () => void present(openRecord(record, firstUse(context), now)) },
    { name: 'reject junk', run: () => expectTrue(openRecord(junk, context, now) === undefined) },
    {
      name: 'handshake, both sides',
      run: () => {
        const initiated = present(
          initiateHandshake({ own: reader, peer: publisher, keys, onionKey }, random)
        )
        const answered = present(
          answerHandshake(
            initiated.message1,
            { own: publisher, peer: reader, keys, onionKey },
            random
          )
        )
        present(initiated.finish(answered.message2))
      }
    },
    {
      name: 'frame seal and open, 1 KiB',
      run: () => void present(receiver.receive(sender.payload(payload)))
    }
  ]
}

/** The paper's way to the same end: an OpenPGP message, signed and encrypted, of what a record holds. */
export async function openPgp(): Promise<readonly Subject[]> {
  const [publisher, reader] = [await newOpenPgpKey(), await newOpenPgpKey()]
  const binary = random.bytes(48)
  const encrypted = async (): Promise<Uint8Array> => {
    const message = await openpgp.createMessage({ binary })
    const written: unknown = await openpgp.encrypt({
      message,
      encryptionKeys: reader.toPublic(),
      signingKeys: publisher,
      format: 'binary'
    })
    if (!(written instanceof Uint8Array)) throw new Error('OpenPGP.js answered in another form')
    return written
  }
  const sealed = await encrypted()
  return [
    { name: 'OpenPGP.js sign and encrypt', run: async () => void (await encrypted()) },
    {
      name: 'OpenPGP.js decrypt and verify',
      run: async () => {
        const { signatures } = await openpgp.decrypt({
          message: await openpgp.readMessage({ binaryMessage: sealed }),
          decryptionKeys: reader,
          verificationKeys: publisher.toPublic(),
          format: 'binary'
        })
        await signatures[0]?.verified
      }
    }
  ]
}

async function newOpenPgpKey(): Promise<openpgp.PrivateKey> {
  const { privateKey } = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'bench' }],
    format: 'object'
  })
  return privateKey
}

function newIdentity(): Identity {
  const signing = signingKeyFromSeed(random.bytes(32))
  const agreement = agreementKeyFromSecret(random.bytes(32))
  return {
    fingerprint: random.bytes(20),
    signingKey: signing.publicKey,
    presenceKey: agreement.publicKey,
    signing,
    agreement
  }
}

/** The context with keys that nothing has been prepared for. */
function firstUse<C extends RecordContext>(context: C): C {
  const { keys } = context
  return { ...context, keys: { ...keys, sivKey: new Uint8Array(keys.sivKey) } }
}

function newRecord(): PresenceRecord {
  const onionKey = signingKeyFromSeed(random.bytes(32)).publicKey
  return {
    onionKey,
    issued: now,
    sequence: 0,
    ttlMinutes: 360,
    flags: 0,
    device: 0,
    capabilities: 0
  }
}

function newFrames(): readonly [FrameSender, FrameReceiver] {
  const key = random.bytes(32)
  return [new FrameSender(key), new FrameReceiver(key)]
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an operation to be measured failed')
  return value
}

function expectTrue(value: boolean): void {
  if (!value) throw new Error('an operation to be measured answered wrongly')
}
