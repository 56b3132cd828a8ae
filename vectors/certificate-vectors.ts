import { createHash } from 'node:crypto'

import { concat, identityBytes, sha1, sha256, shortKeyId, utf8 } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { changed, expects, refuses, uint } from './cases.ts'
import type { Case, VectorFile } from './cases.ts'
import { alice, moment } from './inputs.ts'

type Format = 'v4' | 'v6'

const created = moment - 86_400
const userId = 'Alice'
const notationName = 'presence@hushlamp'

/** `certificate.json`: certificates made packet by packet from Alice's published secrets. */
export function certificateFile(): VectorFile {
  return {
    readCertificate: [
      ...(['v4', 'v6'] as const).map((format) => {
        const parts = certificateParts(format, 'x25519-v1')
        const identity = { ...alice, fingerprint: fingerprint(format, parts.primary) }
        return expects(
          { certificate: parts.bytes },
          {
            primaryKey: parts.primary,
            selfSignature: parts.selfSignature.body,
            presenceSubkey: parts.subkey,
            binding: parts.binding.body,
            hashedSubpackets: parts.binding.hashed,
            digest: parts.binding.digest,
            fingerprint: identity.fingerprint,
            shortKeyId: shortKeyId(identity),
            id: identityBytes(identity)
          }
        )
      }),
      ...rejectedCertificates()
    ]
  }
}

/** When the certificates were made: they are good at that moment. */
export const certificatesCreated: number = created

function rejectedCertificates(): readonly Case[] {
  const { bytes, binding } = certificateParts('v4', 'x25519-v1')
  const at = bytes.length - 1
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['notation', certificateParts('v4', 'x25519-v2').bytes],
    ['signature', changed(bytes, { at, xor: 1 })],
    ['packets', bytes.subarray(0, bytes.length - packet(2, binding.body).length)],
    ['truncated', bytes.subarray(0, at)]
  ]
  return cases.map(([reason, certificate]) => refuses(reason, { certificate }))
}

interface Signature {
  readonly hashed: Uint8Array
  readonly digest: Uint8Array
  readonly body: Uint8Array
}

interface CertificateParts {
  readonly primary: Uint8Array
  readonly subkey: Uint8Array
  readonly selfSignature: Signature
  readonly binding: Signature
  readonly bytes: Uint8Array
}

function certificateParts(format: Format, notationValue: string): CertificateParts {
  const primary = keyBody(format, alice.signingKey, 'signing')
  const subkey = keyBody(format, alice.presenceKey, 'agreement')
  const issuer = fingerprint(format, primary)
  const common = concat(
    subpacket(2, uint(4, created)),
    // gpg 2.2 looks for the id of the issuer; RFC 9580 asks for its fingerprint alone.
    ...(format === 'v4' ? [subpacket(16, issuer.subarray(12))] : []),
    subpacket(33, Uint8Array.of(format === 'v4' ? 4 : 6), issuer)
  )
  const name = utf8(userId)
  const selfSignature = sign(
    format,
    format === 'v4' ? 0x13 : 0x1f,
    concat(common, subpacket(27, Uint8Array.of(3))),
    format === 'v4'
      ? concat(keyInput(format, primary), Uint8Array.of(0xb4), uint(4, name.length), name)
      : keyInput(format, primary)
  )
  const binding = sign(
    format,
    0x18,
    concat(common, subpacket(27, Uint8Array.of(0)), notation(notationValue)),
    concat(keyInput(format, primary), keyInput(format, subkey))
  )
  const bytes = concat(
    packet(6, primary),
    ...(format === 'v4' ? [packet(13, name)] : []),
    packet(2, selfSignature.body),
    packet(14, subkey),
    packet(2, binding.body)
  )
  return { primary, subkey, selfSignature, binding, bytes }
}

function notation(text: string): Uint8Array {
  const name = utf8(notationName)
  const value = utf8(text)
  return subpacket(
    20,
    uint(4, 0x80000000),
    uint(2, name.length),
    uint(2, value.length),
    name,
    value
  )
}

function packet(tag: number, body: Uint8Array): Uint8Array {
  const { length } = body
  const encoded =
    length < 192
      ? Uint8Array.of(length)
      : Uint8Array.of(((length - 192) >> 8) + 192, (length - 192) & 255)
  return concat(Uint8Array.of(0xc0 | tag), encoded, body)
}

function subpacket(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts)
  return concat(Uint8Array.of(body.length + 1, type), body)
}

/** A multiprecision integer: its length in bits, then its bytes without leading zeros. */
function integer(bytes: Uint8Array): Uint8Array {
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  const bits = significant.length * 8 - Math.clz32(significant[0] ?? 0) + 24
  return concat(uint(2, bits), significant)
}

/** Algorithms 22 and 18 with a curve and a prefixed point, or 27 and 25 with the key itself. */
function keyBody(format: Format, key: Uint8Array, use: 'signing' | 'agreement'): Uint8Array {
  const isSigning = use === 'signing'
  if (format === 'v6') {
    const algorithm = Uint8Array.of(isSigning ? 27 : 25)
    return concat(Uint8Array.of(6), uint(4, created), algorithm, uint(4, key.length), key)
  }
  const curve = Buffer.from(isSigning ? '092b06010401da470f01' : '0a2b060104019755010501', 'hex')
  const derivation = isSigning ? new Uint8Array(0) : Uint8Array.of(3, 1, 8, 7)
  const algorithm = Uint8Array.of(isSigning ? 22 : 18)
  const point = integer(concat(Uint8Array.of(0x40), key))
  return concat(Uint8Array.of(4), uint(4, created), algorithm, curve, point, derivation)
}

function keyInput(format: Format, body: Uint8Array): Uint8Array {
  return format === 'v4'
    ? concat(Uint8Array.of(0x99), uint(2, body.length), body)
    : concat(Uint8Array.of(0x9b), uint(4, body.length), body)
}

function fingerprint(format: Format, body: Uint8Array): Uint8Array {
  return (format === 'v4' ? sha1 : sha256)(keyInput(format, body))
}

/** A signature of Alice's primary key with SHA-512. */
function sign(format: Format, type: number, hashed: Uint8Array, input: Uint8Array): Signature {
  const isV6 = format === 'v6'
  const version = isV6 ? 6 : 4
  const width = isV6 ? 4 : 2
  const salt = isV6 ? testSecret(`salt/${type}`) : new Uint8Array(0)
  const head = concat(
    Uint8Array.of(version, type, isV6 ? 27 : 22, 10),
    uint(width, hashed.length),
    hashed
  )
  const trailer = concat(Uint8Array.of(version, 0xff), uint(4, head.length))
  const hash = createHash('sha512').update(concat(salt, input, head, trailer))
  const digest = new Uint8Array(hash.digest())
  const signature = alice.signing.sign(digest)
  const body = concat(
    head,
    uint(width, 0),
    digest.subarray(0, 2),
    ...(isV6
      ? [Uint8Array.of(salt.length), salt, signature]
      : [integer(signature.subarray(0, 32)), integer(signature.subarray(32))])
  )
  return { hashed, digest, body }
}
