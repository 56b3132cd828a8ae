import { utf8 } from '../crypto/bytes.ts'
import { hkdf, sha256 } from '../crypto/hash.ts'
import { identityBytes } from '../identity/identity.ts'
import type { Invite } from '../identity/invite.ts'
import { pairKeysOf } from './pair-keys.ts'
import type { PairKeys } from './pair-keys.ts'
import type { InviteReader } from './record.ts'

const inviteSalt = utf8('hushlamp/v1/invite')

/** Keys under which the inviter publishes while an invite is open: those of a pair whose reader nobody knows yet. */
export interface InviteKeys extends PairKeys {
  /** Stands for the unknown reader in the invite's records; also a name of the invite that tells nothing. */
  readonly reader: InviteReader
}

/**
 * The keys of an open invite: `inviteRoot = HKDF-SHA256(secret, salt "hushlamp/v1/invite", info ID(inviter))`, 32 bytes,
 * and from there as from any root of a pair. The inviter is the publisher and the responder, the guest the reader.
 */
export function deriveInviteKeys(invite: Pick<Invite, 'inviter' | 'secret'>): InviteKeys {
  const inviteRoot = hkdf(invite.secret, inviteSalt, identityBytes(invite.inviter))
  return { ...pairKeysOf(inviteRoot), reader: { inviteRootHash: sha256(inviteRoot) } }
}
