import { generateKeyPairSync, sign } from 'node:crypto'

import { base64, concat, utf8 } from '@hushlamp/shared'
import type { Random, UnixSeconds } from '@hushlamp/shared'

import { dateTime } from './time-text.ts'

/** A certificate with its key, as TLS takes them. */
export interface TlsCertificate {
  /** PKCS #8, PEM. */
  readonly keyPem: string
  /** X.509, PEM. */
  readonly certificatePem: string
}

const lifetimeSeconds = 10 * 365 * 86_400

/** Clocks of clients may be a little behind. */
const backdateSeconds = 86_400

/**
 * Makes the certificate that this computer's XMPP clients are shown: X.509 v3 (RFC 5280), ECDSA P-256, signed with its
 * own key, for `localhost`, 127.0.0.1 and ::1, valid for ten years. A client that is given it as its only authority
 * accepts the server; it can vouch for nothing else (CA:FALSE).
 */
export function makeSelfSignedCertificate(random: Random, now: UnixSeconds): TlsCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(
    set(sequence(objectId('2.5.4.3'), der(tag.utf8String, utf8('localhost')))) // commonName
  )
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const toBeSigned = sequence(
    der(tag.explicit0, integer(Uint8Array.of(2))), // version: v3
    integer(serialNumber(random)),
    algorithm,
    name,
    sequence(time(now - backdateSeconds), time(now - backdateSeconds + lifetimeSeconds)),
    name,
    new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    der(tag.explicit3, extensions())
  )
  const signature = new Uint8Array(sign('sha256', toBeSigned, privateKey))
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: pem(sequence(toBeSigned, algorithm, bitString(signature)))
  }
}

/** RFC 5280 §4.2.1. */
function extensions(): Uint8Array {
  const dnsName = der(tag.context2, utf8('localhost'))
  const ipv4 = der(tag.context7, Uint8Array.of(127, 0, 0, 1))
  const ipv6 = der(tag.context7, new Uint8Array(16).fill(1, 15))
  return sequence(
    extension('2.5.29.19', true, sequence()), // basicConstraints: CA:FALSE
    extension('2.5.29.15', true, bitString(Uint8Array.of(0x80), 7)), // keyUsage: digitalSignature
    extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
    extension('2.5.29.17', false, sequence(dnsName, ipv4, ipv6)) // subjectAltName
  )
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(tag.boolean, Uint8Array.of(0xff))] : []
  return sequence(objectId(id), ...flag, der(tag.octetString, value))
}

/** 16 random bytes, positive and never with a leading zero byte (RFC 5280 §4.1.2.2). */
function serialNumber(random: Random): Uint8Array {
  const bytes = random.bytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

/** Tags of ASN.1 as DER writes them (X.690 §8.1.2). */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context2: 0x82,
  context7: 0x87,
  explicit0: 0xa0,
  explicit3: 0xa3
} as const

/** Tag, length, content (X.690 §10.1: always the shortest form of the length). */
function der(tagByte: number, content: Uint8Array): Uint8Array {
  const { length } = content
  if (length < 0x80) return concat(Uint8Array.of(tagByte, length), content)
  const lengthBytes = length < 0x100 ? [length] : [length >> 8, length & 0xff]
  return concat(Uint8Array.of(tagByte, 0x80 | lengthBytes.length, ...lengthBytes), content)
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(tag.sequence, concat(...parts))
}

function set(...parts: readonly Uint8Array[]): Uint8Array {
  return der(tag.set, concat(...parts))
}

/** A positive number, big-endian; the first bit of `bytes` is not set. */
function integer(bytes: Uint8Array): Uint8Array {
  return der(tag.integer, bytes)
}

function bitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return der(tag.bitString, concat(Uint8Array.of(unusedBits), bytes))
}

/** Dotted numbers, seven bits a byte (X.690 §8.19). */
function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const content = [first * 40 + second, ...rest].flatMap((number) => {
    const groups = [number & 0x7f]
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return der(tag.objectId, Uint8Array.from(content))
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). */
function time(at: UnixSeconds): Uint8Array {
  const digits = (dateTime(at) ?? '').replaceAll(/[-:T]/g, '')
  return digits < '2050'
    ? der(tag.utcTime, utf8(digits.slice(2)))
    : der(tag.generalizedTime, utf8(digits))
}

function pem(content: Uint8Array): string {
  const lines = base64(content).match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
