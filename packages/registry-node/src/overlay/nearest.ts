/**
 * The `count` items nearest to `target` by Kademlia's distance, the nearest first. Every request asks for them, so they
 * are told apart by the first 32 bits where those suffice, and nothing is sorted that is not wanted.
 */
export function nearest<Item>(
  items: Iterable<Item>,
  placeOf: (item: Item) => Uint8Array,
  target: Uint8Array,
  count: number
): Item[] {
  const found: Item[] = []
  const heads: number[] = []
  const targetHead = headOf(target)
  for (const item of items) {
    const place = placeOf(item)
    const head = (headOf(place) ^ targetHead) >>> 0
    if (found.length >= count && head > (heads[count - 1] ?? 0)) continue
    let at = found.length
    for (; at > 0; at--) {
      const before = heads[at - 1] ?? 0
      const other = found[at - 1]
      if (head > before || other === undefined) break
      if (head === before && !isNearer(place, placeOf(other), target)) break
      found[at] = other
      heads[at] = before
    }
    found[at] = item
    heads[at] = head
    if (found.length > count) {
      found.length = count
      heads.length = count
    }
  }
  return found
}

function headOf(place: Uint8Array): number {
  return (
    (((place[0] ?? 0) << 24) |
      ((place[1] ?? 0) << 16) |
      ((place[2] ?? 0) << 8) |
      (place[3] ?? 0)) >>>
    0
  )
}

function isNearer(place: Uint8Array, other: Uint8Array, target: Uint8Array): boolean {
  for (let i = 0; i < place.length; i++) {
    const a = place[i] ?? 0
    const b = other[i] ?? 0
    if (a !== b) return (a ^ (target[i] ?? 0)) < (b ^ (target[i] ?? 0))
  }
  return false
}
