import {
  concat,
  createInvite,
  decodeInvite,
  encodeInvite,
  isHushlampError,
  lengthPrefixed,
  sha256
} from '@hushlamp/shared'
import type { Identity } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

import { expects, mustEqual, refuses } from './cases.ts'
import type { Case, VectorFile } from './cases.ts'
import { alice, fixedRandom, inviteOf, moment } from './inputs.ts'
import { epochKeysCase, inviteRootOf } from './pair-vectors.ts'
import { inviteRecordCase } from './record-vectors.ts'

/** An identity whose fingerprint has the length of OpenPGP v6. */
const aliceV6: Identity = { ...alice, fingerprint: testSecret('alice/fingerprint') }

const prefix = 'hushlamp:i1/'

/** `invite.json`: links, what follows from their secrets, and links to be refused. */
export function inviteFile(): VectorFile {
  const inviters = [alice, aliceV6]
  return {
    readInvite: [...inviters.map(linkCase), ...damagedLinks(), ...wrongContents()],
    epochKeys: inviters.map((inviter) =>
      epochKeysCase(inviteRootOf(inviter), inviteOf(inviter).epochKeys.epoch)
    ),
    openRecord: inviters.map(inviteRecordCase)
  }
}

function linkCase(inviter: Identity): Case {
  const { invite, keys } = inviteOf(inviter)
  const link = encodeInvite(invite)
  mustEqual(decodeInvite(link).secret, invite.secret)
  const { fingerprint, signingKey, presenceKey } = inviter
  return expects(
    { link },
    {
      fingerprint,
      signingKey,
      presenceKey,
      secret: invite.secret,
      expires: invite.expires,
      inviteRoot: inviteRootOf(inviter),
      inviteRootHash: keys.reader.inviteRootHash
    }
  )
}

/** A link in which one character is another, or that ends there. */
function damagedLinks(): readonly Case[] {
  const good = encodeInvite(createInvite(alice, fixedRandom('invite'), moment))
  const cases: readonly (readonly [string, number, string])[] = [
    ['form', 8, ';'],
    ['form', 100, '+'],
    ['form', 10, '2'],
    ['checksum', 60, good[60] === 'A' ? 'B' : 'A'],
    ['size', 152, ''],
    ['base64', 178, nextCharacter(good[178] ?? '')]
  ]
  return cases.map(([reason, at, text]) => {
    const rest = text === '' ? '' : good.slice(at + text.length)
    return refusedLink(reason, good.slice(0, at) + text + rest)
  })
}

/** Links with a good checksum. */
function wrongContents(): readonly Case[] {
  const good = encodeInvite(createInvite(alice, fixedRandom('invite'), moment))
  const content = Buffer.from(good.slice(prefix.length), 'base64url').subarray(0, -4)
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['size', concat(Uint8Array.of(21), content.subarray(1))],
    ['size', concat(content, Uint8Array.of(0))],
    ['small-order', concat(content.subarray(0, 21), new Uint8Array(32), content.subarray(53))]
  ]
  return cases.map(([reason, bad]) => {
    const checksum = sha256(lengthPrefixed('hushlamp/v1/invite-checksum', bad)).subarray(0, 4)
    const link = prefix + Buffer.from(concat(bad, checksum)).toString('base64url')
    return refusedLink(reason, link)
  })
}

/** The character that differs in the lowest bit, which the last character of a link does not use. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) ^ 1] ?? ''
}

function refusedLink(reason: string, link: string): Case {
  try {
    decodeInvite(link)
  } catch (error) {
    if (isHushlampError(error)) return refuses(reason, { link })
    throw error
  }
  throw new Error('a bad link was accepted')
}
