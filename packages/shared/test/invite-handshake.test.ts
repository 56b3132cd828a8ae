import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  GuestMachine,
  answerInvite,
  certificateSteps,
  concat,
  decideInviteUse,
  decodeInvitePayload,
  encodeInvitePayload,
  handshakeMessage1Bytes,
  handshakeMessage2Bytes,
  handshakeTimeoutMs,
  hex,
  identityBytes,
  initiateInvite,
  inviteMessage3Bytes,
  maxCertificateBytes,
  recognise,
  utf8
} from '@hushlamp/shared'
import type { InviteAttempt, InvitePayload } from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import { encodeEnvelope } from '../src/link/payload.ts'
import {
  InviteWorld,
  certificateBytes,
  mainOnionKey,
  moment,
  onionKey,
  person
} from './invite-world.ts'
import type { Person, Session } from './invite-world.ts'

const random = seededRandom('invite handshake')
const empty = new Uint8Array(0)

const alice = person('alice')
const bob = person('bob')
const context = {
  inviter: alice.invite.inviter,
  expires: alice.invite.expires,
  keys: alice.keys,
  onionKey
}

function flipped(bytes: Uint8Array, position: number): Uint8Array {
  const copy = bytes.slice()
  copy[position] = (copy[position] ?? 0) ^ 1
  return copy
}

function began(): ReturnType<typeof initiateInvite> & object {
  const initiated = initiateInvite(context, bob.identity.agreement, random)
  if (!initiated) throw new Error('unusable test key')
  return initiated
}

function answered(
  message1: Uint8Array,
  change: Partial<typeof context> = {}
): ReturnType<typeof answerInvite> {
  return answerInvite(message1, { ...context, ...change }, alice.identity.agreement, random)
}

describe('The handshake of an invite', () => {
  test('gives both sides the same keys and the inviter the key of the guest', () => {
    const initiated = began()
    const answer = answered(initiated.message1)
    const finished = initiated.finish(answer?.message2 ?? empty)
    const accepted = answer?.finish(finished?.message3 ?? empty)
    expect(accepted?.guestKey).toEqual(bob.identity.presenceKey)
    expect(accepted?.linkKeys.receive).toEqual(finished?.linkKeys.send)
    expect(accepted?.linkKeys.send).toEqual(finished?.linkKeys.receive)
    expect(accepted?.linkKeys.handshakeHash).toEqual(finished?.linkKeys.handshakeHash)
    expect(finished?.linkKeys.send).not.toEqual(finished?.linkKeys.receive)
    expect(finished?.message3).toHaveLength(inviteMessage3Bytes)
  })

  test('begins like an ordinary link, so that neither form nor length tells an invite', () => {
    const initiated = began()
    expect(initiated.message1).toHaveLength(handshakeMessage1Bytes)
    expect(answered(initiated.message1)?.message2).toHaveLength(handshakeMessage2Bytes)
    expect(recognise(initiated.message1, [{ keys: alice.keys }])).toBeDefined()
    expect(recognise(initiated.message1, [{ keys: bob.keys }])).toBeUndefined()
  })

  test('shows the key of the guest only sealed, in message 3', () => {
    const initiated = began()
    const finished = initiated.finish(answered(initiated.message1)?.message2 ?? empty)
    const sent = hex(concat(initiated.message1, finished?.message3 ?? empty))
    expect(sent).not.toContain(hex(bob.identity.presenceKey))
  })

  test.each<[string, Partial<typeof context>]>([
    ['another expiry than the invite has', { expires: context.expires + 1 }],
    ['another onion service than the dialled one', { onionKey: testSecret('other') }],
    ['the keys of another invite', { keys: bob.keys }],
    ['another inviter', { inviter: { ...context.inviter, fingerprint: testSecret('x') } }]
  ])('fails at %s', (_what, change) => {
    expect(answered(began().message1, change)).toBeUndefined()
  })

  test('fails with any byte changed behind the mark', () => {
    const { message1 } = began()
    for (let i = 16; i < message1.length; i++)
      expect(answered(flipped(message1, i))).toBeUndefined()
    for (let i = 0; i < handshakeMessage2Bytes; i++) {
      const initiated = began()
      const message2 = answered(initiated.message1)?.message2 ?? empty
      expect(initiated.finish(flipped(message2, i))).toBeUndefined()
    }
    for (let i = 0; i < inviteMessage3Bytes; i++) {
      const initiated = began()
      const answer = answered(initiated.message1)
      const message3 = initiated.finish(answer?.message2 ?? empty)?.message3 ?? empty
      expect(answer?.finish(flipped(message3, i))).toBeUndefined()
    }
  })

  test('fails with messages of any other length', () => {
    const initiated = began()
    expect(answered(initiated.message1.subarray(1))).toBeUndefined()
    const answer = answered(initiated.message1)
    expect(
      initiated.finish(concat(answer?.message2 ?? empty, empty.slice(), utf8('x')))
    ).toBeUndefined()
    expect(answer?.finish(new Uint8Array(inviteMessage3Bytes + 1))).toBeUndefined()
  })

  test('fails towards keys of small order', () => {
    const inviter = { ...context.inviter, presenceKey: new Uint8Array(32) }
    const own = bob.identity.agreement
    expect(initiateInvite({ ...context, inviter }, own, random)).toBeUndefined()
    const zero = concat(new Uint8Array(32), new Uint8Array(16))
    expect(began().finish(zero)).toBeUndefined()
    expect(answered(concat(new Uint8Array(16), zero))).toBeUndefined()
  })
})

describe('The payloads of an invite', () => {
  const certificate = utf8('certificate')
  const payloads: InvitePayload[] = [
    { kind: 'join', certificate },
    { kind: 'join', certificate, pairSecret: empty },
    { kind: 'join', certificate: new Uint8Array(maxCertificateBytes), pairSecret: testSecret('s') },
    { kind: 'accepted', certificate, pairSecret: testSecret('s') },
    { kind: 'accepted', certificate, pairSecret: empty, onionKey },
    { kind: 'bye' }
  ]

  test('read back as they were written', () => {
    for (const payload of payloads)
      expect(decodeInvitePayload(encodeInvitePayload(payload))).toEqual(payload)
  })

  test('show the length of a certificate only as one of three', () => {
    const lengths = [0, 1, 900, 3_836, 3_837, 16_124, 16_125, maxCertificateBytes].map(
      (length) => encodeInvitePayload({ kind: 'join', certificate: new Uint8Array(length) }).length
    )
    expect(new Set(lengths).size).toBe(certificateSteps.length)
    expect(lengths[0]).toBe(lengths[3])
    expect(lengths[4]).toBe(lengths[5])
  })

  test('that are damaged are refused or are other payloads, never a crash', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads.filter((_, index) => index !== 2)),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (payload, position, change) => {
          const bytes = encodeInvitePayload(payload)
          const at = position % bytes.length
          bytes[at] = (bytes[at] ?? 0) ^ change
          const kind = decodeInvitePayload(bytes)?.kind
          expect([undefined, 'unknown', 'join', 'accepted', 'bye']).toContain(kind)
        }
      )
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeInvitePayload(bytes)
      })
    )
  })

  test.each<[string, object]>([
    ['a certificate that is not padded', { certificate: utf8('x'), pairSecret: empty }],
    [
      'a certificate longer than its padding',
      { certificate: new Uint8Array(3_840).fill(255), pairSecret: empty }
    ],
    [
      'padding that says something',
      { certificate: new Uint8Array(3_840).fill(1, 3_000), pairSecret: empty }
    ],
    ['no certificate', { pairSecret: empty }],
    [
      'a secret of another length',
      { certificate: new Uint8Array(3_840), pairSecret: utf8('short') }
    ],
    ['a secret that is no bytes', { certificate: new Uint8Array(3_840), pairSecret: 1 }],
    [
      'an onion key of another length',
      { certificate: new Uint8Array(3_840), pairSecret: empty, onionKey: empty }
    ]
  ])('are refused with %s', (_what, fields) => {
    expect(decodeInvitePayload(cbor(['accepted', fields]))).toBeUndefined()
    const joined = decodeInvitePayload(cbor(['join', fields]))
    expect(joined === undefined || 'onionKey' in fields).toBe(true)
  })

  test('of kinds from the future are unknown', () => {
    expect(decodeInvitePayload(cbor(['novel', {}]))).toEqual({ kind: 'unknown' })
  })
})

describe('The decision about a guest', () => {
  const [lower, higher] =
    hex(alice.identity.fingerprint) < hex(bob.identity.fingerprint) ? [alice, bob] : [bob, alice]
  const attempt = (
    inviter: Person,
    guest: Person,
    change: Partial<InviteAttempt> = {}
  ): InviteAttempt => ({
    invite: inviter.invite,
    usedBy: undefined,
    guest: guest.identity,
    standing: { type: 'stranger' },
    guestPairSecret: undefined,
    ...change
  })
  const secretOf = (decided: InviteAttempt): Uint8Array | undefined =>
    decideInviteUse(decided, moment)?.pairSecret

  test('accepts a stranger with the secret of the invite', () => {
    expect(decideInviteUse(attempt(alice, bob), moment)).toEqual({
      guestId: identityBytes(bob.identity),
      pairSecret: alice.invite.secret
    })
  })

  test('refuses everybody once the invite has expired', () => {
    expect(decideInviteUse(attempt(alice, bob), alice.invite.expires - 1)).toBeDefined()
    expect(decideInviteUse(attempt(alice, bob), alice.invite.expires)).toBeUndefined()
  })

  test('refuses whoever must not see us, ourselves, and everybody but the first', () => {
    expect(secretOf(attempt(alice, bob, { standing: { type: 'silent' } }))).toBeUndefined()
    expect(secretOf(attempt(alice, alice))).toBeUndefined()
    const usedBy = identityBytes(testIdentity('carol'))
    expect(secretOf(attempt(alice, bob, { usedBy }))).toBeUndefined()
  })

  test('accepts the first guest again, unless the contact was removed', () => {
    const usedBy = identityBytes(bob.identity)
    const standing = { type: 'contact', pairSecret: testSecret('kept') } as const
    expect(secretOf(attempt(alice, bob, { usedBy, standing }))).toEqual(testSecret('kept'))
    expect(secretOf(attempt(alice, bob, { usedBy }))).toBeUndefined()
  })

  test('leaves the secret of existing contacts as it is', () => {
    const standing = { type: 'contact', pairSecret: empty } as const
    const guestPairSecret = testSecret('theirs')
    expect(secretOf(attempt(alice, bob, { standing }))).toEqual(empty)
    expect(secretOf(attempt(alice, bob, { guestPairSecret }))).toEqual(guestPairSecret)
    const both = { standing, guestPairSecret }
    expect(secretOf(attempt(lower, higher, both))).toEqual(empty)
    expect(secretOf(attempt(higher, lower, both))).toEqual(guestPairSecret)
  })

  test('prefers the secret of the lower fingerprint where invites cross', () => {
    const crossing = (other: Person): Partial<InviteAttempt> => ({
      standing: { type: 'pending', pairSecret: other.invite.secret }
    })
    expect(secretOf(attempt(lower, higher, crossing(higher)))).toEqual(lower.invite.secret)
    expect(secretOf(attempt(higher, lower, crossing(lower)))).toEqual(lower.invite.secret)
  })
})

/** A fresh world, so that no test sees what another has stored. */
function world(): {
  readonly all: InviteWorld
  readonly alice: Person
  readonly bob: Person
  readonly carol: Person
} {
  const people = { alice: person(a), bob: person(b), carol: person(c) }
  return { ...people, all: new InviteWorld(Object.values(people)) }
}

function used(all: InviteWorld, guest: Person, inviter: Person): Session {
  const session = all.open(guest, inviter)
  all.settle(session)
  return session
}

const [a, b, c] = ['alice', 'bob', 'carol'] as const
const old = testSecret('old')
/** Enough steps for two uses of an invite and what may befall them. */
const happenings = fc.array(fc.nat(), { minLength: 30, maxLength: 90, size: 'max' })

describe('Using an invite', () => {
  test('makes two contacts with one secret', () => {
    const { all, alice: inviter, bob: guest } = world()
    used(all, guest, inviter)
    expect(inviter.contacts.get(b)).toEqual(inviter.invite.secret)
    expect(guest.contacts.get(a)).toEqual(inviter.invite.secret)
    expect(guest.pending.size).toBe(0)
  })

  test('stores the pending contact before the key of the guest is shown', () => {
    const { all, alice: inviter, bob: guest } = world()
    const session = all.open(guest, inviter)
    all.deliverToInviter(session)
    all.inviterActs(session)
    all.deliverToGuest(session)
    expect(session.guestTodo.map(({ type }) => type)).toEqual(['store-pending'])
    expect(session.toInviter).toEqual([])
  })

  test('tells the main address to nobody but an accepted guest, after the commit', () => {
    const { all, alice: inviter, bob: guest } = world()
    const session = all.open(guest, inviter)
    while (session.inviterTodo[0]?.type !== 'commit-use') {
      all.inviterActs(session)
      all.deliverToInviter(session)
      all.deliverToGuest(session)
      all.guestActs(session)
    }
    expect(session.toGuest).toEqual([])
    const seen: unknown[] = []
    for (let step = 0; step < 10; step++) {
      all.inviterActs(session)
      all.deliverToGuest(session)
      seen.push(...session.guestTodo)
      all.guestActs(session)
    }
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'accepted', onionKey: mainOnionKey })
    )
  })

  test('of one another at the same moment makes one secret, that of the lower fingerprint', () => {
    const { all, alice: one, bob: other } = world()
    const sessions = [all.open(one, other), all.open(other, one)]
    while (one.pending.size + other.pending.size < 2)
      for (const session of sessions) {
        all.deliverToInviter(session)
        all.inviterActs(session)
        all.deliverToGuest(session)
        all.guestActs(session)
      }
    for (const session of sessions) all.settle(session)
    const lower = hex(one.identity.fingerprint) < hex(other.identity.fingerprint) ? one : other
    expect(one.contacts.get(b)).toEqual(lower.invite.secret)
    expect(other.contacts.get(a)).toEqual(lower.invite.secret)
  })

  test('works however the stream cuts the messages', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 700 })), (cuts) => {
        const { all, alice: inviter, bob: guest } = world()
        const session = all.open(guest, inviter)
        const cut = (queue: Uint8Array[]): void => {
          // Nothing may come behind a message that the other side has to answer first.
          const stream = concat(...queue.splice(0))
          for (let from = 0; from < stream.length;) {
            const next = from + cuts.next().value
            queue.push(stream.subarray(from, next))
            from = next
          }
        }
        for (let round = 0; round < 10; round++) {
          cut(session.toInviter)
          while (session.toInviter.length > 0) all.deliverToInviter(session)
          while (session.inviterTodo.length > 0) all.inviterActs(session)
          cut(session.toGuest)
          while (session.toGuest.length > 0) all.deliverToGuest(session)
          while (session.guestTodo.length > 0) all.guestActs(session)
        }
        expect(guest.contacts.get(a)).toEqual(inviter.contacts.get(b))
        expect(guest.contacts.get(a)).toHaveLength(32)
      }),
      { numRuns: 10 }
    )
  })

  test('again by the same guest gives the same answer, by another one none', () => {
    const { all, alice: inviter, bob: guest, carol: late } = world()
    used(all, guest, inviter)
    used(all, guest, inviter)
    used(all, late, inviter)
    expect(all.accepted.map((each) => each.guest)).toEqual([b, b])
    expect([...inviter.contacts.keys()]).toEqual([b])
    expect(late.contacts.size).toBe(0)
    expect(late.pending.has(a)).toBe(true)
  })

  test('by somebody to whom one is invisible gets no answer', () => {
    const { all, alice: inviter, bob: guest } = world()
    inviter.silentTo.add(b)
    used(all, guest, inviter)
    expect(all.accepted).toEqual([])
    expect(inviter.usedBy).toBeUndefined()
  })

  test('never accepts a recording of an earlier use', () => {
    const { all, alice: inviter, bob: guest } = world()
    const session = used(all, guest, inviter)
    inviter.usedBy = undefined
    inviter.contacts.clear()
    all.replay(session)
    expect(inviter.contacts.size).toBe(0)
  })
})

describe('The machines of an invite', () => {
  /** Both machines up to the moment when the guest has sent its certificate. */
  function joined(): { readonly all: InviteWorld; readonly session: Session } {
    const { all, alice: inviter, bob: guest } = world()
    const session = all.open(guest, inviter)
    while (session.inviterTodo[0]?.type !== 'read-certificate') {
      all.inviterActs(session)
      all.deliverToGuest(session)
      all.guestActs(session)
      all.deliverToInviter(session)
    }
    return { all, session }
  }
  const ended = (reason: string): object[] => [{ type: 'ended', reason }]

  test('give up after the time that a handshake may take', () => {
    const { all, alice: inviter, bob: guest } = world()
    const session = all.open(guest, inviter)
    for (const machine of [session.guestMachine, session.inviterMachine]) {
      expect(machine?.wakeAtMs).toBe(handshakeTimeoutMs)
      expect(machine?.step({ type: 'tick' }, handshakeTimeoutMs - 1)).toEqual([])
      expect(machine?.step({ type: 'tick' }, handshakeTimeoutMs)).toEqual(ended('timeout'))
      expect(machine?.wakeAtMs).toBe(Infinity)
      expect(machine?.step({ type: 'tick' }, Infinity)).toEqual([])
      expect(machine?.step({ type: 'received', bytes: utf8('late') }, 0)).toEqual([])
      expect(machine?.step({ type: 'disconnected' }, 0)).toEqual([])
    }
  })

  test('end at a certificate that is not that of the static key', () => {
    const { session } = joined()
    const stranger = { identity: testIdentity('carol'), name: 'carol', bytes: empty }
    const read = { type: 'certificate-read', certificate: stranger } as const
    expect(session.inviterMachine?.step(read, 0)).toEqual(ended('invalid'))
    const unreadable = { type: 'certificate-read', certificate: undefined } as const
    expect(joined().session.inviterMachine?.step(unreadable, 0)).toEqual(ended('invalid'))
  })

  test('end at an inviter whose certificate is not the one of the invite', () => {
    const { all, session } = joined()
    while (session.guestTodo[0]?.type !== 'read-certificate') {
      all.inviterActs(session)
      all.deliverToGuest(session)
    }
    const changed = { ...session.inviter.identity, signingKey: testSecret('x') }
    const certificate = { identity: changed, name: '', bytes: empty }
    expect(session.guestMachine?.wakeAtMs).toBe(Infinity)
    const effects = session.guestMachine?.step({ type: 'certificate-read', certificate }, 0)
    expect(effects).toEqual(ended('invalid'))
  })

  test('end where somebody speaks out of turn', () => {
    const { session } = joined()
    expect(session.inviterMachine?.step({ type: 'received', bytes: empty }, 0)).toEqual(
      ended('invalid')
    )
    const { all, alice: inviter, bob: guest } = world()
    const early = all.open(guest, inviter)
    all.deliverToInviter(early)
    all.inviterActs(early)
    const message2 = early.toGuest[0] ?? empty
    const both = concat(message2, utf8('more'))
    expect(early.guestMachine?.step({ type: 'received', bytes: both }, 0)).toEqual(
      ended('rejected')
    )
    const second = all.open(guest, inviter)
    const first = concat(second.toInviter[0] ?? empty, utf8('more'))
    expect(second.inviterMachine?.step({ type: 'received', bytes: first }, 0)).toEqual(
      ended('rejected')
    )
  })

  test('end at frames that nobody with the keys has made', () => {
    const { all, alice: inviter, bob: guest } = world()
    const session = all.open(guest, inviter)
    all.deliverToInviter(session)
    all.inviterActs(session)
    all.deliverToGuest(session)
    all.guestActs(session)
    const forged = new Uint8Array(300)
    const [message3] = session.guestTodo
    const bytes = message3?.type === 'write' ? message3.bytes : empty
    const noise = { type: 'received', bytes: forged } as const
    expect(session.guestMachine?.step(noise, 0)).toEqual(ended('invalid'))
    session.inviterMachine?.step({ type: 'received', bytes }, 0)
    expect(session.inviterMachine?.step(noise, 0)).toEqual(ended('invalid'))
    const other = all.open(guest, inviter)
    all.deliverToInviter(other)
    expect(other.inviterMachine?.step({ ...noise, bytes: new Uint8Array(64) }, 0)).toEqual(
      ended('rejected')
    )
  })

  test('take no notice of events that do not fit', () => {
    const { all, alice: inviter, bob: guest } = world()
    const session = all.open(guest, inviter)
    const { guestMachine, inviterMachine } = session
    expect(guestMachine?.step({ type: 'pending-stored' }, 0)).toEqual([])
    expect(guestMachine?.step({ type: 'contact-stored' }, 0)).toEqual([])
    expect(guestMachine?.step({ type: 'certificate-read', certificate: undefined }, 0)).toEqual([])
    expect(inviterMachine?.step({ type: 'use-committed', pairSecret: empty }, 0)).toEqual([])
    expect(inviterMachine?.step({ type: 'use-refused' }, 0)).toEqual([])
    expect(inviterMachine?.step({ type: 'certificate-read', certificate: undefined }, 0)).toEqual(
      []
    )
  })

  test('begin nothing towards a key that is not usable', () => {
    const invite = {
      ...alice.invite,
      inviter: { ...alice.invite.inviter, presenceKey: new Uint8Array(32) }
    }
    const init = { own: bob.identity, ownCertificate: certificateBytes(b), invite, onionKey }
    expect(GuestMachine.start({ random }, { ...init, keys: alice.keys }, 0)).toBeUndefined()
  })

  test('never throw, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (pieces) => {
        const { all, alice: inviter, bob: guest } = world()
        const session = all.open(guest, inviter)
        for (const bytes of pieces) {
          session.inviterMachine?.step({ type: 'received', bytes }, 0)
          session.guestMachine?.step({ type: 'received', bytes }, 0)
        }
      }),
      { numRuns: 50 }
    )
  })
})

describe('Whatever is lost, stopped, repeated or raced for,', () => {
  test('exactly one guest is accepted, and both sides have one secret', () => {
    fc.assert(
      fc.property(happenings, (script) => {
        const { all, alice: inviter, bob: first, carol: second } = world()
        play(all, script, [
          [first, inviter],
          [second, inviter]
        ])
        for (const guest of [first, second]) used(all, guest, inviter)
        expect(new Set(all.accepted.map(({ guest }) => guest)).size).toBe(1)
        expect(inviter.contacts.size).toBe(1)
        const [[name, secret] = ['', empty]] = inviter.contacts
        const winner = [first, second].find((guest) => guest.name === name)
        expect(winner?.contacts.get(a)).toEqual(secret)
        expect(secret).toEqual(inviter.invite.secret)
      }),
      { numRuns: 60, endOnFailure: true }
    )
  })

  test.each([
    ['of strangers', undefined, undefined],
    ['of whom one still knows the other', old, undefined],
    ['who are contacts already', old, old],
    ['whose secrets differ', old, empty]
  ])('crossing invites %s end in one secret', (_who, ofAlice, ofBob) => {
    fc.assert(
      fc.property(happenings, (script) => {
        const { all, alice: one, bob: other } = world()
        if (ofAlice) one.contacts.set(b, ofAlice)
        if (ofBob) other.contacts.set(a, ofBob)
        play(all, script, [
          [one, other],
          [other, one]
        ])
        // In the end everybody who waits for an answer tries again; people who differed do so anyhow.
        const differed = ofAlice !== undefined && ofAlice !== ofBob
        for (const [guest, inviter] of [
          [one, other],
          [other, one]
        ] as const)
          if (guest.pending.has(inviter.name) || (differed && guest === one))
            used(all, guest, inviter)
        expect(one.contacts.get(b)).toEqual(other.contacts.get(a))
        const kept = ofAlice && (ofAlice === ofBob || !ofBob) ? ofAlice : one.contacts.get(b)
        expect(one.contacts.get(b)).toEqual(kept)
        expect(one.pending.size + other.pending.size).toBe(0)
      }),
      { numRuns: 30, endOnFailure: true }
    )
  })
})

/** Lets things happen in the order that the script says: each number chooses among what can happen next. */
function play(
  all: InviteWorld,
  script: readonly number[],
  uses: readonly [Person, Person][]
): void {
  for (const choice of script) {
    const possible: (() => void)[] = []
    for (const [guest, inviter] of uses) {
      const begun = all.sessions.filter((session) => session.guest === guest).length
      if (begun < 3) possible.push(() => all.open(guest, inviter))
    }
    for (const session of all.sessions) {
      const { toInviter, toGuest, guestTodo, inviterTodo } = session
      if (toInviter.length > 0) possible.push(() => all.deliverToInviter(session))
      if (toGuest.length > 0) possible.push(() => all.deliverToGuest(session))
      if (guestTodo.length > 0) possible.push(() => all.guestActs(session))
      if (inviterTodo.length > 0) possible.push(() => all.inviterActs(session))
    }
    const steps = possible.length
    // Misfortunes are rarer than progress.
    if (choice % 16 === 15) {
      for (const session of all.sessions)
        possible.push(
          () => all.cut(session),
          () => all.replay(session)
        )
      for (const each of all.people) possible.push(() => all.crash(each))
      possible.splice(0, steps)
    }
    possible[Math.floor(choice / 16) % possible.length]?.()
  }
}

/** CBOR of `[1, kind, fields]`, by way of the payloads' own envelope. */
function cbor([kind, fields]: readonly [string, object]): Uint8Array {
  return encodeEnvelope(kind, { ...fields })
}
