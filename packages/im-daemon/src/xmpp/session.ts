import { hex } from '@hushlamp/shared'
import type { Machine, Random } from '@hushlamp/shared'

import type { Framing } from './framing.ts'
import { bareJid, jidText, parseJid, prepareResource } from './jid.ts'
import type { Jid } from './jid.ts'
import { ns } from './namespaces.ts'
import { SaslNegotiation } from './sasl/sasl-negotiation.ts'
import type { ResolvedName } from './sasl/sasl-exchange.ts'
import type { Moment } from './server-events.ts'
import type { SessionEffect, SessionEvent } from './session-events.ts'
import { limitsAfterLogin, limitsBeforeLogin, loginTimeoutMs } from './session-limits.ts'
import { refusal } from './stanza-errors.ts'
import type { StanzaError } from './stanza-errors.ts'
import { streamError } from './stream-errors.ts'
import type { StreamErrorCondition } from './stream-errors.ts'
import { xml } from './xml/element.ts'
import type { XmlElement } from './xml/element.ts'
import type { XmlLimits, XmlStreamEvent, XmlStreamParser } from './xml/stream-parser.ts'

/** What a session needs from the server. */
export interface XmppSessionComponents {
  readonly random: Random
  readonly framing: Framing
  /** See {@link SaslComponents.resolve}. */
  readonly resolve: (name: string) => ResolvedName
}

/** How a session is configured. */
export interface XmppSessionInit {
  readonly domain: string
  readonly secure: boolean
  readonly offerStartTls: boolean
  /** Further stream features for a client that is logged in. */
  readonly streamFeatures: readonly XmlElement[]
  readonly openedAt: Moment
}

type Phase = 'awaiting-header' | 'negotiating' | 'starting-tls' | 'closed'

/**
 * One stream of one client as a pure machine (RFC 6120 §4–§7): header, features, STARTTLS, login, resource; from then on
 * it hands out stanzas. Whatever the client sends, the answer is a stanza, a stream error or silence.
 */
export class XmppSession implements Machine<SessionEvent, SessionEffect, Moment> {
  readonly #components: XmppSessionComponents
  readonly #init: XmppSessionInit
  #phase: Phase = 'awaiting-header'
  #secure: boolean
  #parser: XmlStreamParser
  #sasl: SaslNegotiation
  #headerSent = false
  #account: string | undefined
  #bindRequest: XmlElement | undefined
  #delayed: XmlElement[] = []
  #jid: Jid | undefined
  #effects: SessionEffect[] = []

  constructor(components: XmppSessionComponents, init: XmppSessionInit) {
    this.#components = components
    this.#init = init
    this.#secure = init.secure
    this.#parser = components.framing.parser(limitsBeforeLogin)
    this.#sasl = new SaslNegotiation(components)
  }

  /** The client's full address once a resource is bound. */
  get jid(): Jid | undefined {
    return this.#jid
  }

  /** @inheritdoc */
  step(event: SessionEvent, now: Moment): readonly SessionEffect[] {
    this.#effects = []
    if (this.#phase === 'closed') return this.#effects
    switch (event.kind) {
      case 'received':
        this.#receive(event.bytes)
        break
      case 'tls-started':
        if (this.#phase === 'starting-tls') this.#restart(limitsBeforeLogin, true)
        break
      case 'resource-bound':
        this.#bound(event.resource)
        break
      case 'bind-refused':
        this.#bindRefused(event.error)
        break
      case 'end':
        this.#fail(event.condition, event.text)
        break
      case 'connection-closed':
        this.#finish()
        break
      case 'tick':
        if (now.monotonicMs - this.#init.openedAt.monotonicMs >= loginTimeoutMs) this.#timeout()
        break
    }
    return this.#effects
  }

  #receive(bytes: Uint8Array): void {
    // Between <proceed/> and the handshake nothing may come in the clear: whatever does is not the client's.
    if (this.#phase === 'starting-tls') return this.#close()
    const parser = this.#parser
    const events = parser.push(bytes)
    for (const [i, event] of events.entries()) {
      if (this.#isClosed()) return
      this.#handle(event, i === events.length - 1 && parser.atBoundary)
    }
  }

  /** `last`: nothing has been received behind this event. */
  #handle(event: XmlStreamEvent, last: boolean): void {
    switch (event.kind) {
      case 'stream-opened':
        return this.#open(event.header, event.contentNamespace)
      case 'element':
        return this.#element(event.element, last)
      case 'stream-closed':
        return this.#close(this.#components.framing.closing())
      case 'failed':
        return this.#fail(event.condition)
    }
  }

  #open(header: XmlElement, contentNamespace: string): void {
    const from = parseJid(header.attribute('from') ?? '')
    this.#sendHeader(from && bareJid(from))
    if (header.namespace !== ns.stream) return this.#fail('invalid-namespace')
    if (header.name !== 'stream') return this.#fail('bad-format')
    if (contentNamespace !== ns.client) return this.#fail('invalid-namespace')
    const to = header.attribute('to') ?? this.#init.domain
    if (to.toLowerCase() !== this.#init.domain) {
      return this.#fail('host-unknown', `This is ${this.#init.domain}.`)
    }
    if (!/^[1-9]\d{0,3}\.\d{1,4}$/.test(header.attribute('version') ?? '')) {
      return this.#fail('unsupported-version')
    }
    this.#phase = 'negotiating'
    this.#send(xml('features', ns.stream, {}, ...this.#features()))
  }

  #features(): readonly XmlElement[] {
    if (this.#account !== undefined) return [xml('bind', ns.bind), ...this.#init.streamFeatures]
    const starttls = this.#mayStartTls() ? [xml('starttls', ns.tls)] : []
    return [...starttls, SaslNegotiation.feature()]
  }

  #mayStartTls(): boolean {
    return this.#init.offerStartTls && !this.#secure
  }

  #element(element: XmlElement, last: boolean): void {
    if (this.#bindRequest !== undefined) {
      this.#delayed.push(element)
      return
    }
    if (this.#jid !== undefined) return this.#stanza(element, this.#jid)
    const isStanza = element.namespace === ns.client
    if (this.#account !== undefined) {
      const bind = element.is('iq', ns.client) ? element.child('bind', ns.bind) : undefined
      if (bind !== undefined) return this.#bind(element, bind, this.#account)
    } else if (element.namespace === ns.sasl) {
      return this.#login(element, last)
    } else if (element.is('starttls', ns.tls)) {
      return this.#startTls(last)
    }
    this.#fail(isStanza ? 'not-authorized' : 'unsupported-stanza-type')
  }

  /** RFC 6120 §5.4.2. Whatever stands behind `<starttls/>` could have been put there by somebody else. */
  #startTls(last: boolean): void {
    if (!last) return this.#fail('policy-violation', 'Wait for the answer before you go on.')
    if (!this.#mayStartTls()) {
      this.#send(xml('failure', ns.tls))
      return this.#close(this.#components.framing.closing())
    }
    this.#send(xml('proceed', ns.tls))
    this.#phase = 'starting-tls'
    this.#effects.push({ kind: 'start-tls' })
  }

  #login(element: XmlElement, last: boolean): void {
    const step = this.#sasl.step(element)
    if (step.account !== undefined && !last) {
      return this.#fail('policy-violation', 'Wait for the answer before you go on.')
    }
    this.#send(step.reply)
    if (step.account !== undefined) {
      this.#account = step.account
      this.#restart(limitsAfterLogin, this.#secure)
    } else if (step.exhausted === true) {
      this.#fail('policy-violation', 'Too many failed attempts to log in.')
    }
  }

  /** RFC 6120 §7.6, §7.7. */
  #bind(iq: XmlElement, bind: XmlElement, account: string): void {
    const wanted = bind.childText('resource')
    const resource = wanted === undefined ? undefined : prepareResource(wanted)
    this.#bindRequest = iq
    // An empty resource asks for any; one that cannot be prepared is a mistake of the client.
    const unusable = Boolean(wanted) && resource === undefined
    if (iq.attribute('type') !== 'set' || iq.attribute('id') === undefined || unusable) {
      return this.#bindRefused({ condition: 'bad-request' })
    }
    this.#effects.push({ kind: 'bind-requested', account, resource })
  }

  #bound(resource: string): void {
    const request = this.#bindRequest
    if (request === undefined || this.#account === undefined) return
    this.#jid = { local: this.#account, domain: this.#init.domain, resource }
    const bind = xml('bind', ns.bind, {}, xml('jid', ns.bind, {}, jidText(this.#jid)))
    this.#send(xml('iq', ns.client, { type: 'result', id: request.attribute('id') }, bind))
    this.#bindAnswered()
  }

  #bindRefused(error: StanzaError): void {
    if (this.#bindRequest === undefined) return
    this.#send(refusal(this.#bindRequest, undefined, error))
    this.#bindAnswered()
  }

  /** Goes on with what the client sent while it waited for its resource. */
  #bindAnswered(): void {
    this.#bindRequest = undefined
    for (const element of this.#delayed.splice(0)) {
      if (!this.#isClosed()) this.#element(element, true)
    }
  }

  /** RFC 6120 §8.1.2.1: a client speaks for itself alone. */
  #stanza(element: XmlElement, jid: Jid): void {
    if (element.namespace !== ns.client || !/^(?:iq|message|presence)$/.test(element.name)) {
      return this.#fail('unsupported-stanza-type')
    }
    const claimed = element.attribute('from')
    if (claimed !== undefined) {
      const from = parseJid(claimed)
      const text = from && jidText(from)
      if (text !== bareJid(jid) && text !== jidText(jid)) return this.#fail('invalid-from')
    }
    const stanza = element.withAttributes({ from: jidText(jid) })
    this.#effects.push({ kind: 'stanza', stanza })
  }

  #restart(limits: XmlLimits, secure: boolean): void {
    this.#secure = secure
    this.#parser = this.#components.framing.parser(limits)
    this.#headerSent = false
    this.#phase = 'awaiting-header'
  }

  #timeout(): void {
    if (this.#jid !== undefined) return
    if (this.#phase === 'starting-tls') return this.#close()
    this.#fail('connection-timeout', 'Log in within half a minute.')
  }

  #sendHeader(to?: string): void {
    this.#headerSent = true
    const id = hex(this.#components.random.bytes(12))
    const attributes = { from: this.#init.domain, to, id, version: '1.0', 'xml:lang': 'en' }
    this.#write(this.#components.framing.opening(attributes))
  }

  #fail(condition: StreamErrorCondition, text?: string): void {
    if (this.#phase === 'starting-tls') return this.#close()
    // RFC 6120 §4.9.1.2: also an error in the first breath needs a stream to stand in.
    if (!this.#headerSent) this.#sendHeader()
    this.#send(streamError(condition, text))
    this.#close(this.#components.framing.closing())
  }

  #close(lastWords?: string): void {
    if (lastWords !== undefined) {
      if (!this.#headerSent) this.#sendHeader()
      this.#write(lastWords)
    }
    this.#effects.push({ kind: 'close' })
    this.#finish()
  }

  #finish(): void {
    this.#phase = 'closed'
    this.#effects.push({ kind: 'ended' })
  }

  #isClosed(): boolean {
    return this.#phase === 'closed'
  }

  #send(element: XmlElement): void {
    this.#write(this.#components.framing.element(element))
  }

  #write(text: string): void {
    this.#effects.push({ kind: 'write', text })
  }
}
