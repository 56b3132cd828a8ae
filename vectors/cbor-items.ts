import { encode } from 'cborg'

/** A CBOR item to be encoded; `encoded` stands for bytes that no sender may make. */
export type Item =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Item[]
  | { readonly encoded: Uint8Array }
  | { readonly [name: string]: Item }

/** Deterministic CBOR of an item. */
export function encodeItem(item: Item): Uint8Array {
  if (typeof item !== 'object' || item === null || item instanceof Uint8Array) return encode(item)
  if (isList(item)) return Buffer.concat([head(0x80, item.length), ...item.map(encodeItem)])
  if (item['encoded'] instanceof Uint8Array) return item['encoded']
  const entries = Object.entries(item).map(
    ([name, value]) => [encode(name), encodeItem(value)] as const
  )
  entries.sort(([a], [b]) => a.length - b.length || Buffer.compare(a, b))
  return Buffer.concat([head(0xa0, entries.length), ...entries.flat()])
}

function head(major: number, length: number): Uint8Array {
  if (length > 23) throw new RangeError('test items are short')
  return Uint8Array.of(major | length)
}

function isList(item: object): item is readonly Item[] {
  return Array.isArray(item)
}
