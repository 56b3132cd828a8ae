import { base64, fromBase64, textOf, utf8 } from '@hushlamp/shared'
import type { Random } from '@hushlamp/shared'

import { sameBytes, scramDigest, scramHmac } from './credentials.ts'
import type { ScramHash } from './credentials.ts'
import { saslFailure } from './sasl-exchange.ts'
import type {
  ResolvedName,
  SaslComponents,
  SaslExchange,
  SaslMechanism,
  SaslReply
} from './sasl-exchange.ts'

const nonceBytes = 18

/** SCRAM-SHA-256 (RFC 7677). */
export const scramSha256: SaslMechanism = scramMechanism('SCRAM-SHA-256', 'sha256')

/** SCRAM-SHA-1 (RFC 5802). SHA-1 is sound inside of HMAC; some clients know no other SCRAM. */
export const scramSha1: SaslMechanism = scramMechanism('SCRAM-SHA-1', 'sha1')

/** A SCRAM mechanism; only test vectors bring a nonce of their own. */
export function scramMechanism(
  name: string,
  hash: ScramHash,
  serverNonce: (random: Random) => string = randomNonce
): SaslMechanism {
  return { name, start: (components) => new ScramExchange(components, { hash, serverNonce }) }
}

function randomNonce(random: Random): string {
  return base64(random.bytes(nonceBytes))
}

/** How an exchange is configured. */
interface ScramInit {
  readonly hash: ScramHash
  readonly serverNonce: (random: Random) => string
}

/** What the server remembers between the two messages of a client. */
interface FirstMessage {
  readonly gs2Header: string
  readonly authorization: string
  readonly clientFirstBare: string
  readonly serverFirst: string
  readonly nonce: string
  readonly resolved: ResolvedName
}

/** The server's side of SCRAM (RFC 5802 §5) without channel binding. */
class ScramExchange implements SaslExchange {
  readonly #components: SaslComponents
  readonly #hash: ScramHash
  readonly #serverNonce: (random: Random) => string
  #first: FirstMessage | undefined

  constructor(components: SaslComponents, init: ScramInit) {
    this.#components = components
    this.#hash = init.hash
    this.#serverNonce = init.serverNonce
  }

  respond(message: Uint8Array): SaslReply {
    const text = textOf(message)
    if (text === undefined) return saslFailure('malformed-request')
    if (this.#first !== undefined) return this.#final(this.#first, text)
    // RFC 6120 §6.4.2: a client that sent no initial response is asked for it.
    return text === '' ? { kind: 'challenge', data: new Uint8Array() } : this.#opening(text)
  }

  /** `client-first-message` (RFC 5802 §7). */
  #opening(text: string): SaslReply {
    // gs2-header: `p=…` asks for channel binding, which is not offered here.
    const header = /^([ny],(?:a=([^,]+))?,)(.*)$/s.exec(text)
    if (header === null) return saslFailure('malformed-request')
    const [, gs2Header = '', authorization = '', clientFirstBare = ''] = header
    // A mandatory extension (`m=…`) would stand first and is unknown.
    const bare = /^n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?$/s.exec(clientFirstBare)
    const name = unescapeName(bare?.[1] ?? '')
    const authorizationName = authorization === '' ? '' : unescapeName(authorization)
    const clientNonce = bare?.[2]
    if (!name || authorizationName === undefined || clientNonce === undefined) {
      return saslFailure('malformed-request')
    }
    const resolved = this.#components.resolve(name)
    const { salt, iterations } = resolved.credentials[this.#hash]
    const nonce = clientNonce + this.#serverNonce(this.#components.random)
    const serverFirst = `r=${nonce},s=${base64(salt)},i=${iterations}`
    this.#first = {
      gs2Header,
      authorization: authorizationName,
      clientFirstBare,
      serverFirst,
      nonce,
      resolved
    }
    return { kind: 'challenge', data: utf8(serverFirst) }
  }

  /** `client-final-message` (RFC 5802 §7). */
  #final(first: FirstMessage, text: string): SaslReply {
    const parts = /^((c=([^,]+),r=([^,]+)(?:,.*)?),p=)([^,]+)$/s.exec(text)
    const [, , withoutProof = '', binding = '', nonce = '', proofText = ''] = parts ?? []
    const proof = fromBase64(proofText)
    const channelBinding = fromBase64(binding)
    const { storedKey, serverKey } = first.resolved.credentials[this.#hash]
    if (parts === null || proof?.length !== storedKey.length || channelBinding === undefined) {
      return saslFailure('malformed-request')
    }
    if (nonce !== first.nonce || textOf(channelBinding) !== first.gs2Header) {
      return saslFailure('not-authorized')
    }
    const authMessage = utf8(`${first.clientFirstBare},${first.serverFirst},${withoutProof}`)
    const signature = scramHmac(this.#hash, storedKey, authMessage)
    const clientKey = proof.map((byte, i) => byte ^ (signature[i] ?? 0))
    const matches = sameBytes(scramDigest(this.#hash, clientKey), storedKey)
    const { account } = first.resolved
    if (!matches || account === undefined) return saslFailure('not-authorized')
    if (
      first.authorization !== '' &&
      this.#components.resolve(first.authorization).account !== account
    ) {
      return saslFailure('invalid-authzid')
    }
    const serverSignature = scramHmac(this.#hash, serverKey, authMessage)
    return { kind: 'success', account, data: utf8(`v=${base64(serverSignature)}`) }
  }
}

/** `saslname` (RFC 5802 §5.1): comma and equals sign are written `=2C` and `=3D`. */
function unescapeName(name: string): string | undefined {
  if (/=(?!2C|3D)/.test(name)) return undefined
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
