import { sha256 } from '@hushlamp/shared'

/** Place of a node in the space of keys: SHA-256 of the multihash of its peer id, as in libp2p's Kademlia. */
export function placeOfNode(multihash: Uint8Array): Uint8Array {
  return sha256(multihash)
}

/** Place of a registry key in the space of nodes. */
export function placeOfKey(key: Uint8Array): Uint8Array {
  return sha256(key)
}

/** Kademlia's distance: the exclusive or, to be compared as a number, big-endian. */
export function distance(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}
