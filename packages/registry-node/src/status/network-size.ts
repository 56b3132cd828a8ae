/** Fewer distances than this say too little about a density. */
const fewest = 3

/**
 * How many nodes a network has, as one of them sees it: from how densely they lie around it. Ids are hashes, so N nodes
 * lie like random points, and the k-th closest at a distance d, taken as a part of the whole space, speaks for (k − 1) / d
 * others: the estimate of a Poisson density without bias, with a standard deviation of 1 / √(k − 2) of itself.
 *
 * Each of `neighbourhoods` holds the Kademlia distances (32 bytes) of *all* nodes that are closest to one place, the
 * closest first; what is farther away may be left out. Several are averaged, weighted by what each tells. `known` is how
 * many nodes are known for certain, this one included. They are the answer unless the density speaks for more by two
 * standard deviations: in a small network a node knows them all.
 */
export function estimateNetworkSize(
  neighbourhoods: readonly (readonly Uint8Array[])[],
  known: number
): number {
  const telling = neighbourhoods.filter((distances) => distances.length >= fewest)
  const radii = telling.map((distances) => fractionOf(distances.at(-1)))
  const area = radii.reduce((sum, radius) => sum + radius, 0)
  const nodes = telling.reduce((sum, distances) => sum + distances.length, 0)
  if (telling.length === 0 || area === 0) return known
  const density = (nodes - 1) / area
  const deviation = density / Math.sqrt(Math.max(nodes - 2, 1))
  return density - 2 * deviation > known ? Math.round(density) + 1 : known
}

/** A distance as a part of the whole space. A double holds all that matters of it. */
function fractionOf(distance: Uint8Array | undefined): number {
  const bytes = [...(distance?.subarray(0, 8) ?? [])]
  return bytes.reduce((sum, byte, i) => sum + byte / 256 ** (i + 1), 0)
}
