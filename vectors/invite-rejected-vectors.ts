import {
  createInvite,
  decodeInvite,
  decodeInvitePayload,
  encodeInvite,
  hex,
  isHushlampError,
  lengthPrefixed,
  sha256
} from '@hushlamp/shared'

import { encodeItem } from './cbor-items.ts'
import type { Item } from './cbor-items.ts'
import { alice, fixedRandom, hexOrDigest, moment, mustNotExist } from './inputs.ts'

/** Invite links and payloads that nobody may accept. */
export function inviteRejectedFile(): object {
  const { expires } = createInvite(alice, fixedRandom('invite'), moment)
  return { expires, links: rejectedLinks(), payloads: rejectedPayloads() }
}

function rejectedLinks(): readonly object[] {
  const good = encodeInvite(createInvite(alice, fixedRandom('invite'), moment))
  const content = Buffer.from(good.slice(12), 'base64url').subarray(0, -4)
  const texts = [
    { reason: 'form', at: 8, text: ';' },
    { reason: 'form', at: 100, text: '+' },
    { reason: 'version', at: 10, text: '2' },
    { reason: 'checksum', at: 60, text: good[60] === 'A' ? 'B' : 'A' },
    { reason: 'size', at: 152, text: '' },
    { reason: 'base64', at: 178, text: nextCharacter(good[178] ?? '') }
  ].map(({ reason, at, text }) => {
    const rest = text === '' ? '' : good.slice(at + text.length)
    return { reason, at, text, link: good.slice(0, at) + text + rest }
  })
  const contents = [
    { reason: 'fingerprint-length', content: Buffer.concat([Buffer.of(21), content.subarray(1)]) },
    { reason: 'size', content: Buffer.concat([content, Buffer.of(0)]) },
    {
      reason: 'small-order',
      content: Buffer.concat([content.subarray(0, 21), Buffer.alloc(32), content.subarray(53)])
    }
  ].map((bad) => {
    const checksum = sha256(lengthPrefixed('hushlamp/v1/invite-checksum', bad.content)).subarray(
      0,
      4
    )
    const link = `hushlamp:i1/${Buffer.concat([bad.content, checksum]).toString('base64url')}`
    return { reason: bad.reason, content: hex(bad.content), link }
  })
  for (const { link } of [...texts, ...contents]) mustBeRefused(link)
  return [...texts, ...contents]
}

/** The character that differs in the lowest bit, which the last character of a link does not use. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) ^ 1] ?? ''
}

function mustBeRefused(link: string): void {
  try {
    decodeInvite(link)
  } catch (error) {
    if (isHushlampError(error)) return
    throw error
  }
  throw new Error('a bad link was accepted')
}

function rejectedPayloads(): readonly object[] {
  const certificate: Item = { $bytes: '0000000161', $length: 3_840 }
  const pairSecret: Item = { $bytes: '' }
  const cases: readonly (readonly [string, Item])[] = [
    ['certificate', [1, 'join', {}]],
    ['certificate', [1, 'join', { certificate: 'a' }]],
    ['certificate', [1, 'join', { certificate: { $bytes: '0000000161' } }]],
    ['certificate', [1, 'join', { certificate: { $bytes: '000000016161', $length: 3_840 } }]],
    ['certificate', [1, 'join', { certificate: { $bytes: '00000efd', $length: 3_840 } }]],
    ['pairSecret', [1, 'join', { certificate, pairSecret: { $bytes: '61' } }]],
    ['pairSecret', [1, 'accepted', { certificate }]],
    ['onionKey', [1, 'accepted', { certificate, pairSecret, onionKey: { $bytes: '61' } }]],
    ['kind', [1, 1, {}]]
  ]
  return cases.map(([reason, item]) => {
    const bytes = encodeItem(item)
    mustNotExist(decodeInvitePayload(bytes))
    return { reason, item, bytes: hexOrDigest(bytes) }
  })
}
