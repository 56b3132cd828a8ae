/** What a target is given. */
export interface FuzzInput {
  readonly bytes: Uint8Array
  /** Lengths of the pieces in which a stream brings the bytes; the rest comes at once. */
  readonly cuts: readonly number[]
}

/** A decoder under attack. */
export interface FuzzTarget {
  /** Name on the command line and of its folder in the corpus. */
  readonly name: string
  /** Valid inputs, from which the corpus is made. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** Decodes; throws where the decoder breaks what it promises. */
  readonly run: (input: FuzzInput) => void | Promise<void>
}

/** Throws with `message` unless `condition` holds. */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** The bytes of an input in the pieces in which they arrive. */
export function piecesOf({ bytes, cuts }: FuzzInput): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let rest = bytes
  for (const cut of cuts) {
    if (cut >= rest.length) break
    pieces.push(rest.subarray(0, cut))
    rest = rest.subarray(cut)
  }
  return [...pieces, rest]
}

/** The bytes as text, wrong ones replaced: what a decoder of texts is given. */
export function textOfInput({ bytes }: FuzzInput): string {
  return new TextDecoder().decode(bytes)
}
