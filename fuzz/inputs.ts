import fc from 'fast-check'

import type { FuzzInput } from './target.ts'

type Mutation = (bytes: Uint8Array) => Uint8Array

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const at = (where: number, bytes: Uint8Array): number => Math.floor(where * bytes.length)

/** Numbers at which lengths and counters turn over. */
const boundary = fc.constantFrom(
  0,
  1,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x7fff,
  0x8000,
  0xffff,
  0x7fffffff,
  0xffffffff
)

const flip = fc.tuple(position, fc.nat(7)).map(
  ([where, bit]): Mutation =>
    (bytes) =>
      bytes.map((byte, i) => (i === at(where, bytes) ? byte ^ (1 << bit) : byte))
)
const truncate = position.map(
  (where): Mutation =>
    (bytes) =>
      bytes.subarray(0, at(where, bytes))
)
const insert = fc.tuple(position, fc.uint8Array({ minLength: 1, maxLength: 40 })).map(
  ([where, added]): Mutation =>
    (bytes) =>
      joined(bytes.subarray(0, at(where, bytes)), added, bytes.subarray(at(where, bytes)))
)
const remove = fc.tuple(position, fc.integer({ min: 1, max: 40 })).map(
  ([where, count]): Mutation =>
    (bytes) =>
      joined(bytes.subarray(0, at(where, bytes)), bytes.subarray(at(where, bytes) + count))
)
const repeat = fc
  .tuple(position, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 2, max: 40 }))
  .map(([where, count, times]): Mutation => (bytes) => {
    const from = at(where, bytes)
    const part = bytes.subarray(from, from + count)
    return joined(
      bytes.subarray(0, from),
      ...Array.from({ length: times }, () => part),
      bytes.subarray(from)
    )
  })
/** Overwrites a length field, whether it has one, two or four bytes. */
const number = fc
  .tuple(position, boundary, fc.constantFrom(1, 2, 4))
  .map(([where, value, width]): Mutation => (bytes) => {
    const from = at(where, bytes)
    const field = Uint8Array.from(
      { length: width },
      (_, i) => (value / 256 ** (width - 1 - i)) & 0xff
    )
    return joined(bytes.subarray(0, from), field, bytes.subarray(from + width))
  })
const splice = (corpus: readonly Uint8Array[]): fc.Arbitrary<Mutation> =>
  fc.tuple(fc.constantFrom(...corpus), position, position).map(
    ([other, where, there]): Mutation =>
      (bytes) =>
        joined(bytes.subarray(0, at(where, bytes)), other.subarray(at(there, other)))
  )

/** What a target is given: mostly entries of its corpus with a few mutations, sometimes arbitrary bytes. */
export function fuzzInputs(corpus: readonly Uint8Array[]): fc.Arbitrary<FuzzInput> {
  const mutation = fc.oneof(flip, truncate, insert, remove, repeat, number, splice(corpus))
  const mutated = fc
    .tuple(fc.constantFrom(...corpus), fc.array(mutation, { maxLength: 4 }))
    .map(([entry, mutations]) => mutations.reduce((bytes, mutate) => mutate(bytes), entry))
  const arbitrary = fc.uint8Array({ maxLength: 2_000 })
  return fc.record({
    bytes: fc.oneof({ arbitrary: mutated, weight: 9 }, { arbitrary, weight: 1 }),
    cuts: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 12 })
  })
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
