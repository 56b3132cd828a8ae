import { createInvite, deriveInviteKeys, derivePairKeys, epochAt } from '@hushlamp/shared'
import type { EpochKeys, Identity, Invite, InviteKeys, Random } from '@hushlamp/shared'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

import { mustExist } from './cases.ts'

/** The people of the vectors. Carol is the stranger who tries what must fail. */
export const alice: Identity = testIdentity('alice')
export const bob: Identity = testIdentity('bob')
export const carol: Identity = testIdentity('carol')

/** The present, in Unix seconds. */
export const moment = 1_800_000_000

/** Bob's onion service. */
export const onionKey: Uint8Array = testSecret('bob/onion')

/** The onion service of Alice's invite. */
export const inviteOnionKey: Uint8Array = testSecret('invite/onion')

/** Keys of the direction in which Bob publishes and Alice reads, in the epoch of {@link moment} or a later one. */
export function bobToAlice(epochsLater = 0): EpochKeys {
  const pair = mustExist(derivePairKeys(bob, alice, 'own-to-peer'))
  return pair.epochKeys(epochAt(moment, pair.offsetSeconds) + epochsLater)
}

/** An open invite of Alice's, its keys, and those of the epoch of {@link moment}. */
export function inviteOf(inviter: Identity): {
  readonly invite: Invite
  readonly keys: InviteKeys
  readonly epochKeys: EpochKeys
} {
  const invite = createInvite(inviter, fixedRandom('invite'), moment)
  const keys = deriveInviteKeys(invite)
  return { invite, keys, epochKeys: keys.epochKeys(epochAt(moment, keys.offsetSeconds)) }
}

/** Gives the published secret of that label as if it were random. */
export function fixedRandom(label: string): Random {
  return { bytes: (length) => testSecret(label).subarray(0, length) }
}
