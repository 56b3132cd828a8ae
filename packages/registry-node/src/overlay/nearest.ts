/**
 * The `count` items nearest to `target` by Kademlia's distance, the nearest first. Every operation asks for them, so no
 * distance is written out.
 */
export function nearest<Item>(
  items: Iterable<Item>,
  placeOf: (item: Item) => Uint8Array,
  target: Uint8Array,
  count: number
): Item[] {
  const found: Item[] = []
  const places: Uint8Array[] = []
  for (const item of items) {
    const place = placeOf(item)
    let at = found.length
    for (; at > 0; at--) {
      const before = places[at - 1]
      if (before === undefined || !isNearer(place, before, target)) break
    }
    if (at >= count) continue
    found.splice(at, 0, item)
    places.splice(at, 0, place)
    if (found.length > count) {
      found.pop()
      places.pop()
    }
  }
  return found
}

function isNearer(place: Uint8Array, other: Uint8Array, target: Uint8Array): boolean {
  for (let i = 0; i < place.length; i++) {
    const a = place[i] ?? 0
    const b = other[i] ?? 0
    if (a !== b) return (a ^ (target[i] ?? 0)) < (b ^ (target[i] ?? 0))
  }
  return false
}
