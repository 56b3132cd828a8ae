import { sha256, utf8 } from '@hushlamp/shared'
import type { Random } from '@hushlamp/shared'

/** A {@link Random} that gives the same bytes for the same seed: for vectors, property tests and simulations only. */
export function seededRandom(seed: string): Random {
  let counter = 0
  let pool = new Uint8Array(0)
  return {
    bytes(length) {
      while (pool.length < length) {
        const block = sha256(utf8(`${seed}/${counter++}`))
        const grown = new Uint8Array(pool.length + block.length)
        grown.set(pool)
        grown.set(block, pool.length)
        pool = grown
      }
      const taken = pool.slice(0, length)
      pool = pool.slice(length)
      return taken
    }
  }
}
