import { compareBytes } from '@hushlamp/shared'
import type { PublicIdentity } from '@hushlamp/shared'

/** What decides between two links with one contact. */
export interface LinkAge {
  /** Whether we began it. */
  readonly outgoing: boolean
  /** Monotonic milliseconds at which its handshake began here. */
  readonly begunAtMs: number
  /** Monotonic milliseconds at which it was established here. */
  readonly establishedAtMs: number
}

/**
 * Which of two established links with one contact stays. If their handshakes overlapped, both sides keep the one begun by
 * the lower fingerprint; otherwise the newer one, because a peer that comes back after a crash knows nothing of the old.
 */
export function choosesNewLink(
  current: LinkAge,
  added: LinkAge,
  own: PublicIdentity,
  peer: PublicIdentity
): boolean {
  const overlapped = added.begunAtMs <= current.establishedAtMs
  if (!overlapped || current.outgoing === added.outgoing) return true
  const ownIsLower = compareBytes(own.fingerprint, peer.fingerprint) < 0
  return added.outgoing === ownIsLower
}
