import { base64, fromBase64 } from '@hushlamp/shared'

import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import { plain } from './plain.ts'
import { saslFailure } from './sasl-exchange.ts'
import type { SaslComponents, SaslExchange, SaslMechanism, SaslReply } from './sasl-exchange.ts'
import { scramSha1, scramSha256 } from './scram.ts'

/** The mechanisms on offer, the preferred one first. */
export const saslMechanisms: readonly SaslMechanism[] = [scramSha256, scramSha1, plain]

/** Failed attempts after which a stream is closed (RFC 6120 §6.4.5 recommends 2 to 5). */
export const maxSaslAttempts = 5

/** What the stream does about a SASL element. */
export interface SaslStep {
  readonly reply: XmlElement
  /** The client is logged in to this account. */
  readonly account?: string
  /** The client has failed too often. */
  readonly exhausted?: boolean
}

/** The part of a stream in which a client logs in (RFC 6120 §6). */
export class SaslNegotiation {
  readonly #components: SaslComponents
  #exchange: SaslExchange | undefined
  #failures = 0

  constructor(components: SaslComponents) {
    this.#components = components
  }

  /** `<mechanisms/>` for the stream features (RFC 6120 §6.4.1). */
  static feature(): XmlElement {
    const names = saslMechanisms.map(({ name }) => xml('mechanism', ns.sasl, {}, name))
    return xml('mechanisms', ns.sasl, {}, ...names)
  }

  /** Takes an element of the SASL namespace. Never throws. */
  step(element: XmlElement): SaslStep {
    const reply = this.#replyTo(element)
    switch (reply.kind) {
      case 'challenge':
        return { reply: xml('challenge', ns.sasl, {}, base64(reply.data)) }
      case 'success':
        this.#exchange = undefined
        return {
          reply: xml('success', ns.sasl, {}, base64(reply.data)),
          account: reply.account
        }
      case 'failure':
        this.#exchange = undefined
        this.#failures++
        return {
          reply: xml('failure', ns.sasl, {}, xml(reply.condition, ns.sasl)),
          exhausted: this.#failures >= maxSaslAttempts
        }
    }
  }

  #replyTo(element: XmlElement): SaslReply {
    switch (element.name) {
      case 'auth': {
        const name = element.attribute('mechanism')
        const mechanism = saslMechanisms.find((candidate) => candidate.name === name)
        if (mechanism === undefined) return saslFailure('invalid-mechanism')
        this.#exchange = mechanism.start(this.#components)
        return this.#feed(this.#exchange, element)
      }
      case 'response':
        return this.#exchange === undefined
          ? saslFailure('malformed-request')
          : this.#feed(this.#exchange, element)
      case 'abort':
        return saslFailure('aborted')
      default:
        return saslFailure('malformed-request')
    }
  }

  #feed(exchange: SaslExchange, element: XmlElement): SaslReply {
    const text = element.text().trim()
    // RFC 6120 §6.4.2: `=` stands for a message of no bytes.
    const message = text === '=' ? new Uint8Array() : fromBase64(text)
    return message === undefined ? saslFailure('incorrect-encoding') : exchange.respond(message)
  }
}
