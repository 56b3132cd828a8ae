import { concat, hex, sha256, utf8 } from '@hushlamp/shared'

/** Something in a vector: bytes become hexadecimal digits. */
export type Value = null | boolean | number | string | Uint8Array | readonly Value[] | Values

/** Values by their names. */
export interface Values {
  readonly [name: string]: Value
}

/** What a function is given, and what must come of it. All files of vectors consist of these. */
export interface Case {
  readonly given: object
  /** SHA-256 of `given` as JSON, so that no input can change without notice, even where it changes no result. */
  readonly digest: string
  /** Results by their names. */
  readonly expected?: object
  /** The first rule that the input breaks. */
  readonly refused?: string
}

/** The cases of each function. */
export type VectorFile = Readonly<Record<string, readonly Case[]>>

/** A case that has results. */
export function expects(given: Values, expected: Values): Case {
  return { ...input(given), expected: inJson(expected, shownDigest) }
}

/** A case that must be refused. */
export function refuses(reason: string, given: Values): Case {
  return { ...input(given), refused: reason }
}

function input(given: Values): Pick<Case, 'given' | 'digest'> {
  const shown = inJson(given, shownRun)
  return { given: shown, digest: hex(sha256(utf8(JSON.stringify(shown)))) }
}

const maxShownBytes = 300

function inJson(values: Values, long: (bytes: Uint8Array) => string | object): object {
  const of = (value: Value): unknown => {
    if (value instanceof Uint8Array) return value.length <= maxShownBytes ? hex(value) : long(value)
    if (isList(value)) return value.map(of)
    return typeof value === 'object' && value !== null ? inJson(value, long) : value
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, of(value)]))
}

/** Of long results only the digest. */
function shownDigest(bytes: Uint8Array): object {
  return { bytes: bytes.length, sha256: hex(sha256(bytes)) }
}

/** Long inputs in full, but for one byte that is repeated at their end. */
function shownRun(bytes: Uint8Array): string | object {
  const last = bytes.at(-1)
  const start = bytes.findLastIndex((byte) => byte !== last) + 1
  if (bytes.length - start < maxShownBytes) return hex(bytes)
  return {
    start: hex(bytes.subarray(0, start)),
    repeat: hex(bytes.subarray(-1)),
    times: bytes.length - start
  }
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

/** What was done to good bytes to make them bad. */
export type Change =
  | { readonly at: number; readonly xor: number }
  | { readonly keep: number }
  | { readonly append: string }

/** Carries out a change. */
export function changed(bytes: Uint8Array, change: Change): Uint8Array {
  if ('keep' in change) return bytes.slice(0, change.keep)
  if ('append' in change) return concat(bytes, Buffer.from(change.append, 'hex'))
  const copy = bytes.slice()
  copy[change.at] = (copy[change.at] ?? 0) ^ change.xor
  return copy
}

/** The value, which test inputs are made to have. */
export function mustExist<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test input turned out to be unusable')
  return value
}

/** The assurance that a bad input is refused here too. */
export function mustNotExist(value: unknown): void {
  if (value !== undefined) throw new Error('a bad test input was accepted')
}

/** The assurance that two ways lead to the same bytes. */
export function mustEqual(made: Uint8Array, expected: Uint8Array): void {
  if (hex(made) !== hex(expected)) throw new Error('the steps lead to something else')
}

/** An unsigned integer, big-endian. */
export function uint(bytes: number, value: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex'))
}

/** Bytes of hexadecimal digits. */
export function digits(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
