const maxLineCharacters = 1000

/** Tor's own last words before these only point at them. */
const meaningless = /see warnings above|^Reading config failed/

/**
 * Remembers the last problem that Tor wrote to its log (lines as `Nov 23 06:03:33.148 [warn] …`), to say why it ended.
 * Of everything else it keeps nothing.
 */
export class TorLog {
  #rest = ''
  #problem: string | undefined

  /** Takes what Tor wrote, cut anywhere. */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, maxLineCharacters)
    for (const line of lines) this.#take(line.slice(0, maxLineCharacters))
  }

  /** The last warning or error, freed from paths, addresses and whatever stood between quotes. */
  get problem(): string | undefined {
    return this.#problem
  }

  #take(line: string): void {
    const text = /\[(?:warn|err)\] (.*\S)/.exec(line)?.[1]
    if (text !== undefined && !meaningless.test(text)) this.#problem = withoutPrivateData(text)
  }
}

/** Replaces by `…` what may name a person, a computer or a key. */
function withoutPrivateData(text: string): string {
  return text
    .replaceAll(/"[^"]*"|'[^']*'(?!\w)/g, '…')
    .replaceAll(/\S*[\\/]\S*/g, '…')
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/g, '…')
    .replaceAll(/\[?(?:[0-9a-f]{0,4}:){2,}[0-9a-f]{0,4}\]?(?::\d+)?/gi, '…')
    .replaceAll(/[A-Za-z0-9+=$]{16,}(?:\.onion)?/g, '…')
}
