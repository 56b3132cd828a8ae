import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  checkInvite,
  clockToleranceSeconds,
  createInvite,
  decodeInvite,
  defaultInviteSeconds,
  deriveInviteKeys,
  encodeInvite,
  epochAt,
  isHushlampError,
  maxInviteSeconds,
  openRecord,
  sealRecord
} from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

const now = 1_800_000_000
const alice = testIdentity('alice')
const bob = testIdentity('bob')
const random = seededRandom('invites')
const invite = createInvite(alice, random, now)
const link = encodeInvite(invite)

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return isHushlampError(error) ? error.code : 'not a HushlampError'
  }
}

describe('An invite', () => {
  test('reads back as it was written, for both lengths of fingerprints', () => {
    const v6 = { ...alice, fingerprint: testSecret('v6') }
    for (const inviter of [alice, v6]) {
      const made = createInvite(inviter, random, now, 1)
      expect(decodeInvite(encodeInvite(made))).toEqual(made)
    }
  })

  test('holds no secret key of its maker', () => {
    expect(Object.keys(invite.inviter)).toEqual(['fingerprint', 'signingKey', 'presenceKey'])
  })

  test('fits into a QR code of version 9, or 10 for v6', () => {
    expect(link).toHaveLength(179)
    expect(
      encodeInvite({ ...invite, inviter: { ...alice, fingerprint: testSecret('v6') } })
    ).toHaveLength(195)
  })

  test('is open for a day, or for what was asked, up to seven days', () => {
    expect(invite.expires).toBe(now + defaultInviteSeconds)
    expect(createInvite(alice, random, now, maxInviteSeconds).expires).toBe(now + 604_800)
    for (const ttl of [0, -1, 1.5, Number.NaN, maxInviteSeconds + 1])
      expect(codeOf(() => createInvite(alice, random, now, ttl))).toBe('invite-expiry')
  })

  test('may be pasted with white space around it and a scheme in capitals', () => {
    expect(decodeInvite(` \n${link.replace('hushlamp:i1', 'HUSHLAMP:I1')}\r\n`)).toEqual(invite)
  })

  test('with any letter changed or lost is refused', () => {
    for (let i = link.indexOf('/') + 1; i < link.length; i++) {
      const letter = link[i] === 'A' ? 'B' : 'A'
      const changed = link.slice(0, i) + letter + link.slice(i + 1)
      expect(codeOf(() => decodeInvite(changed))).toBe('invite-malformed')
      expect(codeOf(() => decodeInvite(link.slice(0, i)))).toBe('invite-malformed')
    }
    expect(codeOf(() => decodeInvite(`${link}A`))).toBe('invite-malformed')
    expect(codeOf(() => decodeInvite(`${link}=`))).toBe('invite-malformed')
    expect(codeOf(() => decodeInvite('x'.repeat(100_000)))).toBe('invite-malformed')
  })

  test('of a later form is told from a damaged one', () => {
    expect(codeOf(() => decodeInvite('hushlamp:i2/abc'))).toBe('invite-version')
    expect(codeOf(() => decodeInvite('hushlamp:i1/abc'))).toBe('invite-malformed')
    expect(codeOf(() => decodeInvite('https://example.org/i1/abc'))).toBe('invite-malformed')
  })

  test('with a signing key of small order is refused', () => {
    const inviter = { ...alice, signingKey: new Uint8Array(32) }
    expect(codeOf(() => decodeInvite(encodeInvite({ ...invite, inviter })))).toBe(
      'invite-malformed'
    )
  })

  test('of any other text is refused with an error of its own', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String({ maxLength: 300 }).map((body) => `hushlamp:i1/${body}`),
          fc
            .tuple(fc.nat(link.length), fc.string({ maxLength: 4 }))
            .map(([at, text]) => link.slice(0, at) + text + link.slice(at + text.length))
        ),
        (text) => {
          expect([undefined, 'invite-malformed', 'invite-version']).toContain(
            codeOf(() => decodeInvite(text))
          )
        }
      ),
      { numRuns: 500 }
    )
  })

  test('can be used by others until it expires', () => {
    expect(codeOf(() => checkInvite(invite, bob, invite.expires - 1))).toBeUndefined()
    expect(codeOf(() => checkInvite(invite, bob, invite.expires))).toBe('invite-expired')
  })

  test('of our own is not for us', () => {
    expect(codeOf(() => checkInvite(invite, alice, now))).toBe('contact-is-self')
    const sameKey = { ...alice, fingerprint: bob.fingerprint }
    expect(codeOf(() => checkInvite(invite, sameKey, now))).toBe('contact-is-self')
  })

  test('open for longer than anyone may choose is refused, with room for two clocks', () => {
    const longest = { ...invite, expires: now + maxInviteSeconds + clockToleranceSeconds }
    expect(codeOf(() => checkInvite(longest, bob, now))).toBeUndefined()
    expect(codeOf(() => checkInvite({ ...longest, expires: longest.expires + 1 }, bob, now))).toBe(
      'invite-malformed'
    )
  })

  test('with a key that is not usable is refused', () => {
    const inviter = { ...alice, presenceKey: new Uint8Array(32) }
    expect(codeOf(() => checkInvite({ ...invite, inviter }, bob, now))).toBe('key-agreement-failed')
  })
})

describe('The records of an invite', () => {
  const keys = deriveInviteKeys(invite)
  const epochKeys = keys.epochKeys(epochAt(now, keys.offsetSeconds))
  const content = {
    onionKey: testSecret('onion'),
    issued: now,
    sequence: 0,
    ttlMinutes: 360,
    flags: 0,
    device: 0,
    capabilities: 0
  }
  const context = { publisher: alice, reader: keys.reader, keys: epochKeys }
  const record = sealRecord(content, context)

  test('open for whoever holds the invite', () => {
    const theirs = deriveInviteKeys(decodeInvite(link))
    const reading = { publisher: invite.inviter, reader: theirs.reader, keys: epochKeys }
    expect(openRecord(record, reading, now)).toEqual(content)
  })

  test('are not records of a pair, and those of a pair not of an invite', () => {
    expect(openRecord(record, { ...context, reader: bob }, now)).toBeUndefined()
    const ofPair = sealRecord(content, { ...context, reader: bob })
    expect(openRecord(ofPair, context, now)).toBeUndefined()
  })

  test('of another invite have other keys', () => {
    const other = deriveInviteKeys(createInvite(alice, random, now))
    expect(other.reader).not.toEqual(keys.reader)
    const reading = { ...context, reader: other.reader }
    expect(openRecord(record, reading, now)).toBeUndefined()
  })
})
