/** What XML 1.0 §2.2 does not allow in a document: most control characters, lone surrogates, U+FFFE and U+FFFF. */
const forbidden = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu

/** The text without the characters that XML 1.0 cannot carry in any form. */
export function withoutForbiddenCharacters(text: string): string {
  return text.replace(forbidden, '')
}

const textEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#13;'
}
const attributeEscapes: Readonly<Record<string, string>> = {
  ...textEscapes,
  "'": '&apos;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;'
}

/** Character data for between tags: escaped, and without forbidden characters. */
export function escapeText(text: string): string {
  return withoutForbiddenCharacters(text).replace(/[&<>\r]/g, (c) => textEscapes[c] ?? c)
}

/** A value for between quotes of either kind: escaped, and without forbidden characters. */
export function escapeAttribute(value: string): string {
  return withoutForbiddenCharacters(value).replace(
    /[&<>'"\t\n\r]/g,
    (c) => attributeEscapes[c] ?? c
  )
}
