import { compareBytes } from '../crypto/bytes.ts'
import { identityBytes } from '../identity/identity.ts'
import type { PublicIdentity } from '../identity/identity.ts'
import type { Invite } from '../identity/invite.ts'
import type { UnixSeconds } from '../ports.ts'

/** That a guest is accepted. Stored in one batch: the contact with its secret, and with the invite who has used it. */
export interface InviteUse {
  /** `ID` of the guest, its static key included. */
  readonly guestId: Uint8Array
  /** Secret of the pair: 32 bytes or none. */
  readonly pairSecret: Uint8Array
}

/** What we know of somebody at the moment of a decision. */
export type PairStanding =
  | { readonly type: 'stranger' }
  /** A contact, with the secret of the pair: 32 bytes or none. */
  | { readonly type: 'contact'; readonly pairSecret: Uint8Array }
  /** We are trying that person's own invite: the two invites cross. */
  | { readonly type: 'pending'; readonly pairSecret: Uint8Array }
  /** Blocked, or a contact to whom one is invisible: no answer. */
  | { readonly type: 'silent' }

/** Somebody who holds an invite and has shown who it is. */
export interface InviteAttempt {
  readonly invite: Invite
  /** `ID` of the guest who has used the invite before. */
  readonly usedBy: Uint8Array | undefined
  readonly guest: PublicIdentity
  /** What the inviter knows of the guest. */
  readonly standing: PairStanding
  /** What the guest says of the pair, if the inviter is a contact already. */
  readonly guestPairSecret: Uint8Array | undefined
}

/**
 * Whether the guest may use the invite, and under which secret: the inviter's one decision. Read, decide and store happen
 * in one transaction, so that of two guests exactly one is accepted; the same guest is accepted again until the invite
 * expires, unless the contact was removed since. Undefined: drop the guest silently, store nothing.
 *
 * The secret, so that both sides have the same in the end:
 *
 * 1. A pair of existing contacts keeps its secret; where only one side still has it, that side's; where the two differ
 *    (a restored backup), the one of the side with the lower fingerprint.
 * 2. Of two crossing invites the secret of the inviter with the lower fingerprint counts.
 * 3. Otherwise it is the secret of this invite.
 */
export function decideInviteUse(attempt: InviteAttempt, now: UnixSeconds): InviteUse | undefined {
  const { invite, usedBy, guest, standing } = attempt
  const guestId = identityBytes(guest)
  if (invite.expires <= now || standing.type === 'silent') return undefined
  if (compareBytes(guest.fingerprint, invite.inviter.fingerprint) === 0) return undefined
  if (usedBy && (compareBytes(usedBy, guestId) !== 0 || standing.type !== 'contact'))
    return undefined
  return { guestId, pairSecret: decidePairSecret(attempt) }
}

function decidePairSecret({ invite, guest, standing, guestPairSecret }: InviteAttempt): Uint8Array {
  const inviterIsLower = compareBytes(invite.inviter.fingerprint, guest.fingerprint) < 0
  if (standing.type === 'contact')
    return inviterIsLower ? standing.pairSecret : (guestPairSecret ?? standing.pairSecret)
  if (guestPairSecret) return guestPairSecret
  if (standing.type === 'pending' && !inviterIsLower) return standing.pairSecret
  return invite.secret
}
