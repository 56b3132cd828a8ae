import { HushlampError, derivePairKeys, epochAt } from '@hushlamp/shared'
import type { EpochKeys, Identity, PairKeys, PublicIdentity, UnixSeconds } from '@hushlamp/shared'

/** The keys shared with one contact, with the few epochs that are in use kept ready. */
export class ContactKeys {
  readonly peer: PublicIdentity
  /** We publish, the contact reads and dials. */
  readonly outward: CachedPairKeys
  /** The contact publishes, we read and dial. */
  readonly inward: CachedPairKeys

  /** Throws `key-agreement-failed` where the contact's presence key is unusable. */
  constructor(own: Identity, peer: PublicIdentity) {
    const outward = derivePairKeys(own, peer, 'own-to-peer')
    const inward = derivePairKeys(own, peer, 'peer-to-own')
    if (!outward || !inward) throw new HushlampError('key-agreement-failed')
    this.peer = peer
    this.outward = new CachedPairKeys(outward)
    this.inward = new CachedPairKeys(inward)
  }
}

/** Deriving the keys of an epoch costs a curve operation; a stranger's knock must not cost one per contact. */
export class CachedPairKeys {
  readonly #keys: PairKeys
  readonly #epochs = new Map<number, EpochKeys>()

  constructor(keys: PairKeys) {
    this.#keys = keys
  }

  get offsetSeconds(): number {
    return this.#keys.offsetSeconds
  }

  /** Keys of one epoch. */
  at(epoch: number): EpochKeys {
    const cached = this.#epochs.get(epoch)
    if (cached) return cached
    const keys = this.#keys.epochKeys(epoch)
    for (const known of this.#epochs.keys())
      if (Math.abs(known - epoch) > 2) this.#epochs.delete(known)
    this.#epochs.set(epoch, keys)
    return keys
  }

  /** Keys of the epoch at `now`. */
  current(now: UnixSeconds): EpochKeys {
    return this.at(epochAt(now, this.offsetSeconds))
  }

  /** Keys of the epochs before, at and after `now`: whose handshakes are accepted. */
  aroundNow(now: UnixSeconds): readonly EpochKeys[] {
    const epoch = epochAt(now, this.offsetSeconds)
    return [epoch - 1, epoch, epoch + 1].map((each) => this.at(each))
  }
}
