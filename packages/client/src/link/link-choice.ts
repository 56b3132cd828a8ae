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
 * Which of two established links stays, in the eyes of the side with the lower fingerprint, which decides. If their
 * handshakes overlapped, the one that it has begun itself; otherwise the newer one, because a peer that comes back after
 * a crash knows nothing of the old.
 */
export function choosesNewLink(current: LinkAge, added: LinkAge): boolean {
  const overlapped = added.begunAtMs <= current.establishedAtMs
  return !overlapped || current.outgoing === added.outgoing || added.outgoing
}
