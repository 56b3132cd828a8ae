import { concat, lengthPrefixed, uint64, utf8 } from '../crypto/bytes.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { hkdf, hmac } from '../crypto/hash.ts'
import { identityBytes } from '../identity/identity.ts'
import type { Identity, PublicIdentity } from '../identity/identity.ts'
import { ownedRegistryKey, ownerKeyFromSeed } from '../registry/ownership.ts'
import { epochSeconds } from './epoch.ts'

const pairSalt = utf8('hushlamp/v1/pair')

/** Who publishes: each direction of a pair has keys of its own, or else the registry would see the pair meet. */
export type Direction = 'own-to-peer' | 'peer-to-own'

/** Keys of one epoch in one direction of a pair. */
export interface EpochKeys {
  readonly epoch: number
  /** 20 bytes; the registry sees this and nothing else of the pair. */
  readonly registryKey: Uint8Array
  /** Owns {@link registryKey}. Both sides can derive it. */
  readonly owner: SigningKey
  /** 64 bytes for AES-SIV. */
  readonly sivKey: Uint8Array
  /** 32 bytes mixed into the handshake that the reader begins. */
  readonly handshakePsk: Uint8Array
  /** 32 bytes: marks message 1 of that handshake. */
  readonly handshakeTagKey: Uint8Array
}

/** The root of one direction of a pair and what follows from it. Level L0 of the specification: static. */
export interface PairKeys {
  /** Secret offset of the epochs, 0 to L−1 seconds, so that no two pairs change keys together. */
  readonly offsetSeconds: number
  /** Keys of one epoch. */
  epochKeys(epoch: number): EpochKeys
}

/**
 * Derives the keys of one direction: `pairRoot = HKDF-SHA256(X25519(own, peer) ‖ [invite secret], "hushlamp/v1/pair",
 * lp(ID(publisher), ID(reader)))`. The paper's K_AB (§IV-B), per direction. Undefined where the peer's presence key is not
 * usable.
 */
export function derivePairKeys(
  own: Identity,
  peer: PublicIdentity,
  direction: Direction,
  inviteSecret: Uint8Array = new Uint8Array(0)
): PairKeys | undefined {
  const shared = own.agreement.agree(peer.presenceKey)
  if (!shared) return undefined
  const [publisher, reader] = direction === 'own-to-peer' ? [own, peer] : [peer, own]
  const info = lengthPrefixed(identityBytes(publisher), identityBytes(reader))
  return pairKeysOf(hkdf(concat(shared, inviteSecret), pairSalt, info))
}

/** What follows from a root of 32 bytes. */
export function pairKeysOf(pairRoot: Uint8Array): PairKeys {
  return {
    offsetSeconds: epochOffset(pairRoot),
    epochKeys: (epoch) => deriveEpochKeys(pairRoot, epoch)
  }
}

/** offset = first eight bytes of HMAC(pairRoot, "offset"), big-endian, mod L. */
function epochOffset(pairRoot: Uint8Array): number {
  const mac = hmac(pairRoot, utf8('offset'))
  return Number(new DataView(mac.buffer, mac.byteOffset).getBigUint64(0) % BigInt(epochSeconds))
}

function deriveEpochKeys(pairRoot: Uint8Array, epoch: number): EpochKeys {
  const epochKey = hmac(pairRoot, lengthPrefixed('epoch', uint64(epoch)))
  const derive = (label: string): Uint8Array => hmac(epochKey, utf8(label))
  const owner = ownerKeyFromSeed(derive('owner'))
  return {
    epoch,
    registryKey: ownedRegistryKey(owner.publicKey),
    owner,
    sivKey: concat(derive('siv-mac'), derive('siv-enc')),
    handshakePsk: derive('handshake-psk'),
    handshakeTagKey: derive('handshake-tag')
  }
}
