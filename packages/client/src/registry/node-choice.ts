import { compareBytes, hmac, utf8 } from '@hushlamp/shared'

/**
 * Ranks registry nodes for a key by HMAC(own random secret, key ‖ node): repetitions of one key go to the same nodes,
 * and nobody else can tell to which.
 *
 * @param secret 32 random bytes of this endpoint.
 */
export function rankNodes(
  nodes: readonly string[],
  secret: Uint8Array,
  registryKey: Uint8Array
): readonly string[] {
  return nodes
    .map((node) => ({ node, rank: hmac(secret, registryKey, utf8(node)) }))
    .sort((a, b) => compareBytes(a.rank, b.rank))
    .map(({ node }) => node)
}
