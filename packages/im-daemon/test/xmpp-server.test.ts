import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { features } from '../src/xmpp/features/feature-list.ts'
import type { Moment, XmppServerEffect, XmppServerEvent } from '../src/xmpp/server-events.ts'
import { maxClientsPerAccount, XmppServer } from '../src/xmpp/server.ts'
import type { ContactView } from '../src/xmpp/xmpp-account.ts'
import { countingRandom, testCredentials } from './scripts/fixtures.ts'

const start =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
const now: Moment = { unixSeconds: 1_795_442_520, monotonicMs: 0 }

/** A server with the account alice, her contact amy, and ways to talk to it. */
class Harness {
  readonly contacts: ContactView[] = [{ alias: 'amy', groups: [], state: 'online' }]
  readonly server: XmppServer = new XmppServer(
    {
      random: countingRandom(),
      accounts: {
        credentialsOf: (account) =>
          account === 'alice' || account === 'zoe' ? testCredentials : undefined,
        contactsOf: () => this.contacts
      }
    },
    { domain: 'localhost', version: '0' }
  )

  step(event: XmppServerEvent, at: Moment = now): readonly XmppServerEffect[] {
    return this.server.step(event, at)
  }

  send(connection: number, data: string | Uint8Array): readonly XmppServerEffect[] {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    return this.step({ kind: 'received', connection, bytes })
  }

  logIn(connection: number, account = 'alice', resource = 'r'): string {
    this.step({ kind: 'connection-opened', connection, secure: true })
    this.send(connection, start)
    const plain = Buffer.from(`\0${account}\0secret`).toString('base64')
    this.send(
      connection,
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`
    )
    this.send(connection, start)
    return written(
      this.send(
        connection,
        `<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`
      ),
      connection
    )
  }
}

function written(effects: readonly XmppServerEffect[], connection: number): string {
  return effects
    .map((effect) =>
      effect.kind === 'write' && effect.connection === connection ? effect.text : ''
    )
    .join('')
}

const stanzaNoise = fc.array(
  fc.oneof(
    fc.constantFrom(
      '<message',
      '<presence',
      '<iq',
      ' to=',
      "'amy@localhost'",
      "'alice@localhost/r'",
      " type='",
      "subscribe'",
      "unavailable'",
      "get'",
      "set' id='1'",
      '>',
      '/>',
      '<body>',
      '</body>',
      '</message>',
      '</iq>',
      '</presence>',
      "<query xmlns='jabber:iq:roster'",
      "<query xmlns='jabber:iq:private'",
      '<priority>',
      '999',
      '</stream:stream>',
      '<!--',
      '&lt;',
      '😀'
    ),
    fc.string()
  ),
  { maxLength: 30 }
)

describe('the XMPP server', () => {
  test('shrugs off whatever one client sends, before and after login, and serves the others', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            stanzaNoise.map((parts) => Buffer.from(parts.join('')))
          ),
          { maxLength: 6 }
        ),
        (loggedIn, packets) => {
          const harness = new Harness()
          harness.logIn(1, 'alice', 'good')
          if (loggedIn) harness.logIn(2)
          else harness.step({ kind: 'connection-opened', connection: 2, secure: false })
          for (const packet of packets) harness.send(2, packet)
          harness.step({ kind: 'tick' }, { unixSeconds: now.unixSeconds, monotonicMs: 60_000 })
          harness.step({ kind: 'connection-closed', connection: 2 })
          const answer = harness.send(
            1,
            "<iq type='get' id='still' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
          )
          expect(written(answer, 1)).toContain("id='still'")
        }
      ),
      { numRuns: 300 }
    )
  })

  test.each([
    [
      'a stanza of ten megabytes',
      `<message to='amy@localhost'><body>${'x'.repeat(10_000_000)}</body></message>`
    ],
    ['a name of ten megabytes', `<${'x'.repeat(10_000_000)}`],
    ['a hundred thousand levels', '<a>'.repeat(100_000)]
  ])('answers %s with policy-violation and closes', (_what, stanza) => {
    const harness = new Harness()
    harness.logIn(1)
    const effects = harness.send(1, stanza)
    expect(written(effects, 1)).toMatch(
      /<stream:error><policy-violation [^>]*\/><\/stream:error><\/stream:stream>$/
    )
    expect(effects.at(-1)).toEqual({ kind: 'close', connection: 1 })
  })

  test('takes a stanza of 200 KiB after login and refuses one of 20 KiB before', () => {
    const harness = new Harness()
    harness.logIn(1)
    const long = `<message to='amy@localhost' id='1'><x>${'x'.repeat(200_000)}</x><body>hi</body></message>`
    expect(harness.send(1, long).map(({ kind }) => kind)).toEqual(['send-message'])
    harness.step({ kind: 'connection-opened', connection: 2, secure: true })
    harness.send(2, start)
    const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${'A'.repeat(20_000)}`
    expect(written(harness.send(2, auth), 2)).toContain('<policy-violation')
  })

  test('says no to a body that fits into no payload', () => {
    const harness = new Harness()
    harness.logIn(1)
    const effects = harness.send(
      1,
      `<message to='amy@localhost' id='1'><body>${'é'.repeat(70_000)}</body></message>`
    )
    expect(written(effects, 1)).toContain('<not-acceptable')
    expect(effects).toHaveLength(1)
  })

  test('keeps accounts apart, though their contacts may have the same names', () => {
    const harness = new Harness()
    harness.logIn(1, 'alice')
    harness.logIn(2, 'zoe')
    expect(
      harness
        .send(2, '<presence/>')
        .every((effect) => !('connection' in effect) || effect.connection === 2)
    ).toBe(true)
    expect(
      written(harness.send(1, "<message to='zoe@localhost' id='1'><body>x</body></message>"), 1)
    ).toContain('<item-not-found')
    const arrived = harness.step({
      kind: 'message-arrived',
      account: 'zoe',
      from: 'amy',
      message: { id: '1', body: 'x', sentAt: now.unixSeconds }
    })
    expect(written(arrived, 1)).toBe('')
    expect(written(arrived, 2)).toContain('<body>x</body>')
  })

  test('gives a resource in use to nobody else, and lets in only so many clients', () => {
    const harness = new Harness()
    expect(harness.logIn(1)).toContain('<jid>alice@localhost/r</jid>')
    expect(harness.logIn(2)).toMatch(/<jid>alice@localhost\/r\.[0-9a-f]{8}<\/jid>/)
    for (let connection = 3; connection <= maxClientsPerAccount; connection++)
      harness.logIn(connection)
    expect(harness.logIn(100)).toContain('<resource-constraint')
    harness.step({ kind: 'connection-closed', connection: 1 })
    expect(harness.logIn(101)).toContain('<jid>alice@localhost/r</jid>')
  })

  test('reads the contacts anew when the first client comes', () => {
    const harness = new Harness()
    harness.logIn(1)
    harness.step({ kind: 'connection-closed', connection: 1 })
    harness.contacts.push({ alias: 'bob', groups: [], state: 'offline' })
    harness.logIn(2)
    const roster = written(
      harness.send(2, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>"),
      2
    )
    expect(roster).toContain("jid='bob@localhost'")
  })

  test('hands private XML out again that was stored before it was started', () => {
    const server = new XmppServer(
      {
        random: countingRandom(),
        accounts: {
          credentialsOf: () => testCredentials,
          contactsOf: () => [],
          privateXmlOf: (_account, key) =>
            key === '{urn:x}a' ? "<a xmlns='urn:x'>kept</a>" : undefined
        }
      },
      { domain: 'localhost', version: '0' }
    )
    const harness = Object.assign(new Harness(), { server })
    harness.logIn(1)
    const answer = harness.send(
      1,
      "<iq type='get' id='1'><query xmlns='jabber:iq:private'><a xmlns='urn:x'/></query></iq>"
    )
    expect(written(answer, 1)).toContain("<a xmlns='urn:x'>kept</a>")
  })

  test('answers each request of each feature, and refuses it where it does not belong', () => {
    const harness = new Harness()
    harness.logIn(1)
    for (const { iq = [] } of features) {
      for (const { type, name, namespace, targets } of iq) {
        for (const [kind, to] of [
          ['server', 'localhost'],
          ['account', 'alice@localhost'],
          ['contact', 'amy@localhost']
        ] as const) {
          const reply = written(
            harness.send(
              1,
              `<iq type='${type}' id='1' to='${to}'><${name} xmlns='${namespace}'/></iq>`
            ),
            1
          )
          expect(reply.match(/<iq /g)).toHaveLength(1)
          expect(reply.includes('<service-unavailable')).toBe(!targets.includes(kind))
        }
      }
    }
  })
})
