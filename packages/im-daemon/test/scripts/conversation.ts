import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

import { ns } from '../../src/xmpp/namespaces.ts'
import type { Moment, XmppServerEffect, XmppServerEvent } from '../../src/xmpp/server-events.ts'
import { XmppServer } from '../../src/xmpp/server.ts'
import type { ContactView } from '../../src/xmpp/xmpp-account.ts'
import { XmlElement } from '../../src/xmpp/xml/element.ts'
import type { XmlNode } from '../../src/xmpp/xml/element.ts'
import { serialize } from '../../src/xmpp/xml/serializer.ts'
import { XmlStreamParser } from '../../src/xmpp/xml/stream-parser.ts'
import { countingRandom, testCredentials } from './fixtures.ts'

/**
 * A conversation with the server as a readable page. One step a line; a line that begins with a space continues the one
 * before; `#` begins a comment.
 *
 *     contact alice {…}      alice has this contact before anybody logs in
 *     connect phone          a client connects
 *     login phone alice      it connects, logs in as alice and binds the resource "phone"
 *     phone > <xml/>         the client sends
 *     phone < <xml/>         the client gets; the value * stands for anything
 *     phone starts-tls       the server wants to start TLS;  phone tls: it has
 *     phone closed           the server closes;  drop phone: the connection breaks
 *     tell {…}               an event of the daemon
 *     effect {…}             an effect for the daemon; "*" stands for anything
 *     wait 31                seconds pass
 *
 * Whatever the server does that no line expects is a failure.
 */
export function playScript(file: URL): void {
  const stage = new Stage()
  for (const line of stepsOf(readFileSync(file, 'utf8'))) stage.play(line)
  stage.end()
}

function stepsOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll(/\n +/g, '')
    .split('\n')
}

const streamStart = `<stream:stream xmlns='${ns.client}' xmlns:stream='${ns.stream}' to='localhost' version='1.0'>`
const limits = { maxStanzaLength: 2 ** 24, maxDepth: 100 }

/** What has reached a client and was not expected yet. */
interface ClientSide {
  readonly id: number
  parser: XmlStreamParser
  readonly inbox: string[]
}

class Stage {
  readonly #contacts = new Map<string, ContactView[]>()
  readonly #server = new XmppServer(
    {
      random: countingRandom(),
      accounts: {
        credentialsOf: (account) => (account === 'alice' ? testCredentials : undefined),
        contactsOf: (account) => this.#contacts.get(account) ?? []
      }
    },
    { domain: 'localhost', version: '0.1.0' }
  )
  readonly #clients = new Map<string, ClientSide>()
  readonly #effects: XmppServerEffect[] = []
  #now: Moment = { unixSeconds: Date.UTC(2026, 10, 23, 14, 2) / 1000, monotonicMs: 5_000 }
  #line = ''

  play(line: string): void {
    this.#line = line
    const [, first = '', second = '', rest = ''] = /^(\S+) ?(\S*) ?(.*)$/s.exec(line) ?? []
    switch (first) {
      case 'contact':
        this.#contacts.set(second, [...(this.#contacts.get(second) ?? []), JSON.parse(rest)])
        return
      case 'connect':
        return this.#connect(second)
      case 'login':
        return this.#login(second, rest)
      case 'drop':
        return this.#step({ kind: 'connection-closed', connection: this.#client(second).id })
      case 'wait':
        this.#now = {
          unixSeconds: this.#now.unixSeconds + Number(second),
          monotonicMs: this.#now.monotonicMs + Number(second) * 1000
        }
        return this.#step({ kind: 'tick' })
      case 'tell':
        return this.#step(JSON.parse(line.slice(5)))
      case 'effect':
        return this.#expectEffect(JSON.parse(line.slice(7)))
    }
    const client = this.#client(first)
    if (second === '>') return this.#send(client, rest)
    if (second === '<') return this.#expectStanza(client, rest)
    if (second === 'tls') {
      client.parser = new XmlStreamParser(limits)
      return this.#step({ kind: 'tls-started', connection: client.id })
    }
    this.#check(client.inbox.shift(), `[${second}]`)
  }

  end(): void {
    this.#line = 'the end'
    this.#expectNothing()
  }

  /** What a step causes has to be expected before the next step. */
  #expectNothing(): void {
    for (const [name, { inbox }] of this.#clients) {
      this.#check({ [name]: inbox }, { [name]: [] })
    }
    this.#check(this.#effects, [])
  }

  #client(name: string): ClientSide {
    const client = this.#clients.get(name)
    if (client === undefined) throw new Error(`nobody is called ${name}: ${this.#line}`)
    return client
  }

  #connect(name: string): void {
    const id = this.#clients.size + 1
    this.#clients.set(name, { id, parser: new XmlStreamParser(limits), inbox: [] })
    this.#step({ kind: 'connection-opened', connection: id, secure: false })
  }

  #login(name: string, account: string): void {
    this.#connect(name)
    const client = this.#client(name)
    this.#quietly(client, streamStart)
    const plain = Buffer.from(`\0${account}\0secret`).toString('base64')
    this.#quietly(client, `<auth xmlns='${ns.sasl}' mechanism='PLAIN'>${plain}</auth>`)
    this.#quietly(client, streamStart)
    this.#send(
      client,
      `<iq type='set' id='b'><bind xmlns='${ns.bind}'><resource>${name}</resource></bind></iq>`
    )
    const [bound = ''] = client.inbox.splice(0)
    this.#check(bound.includes(`${account}@localhost/${name}`), true)
  }

  #quietly(client: ClientSide, text: string): void {
    this.#send(client, text)
    client.inbox.splice(0)
  }

  #send(client: ClientSide, text: string): void {
    if (text.includes('<stream:stream')) client.parser = new XmlStreamParser(limits)
    this.#step({ kind: 'received', connection: client.id, bytes: Buffer.from(text) })
  }

  #step(event: XmppServerEvent): void {
    this.#expectNothing()
    for (const effect of this.#server.step(event, this.#now)) {
      if ('connection' in effect) this.#toClient(effect)
      else this.#effects.push(effect)
    }
  }

  #toClient(effect: Extract<XmppServerEffect, { readonly connection: number }>): void {
    const client = [...this.#clients.values()].find(({ id }) => id === effect.connection)
    if (client === undefined) return
    if (effect.kind === 'close') client.inbox.push('[closed]')
    if (effect.kind === 'start-tls') client.inbox.push('[starts-tls]')
    if (effect.kind !== 'write') return
    for (const event of client.parser.push(Buffer.from(effect.text))) {
      if (event.kind === 'failed') throw new Error(`the server wrote bad XML: ${effect.text}`)
      if (event.kind === 'element') client.inbox.push(serialize(event.element))
      if (event.kind === 'stream-opened') client.inbox.push(serialize(event.header))
      if (event.kind === 'stream-closed') client.inbox.push('</stream:stream>')
    }
  }

  #expectStanza(client: ClientSide, text: string): void {
    const actual = client.inbox.shift()
    if (text === '</stream:stream>' || actual === undefined || !actual.startsWith('<')) {
      return this.#check(actual, text)
    }
    const pattern = parse(text)
    const got = actual === '</stream:stream>' ? actual : canonical(masked(parse(actual), pattern))
    this.#check(got, canonical(pattern))
  }

  #expectEffect(pattern: unknown): void {
    this.#check(maskedJson(this.#effects.shift(), pattern), pattern)
  }

  #check(actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) return
    const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value, undefined, 1))
    throw new Error(`${this.#line}\n  got:      ${got}\n  expected: ${wanted}`)
  }
}

/** JSON with `*` wherever the pattern has it. */
function maskedJson(actual: unknown, pattern: unknown): unknown {
  if (pattern === '*') return '*'
  if (!isObject(actual) || !isObject(pattern)) return actual
  return Object.fromEntries(
    Object.entries(actual).map(([key, value]) => [key, maskedJson(value, pattern[key])])
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An element, or the opening of a stream, in the namespaces of a client's stream. */
function parse(text: string): XmlElement {
  const header = text.includes('stream:stream')
  const wrapped = header
    ? text.replace(/ ?\/?>$/, ` xmlns:stream='${ns.stream}'>`)
    : `${streamStart}${text}`
  const events = new XmlStreamParser(limits).push(Buffer.from(wrapped))
  const event = events.at(-1)
  if (event?.kind === 'element') return event.element
  if (event?.kind === 'stream-opened') return event.header
  throw new Error(`this is not XML: ${text}`)
}

/** The element with `*` wherever the pattern has it. */
function masked(actual: XmlElement, pattern: XmlElement): XmlElement {
  const attributes = new Map(
    [...actual.attributes].map(([name, value]) => [
      name,
      pattern.attribute(name) === '*' ? '*' : value
    ])
  )
  const children = actual.children.map((child, i): XmlNode => {
    const other = pattern.children[i]
    if (typeof child === 'string') return other === '*' ? '*' : child
    return other instanceof XmlElement ? masked(child, other) : child
  })
  return new XmlElement(actual.name, actual.namespace, attributes, children)
}

function canonical(element: XmlElement): string {
  const sorted = (node: XmlElement): XmlElement =>
    new XmlElement(
      node.name,
      node.namespace,
      new Map([...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1))),
      node.children.map((child) => (typeof child === 'string' ? child : sorted(child)))
    )
  return serialize(sorted(element), { defaultNamespace: ns.client, prefixes: new Map() })
}
