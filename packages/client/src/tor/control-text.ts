/** Puts a text between quotes for a command (QuotedString, control-spec §2.1.1). The text must be of one line. */
export function quotedString(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

/** The text of a QuotedString with its quotes, or undefined where it is not one. The result is Latin-1, as it came. */
export function unquotedString(quoted: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(quoted)) return undefined
  return quoted
    .slice(1, -1)
    .replaceAll(/\\([0-3]?[0-7]{1,2}|.)/gs, (_, escaped: string) =>
      /^[0-7]/.test(escaped)
        ? String.fromCodePoint(Number.parseInt(escaped, 8))
        : (escapes[escaped] ?? escaped)
    )
}

const pair = /(?:^| )([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?= |$)/gs

/**
 * The `KEY=value` pairs of a line, values freed from quotes; words without a value are skipped and the first of two
 * equal keys counts. For `AUTH METHODS=…`, `AUTHCHALLENGE …` and status events.
 */
export function keywordArguments(line: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, key = '', value = ''] of line.matchAll(pair)) {
    if (!found.has(key)) found.set(key, unquotedString(value) ?? value)
  }
  return found
}
