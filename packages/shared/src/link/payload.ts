import { Tokenizer, Type, decode, encode } from 'cborg'
import type { DecodeOptions, Token } from 'cborg'

import { textOf, utf8 } from '../crypto/bytes.ts'

/** Version of the payloads' form; a receiver ignores payloads of a version that it does not know. */
const payloadVersion = 1

/** Bytes of an incarnation: names one life of a sender's message counter. */
export const incarnationBytes = 16

/** Longest text of a message in bytes of UTF-8. */
export const maxMessageBodyBytes = 131_072

const maxIdBytes = 256
const maxStatusBytes = 1_024
const shows = ['away', 'chat', 'dnd', 'xa'] as const

/** How available a person says to be; absent means simply available (RFC 6121 §4.7.2.1). */
export type PayloadShow = (typeof shows)[number]

/** The sender's availability: the paper's presence message. The first payload of every link. */
export interface PresencePayload {
  readonly kind: 'presence'
  /** Whether the person can be talked to now; a daemon without a user in front of it says false. */
  readonly available: boolean
  readonly show?: PayloadShow
  /** At most 1,024 bytes of UTF-8. */
  readonly text?: string
}

/** An instant message. `incarnation` and `counter` make it unique per sender and contact. */
export interface MessagePayload {
  readonly kind: 'message'
  /** 16 random bytes; a new one after a restore from a backup. */
  readonly incarnation: Uint8Array
  /** From 1, growing. */
  readonly counter: number
  /** The sending program's id of the message, at most 256 bytes. */
  readonly id: string
  /** At most {@link maxMessageBodyBytes} bytes of UTF-8. */
  readonly body: string
  /** When it was written, Unix seconds of the sender's clock. */
  readonly sentAt: number
}

/** The receiver has stored every message of `incarnation` up to `counter`. */
export interface ReceiptPayload {
  readonly kind: 'receipt'
  readonly incarnation: Uint8Array
  readonly counter: number
}

/** The sender logs out and closes the link. */
export interface ByePayload {
  readonly kind: 'bye'
}

/** Something from a newer version: ignored. */
export interface UnknownPayload {
  readonly kind: 'unknown'
}

/** What a link carries. */
export type Payload = PresencePayload | MessagePayload | ReceiptPayload | ByePayload

/** The payload in its envelope, as it goes into frames. */
export function encodePayload(payload: Payload): Uint8Array {
  const { kind, ...fields } = payload
  return encodeEnvelope(kind, fields)
}

/**
 * Reads a payload. Kinds and versions from the future are `unknown`; undefined where the bytes are not a payload at all
 * or a known kind breaks its own rules, on which the link is to be closed.
 */
export function decodePayload(bytes: Uint8Array): Payload | UnknownPayload | undefined {
  const envelope = decodeEnvelope(bytes)
  return envelope && decodeFields(envelope.kind, envelope.fields)
}

/** CBOR (RFC 8949) of `[version, kind, fields]`, deterministic; fields that are undefined are left out. */
export function encodeEnvelope(kind: string, fields: Fields): Uint8Array {
  return encode([payloadVersion, kind, fields], { ignoreUndefinedProperties: true })
}

/**
 * Whether a message can be sent: what a sender checks before it stores one, because the other side closes the link on one
 * that breaks the rules.
 */
export function isSendableMessage(
  message: Pick<MessagePayload, 'id' | 'body' | 'sentAt'>
): boolean {
  const { id, body, sentAt } = message
  return isText(id, maxIdBytes) && isText(body, maxMessageBodyBytes) && isCount(sentAt)
}

const decodeOptions: DecodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  rejectDuplicateMapKeys: true
}

/** No field is a float: decoded, 1.0 could not be told from 1, and one value would have two encodings. */
class FloatlessTokenizer extends Tokenizer {
  override next(): Token {
    const token = super.next()
    if (Type.equals(token.type, Type.float)) throw new TypeError('payloads have no floats')
    return token
  }
}

/** Opens an envelope; of a version from the future the kind is `unknown`. Undefined where the bytes are not an envelope. */
export function decodeEnvelope(
  bytes: Uint8Array
): { readonly kind: string; readonly fields: Fields } | undefined {
  // A Buffer would give fields that are Buffers.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const tokenizer = new FloatlessTokenizer(plain, decodeOptions)
  let decoded: unknown
  try {
    decoded = decode(plain, { ...decodeOptions, tokenizer })
  } catch {
    // Whatever the decoder objects to, the answer is the same.
    return undefined
  }
  if (!Array.isArray(decoded) || decoded.length < 2) return undefined
  const [version, kind, fields] = decoded as readonly unknown[]
  if (typeof version !== 'number' || typeof kind !== 'string') return undefined
  return {
    kind: version === payloadVersion ? kind : 'unknown',
    fields: isRecord(fields) ? fields : {}
  }
}

/** What an envelope holds, by name. */
export type Fields = Readonly<Record<string, unknown>>

function decodeFields(kind: string, fields: Fields): Payload | UnknownPayload | undefined {
  switch (kind) {
    case 'presence':
      return decodePresence(fields)
    case 'message':
      return decodeMessage(fields)
    case 'receipt': {
      const position = decodePosition(fields)
      return position && { kind: 'receipt', ...position }
    }
    case 'bye':
      return { kind: 'bye' }
    default:
      return { kind: 'unknown' }
  }
}

function decodePresence(fields: Fields): PresencePayload | undefined {
  const { available, show, text } = fields
  if (typeof available !== 'boolean') return undefined
  if (text !== undefined && !isText(text, maxStatusBytes)) return undefined
  return {
    kind: 'presence',
    available,
    ...(isShow(show) ? { show } : {}),
    ...(text === undefined ? {} : { text })
  }
}

function decodeMessage(fields: Fields): MessagePayload | undefined {
  const position = decodePosition(fields)
  const { id, body, sentAt } = fields
  if (!position || typeof id !== 'string' || typeof body !== 'string' || typeof sentAt !== 'number')
    return undefined
  if (!isSendableMessage({ id, body, sentAt })) return undefined
  return { kind: 'message', ...position, id, body, sentAt }
}

function decodePosition(
  fields: Fields
): { readonly incarnation: Uint8Array; readonly counter: number } | undefined {
  const { incarnation, counter } = fields
  return incarnation instanceof Uint8Array &&
    incarnation.length === incarnationBytes &&
    isCount(counter)
    ? { incarnation, counter }
    : undefined
}

function isRecord(value: unknown): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  )
}

function isShow(value: unknown): value is PayloadShow {
  return shows.some((show) => show === value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Valid UTF-8 of bounded length: a lone surrogate could not be sent on. */
function isText(value: unknown, maxBytes: number): value is string {
  if (typeof value !== 'string' || value.length > maxBytes) return false
  const bytes = utf8(value)
  return bytes.length <= maxBytes && textOf(bytes) === value
}
