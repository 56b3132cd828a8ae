/** RFC 3454 table B.1. */
const mappedToNothing =
  /\u00AD|\u034F|\u1806|[\u180B-\u180D]|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu

/**
 * SASLprep (RFC 4013) as far as it matters here: other spaces become plain ones, characters that are "mapped to
 * nothing" go away, the rest is normalised (NFKC). Control characters, private use, unassigned code points and lone
 * surrogates make the text unusable: undefined.
 *
 * @NOTE The rules for text written from right to left (RFC 3454 §6) and the tables of Unicode 3.2 are left out. Both
 * only ever refuse more; two programs that accept a password agree on its bytes.
 */
export function saslPrep(text: string): string | undefined {
  const prepared = text
    .replace(/\p{Zs}|\u200B/gu, ' ')
    .replace(mappedToNothing, '')
    .normalize('NFKC')
  return /[\p{Cc}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u.test(prepared) ? undefined : prepared
}
