/** A reply to a command (control-spec §2.3). */
export interface ControlReply {
  /** The status of the last line, 200 to 599. */
  readonly status: number
  /**
   * The lines without status and separator. A data block follows its line behind a newline, its own lines joined by
   * newlines and freed from dot-stuffing. Bytes are mapped to the characters of the same number (Latin-1).
   */
  readonly lines: readonly string[]
}

/** An asynchronous event (control-spec §4.1). */
export interface ControlEvent {
  /** The first word, such as `HS_DESC` or `STATUS_CLIENT`. */
  readonly name: string
  /** As in {@link ControlReply}; the name opens the first line. */
  readonly lines: readonly string[]
}

/** What the bytes from a control port amount to. After `malformed` nothing more comes. */
export type ControlItem =
  | { readonly kind: 'reply'; readonly reply: ControlReply }
  | { readonly kind: 'event'; readonly event: ControlEvent }
  | { readonly kind: 'malformed'; readonly reason: string }

/** What a control port may send before it counts as broken. */
export interface ControlReplyLimits {
  /** One line without its CRLF. Default 65,536. */
  readonly maxLineBytes?: number
  /** One reply or event altogether. Default 16,777,216. */
  readonly maxReplyBytes?: number
}

const lineForm = /^([2-6]\d\d)([ +-])/

/** A reply or event of which more lines are to come. */
class PartialReply {
  readonly lines: string[] = []
  #bytes = 0
  #data: string[] | undefined

  /** Counts `text` and tells how much has come in. */
  grow(text: string): number {
    return (this.#bytes += text.length + 2)
  }

  openData(): void {
    this.#data = []
  }

  /** Takes a line of the data block; true once the block has ended. */
  takeData(line: string): boolean {
    if (line !== '.') {
      this.#data?.push(line.startsWith('.') ? line.slice(1) : line)
      return false
    }
    this.lines.push([this.lines.pop() ?? '', ...(this.#data ?? [])].join('\n'))
    this.#data = undefined
    return true
  }
}

/**
 * The receiving half of Tor's control protocol as a pure machine: bytes in, whole replies and events out (control-spec
 * §2.3, §4.1). Where the bytes are cut makes no difference. It never throws: what breaks the grammar or the limits gives
 * one `malformed` item, after which the machine is silent.
 */
export class ControlReplyParser {
  readonly #maxLineBytes: number
  readonly #maxReplyBytes: number
  /** The beginning of a line whose CRLF has not come yet, in the pieces in which it came. */
  #pieces: string[] = []
  #pieceBytes = 0
  #endsInCarriageReturn = false
  #reply = new PartialReply()
  #event = new PartialReply()
  #inData: PartialReply | undefined
  #broken = false

  constructor(limits: ControlReplyLimits = {}) {
    this.#maxLineBytes = limits.maxLineBytes ?? 65_536
    this.#maxReplyBytes = limits.maxReplyBytes ?? 16_777_216
  }

  /** Takes the next bytes and answers with what they complete, in order. */
  push(bytes: Uint8Array): readonly ControlItem[] {
    const items: ControlItem[] = []
    if (this.#broken) return items
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    let from = 0
    if (this.#endsInCarriageReturn && text.startsWith('\n')) {
      const line = this.#takePieces('')
      this.#takeLine(line.slice(0, -1), items)
      from = 1
    }
    for (;;) {
      if (this.#broken) return items
      const end = text.indexOf('\r\n', from)
      if (end < 0) break
      this.#takeLine(this.#takePieces(text.slice(from, end)), items)
      from = end + 2
    }
    this.#keepPiece(text.slice(from), items)
    return items
  }

  #takePieces(last: string): string {
    if (this.#pieces.length === 0) return last
    const line = this.#pieces.join('') + last
    this.#pieces = []
    this.#pieceBytes = 0
    this.#endsInCarriageReturn = false
    return line
  }

  #keepPiece(piece: string, items: ControlItem[]): void {
    if (piece === '') return
    this.#pieces.push(piece)
    this.#pieceBytes += piece.length
    this.#endsInCarriageReturn = piece.endsWith('\r')
    const lineBytes = this.#pieceBytes - (this.#endsInCarriageReturn ? 1 : 0)
    if (lineBytes > this.#maxLineBytes) this.#break('a line is too long', items)
  }

  #takeLine(line: string, items: ControlItem[]): void {
    if (line.length > this.#maxLineBytes) return this.#break('a line is too long', items)
    if (this.#inData !== undefined) {
      if (this.#inData.grow(line) > this.#maxReplyBytes) {
        return this.#break('a reply is too long', items)
      }
      if (this.#inData.takeData(line)) this.#inData = undefined
      return
    }
    const form = lineForm.exec(line)
    if (form === null) return this.#break('a line is not of the form of a reply', items)
    const status = Number(form[1])
    const isEvent = status >= 600
    const partial = isEvent ? this.#event : this.#reply
    if (partial.grow(line) > this.#maxReplyBytes) return this.#break('a reply is too long', items)
    partial.lines.push(line.slice(4))
    if (form[2] === '+') {
      this.#inData = partial
      partial.openData()
    } else if (form[2] === ' ') {
      const { lines } = partial
      if (isEvent) {
        this.#event = new PartialReply()
        const name = /^[^ \n]*/.exec(lines[0] ?? '')?.[0] ?? ''
        items.push({ kind: 'event', event: { name, lines } })
      } else {
        this.#reply = new PartialReply()
        items.push({ kind: 'reply', reply: { status, lines } })
      }
    }
  }

  #break(reason: string, items: ControlItem[]): void {
    this.#broken = true
    this.#pieces = []
    items.push({ kind: 'malformed', reason })
  }
}
