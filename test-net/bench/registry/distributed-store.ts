/** A network of nodes in this process, as the benchmark uses it. All systems do the same: one value per key, 128 bytes. */
export interface DistributedStore extends AsyncDisposable {
  /** Stores the value of operation `i` by the node whose turn it is. Rejects if it was not stored. */
  put(i: number): Promise<void>
  /** Reads what {@link put} stored, by another node. Rejects if it is not found. */
  get(i: number): Promise<void>
}

/** Starts a network of so many nodes on 127.0.0.1, all of them joined and connected. */
export type StartStore = (nodes: number) => Promise<DistributedStore>

/** The node whose turn it is to put; gets are done by another one. */
export function gateway<Node>(nodes: readonly Node[], i: number): Node {
  const node = nodes[i % nodes.length]
  if (node === undefined) throw new RangeError('the network has no nodes')
  return node
}

/** How far from the putting node the getting one is. */
export const getterDistance = 3

/** Calls `condition` until it holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 1200) throw new Error('the network did not form in time')
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
}
