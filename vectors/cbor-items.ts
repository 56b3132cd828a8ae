import { encode } from 'cborg'

/**
 * A CBOR item in JSON: `$bytes` is a byte string, filled up with zeros to `$length` where that is given; `$raw` stands for
 * encoded bytes that no sender may make, `$text` for a text repeated `$times`.
 */
export type Item =
  | null
  | boolean
  | number
  | string
  | readonly Item[]
  | { readonly [name: string]: Item }

/** Deterministic CBOR of an item. */
export function encodeItem(item: Item): Uint8Array {
  if (typeof item !== 'object' || item === null) return encode(item)
  if (isList(item)) return Buffer.concat([head(0x80, item.length), ...item.map(encodeItem)])
  const { $raw: encoded, $bytes: digits, $length: length, $text: text, $times: times } = item
  if (typeof text === 'string') return encode(text.repeat(Number(times)))
  if (typeof encoded === 'string') return new Uint8Array(Buffer.from(encoded, 'hex'))
  if (typeof digits === 'string') {
    const bytes = new Uint8Array(typeof length === 'number' ? length : digits.length / 2)
    bytes.set(Buffer.from(digits, 'hex'))
    return encode(bytes)
  }
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
