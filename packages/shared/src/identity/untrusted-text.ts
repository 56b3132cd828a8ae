// Unicode categories: control, format (bidirectional overrides among them), surrogate, private use, unassigned.
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu

/**
 * Text that somebody else chose, made fit to be shown: without control, bidirectional and other invisible characters,
 * normalised (NFC), with single spaces, of at most `maxCharacters` characters.
 */
export function displayableText(text: string, maxCharacters = 64): string {
  const clean = text.normalize('NFC').replace(invisible, '').replace(/\s+/gu, ' ').trim()
  return Array.from(clean).slice(0, maxCharacters).join('')
}
