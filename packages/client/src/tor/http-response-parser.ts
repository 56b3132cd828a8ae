import { concat } from '@hushlamp/shared'

/** A whole answer. */
export interface HttpResponse {
  readonly status: number
  /** Names in lower case; of fields that occur more than once, the values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

/** How far an answer has come. After `complete` and `malformed` it changes no more. */
export type HttpProgress =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'complete'; readonly response: HttpResponse }
  | { readonly kind: 'malformed'; readonly reason: string }

/** What a server may send before it counts as broken. */
export interface HttpLimits {
  /** All heads together, those of 1xx answers too, and trailers. Default 16,384. */
  readonly maxHeadBytes?: number
  readonly maxBodyBytes: number
}

const incomplete: HttpProgress = { kind: 'incomplete' }
const statusForm = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [\t\u0020-\u007E\u0080-\u00FF]*)?$/
const fieldForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\u0020-\u007E\u0080-\u00FF]*?)[\t ]*$/
const maxChunkLineBytes = 1024

type State =
  | { readonly at: 'status' | 'fields' | 'chunk-size' | 'chunk-end' | 'trailers' }
  /** Body of known length, or one chunk of it. */
  | { readonly at: 'body' | 'chunk'; left: number }
  | { readonly at: 'body-until-end' | 'done' }

/**
 * A client's parser of one HTTP/1.1 answer (RFC 9112), pure and strict: lines end with CRLF, folded fields and two ways
 * of telling the length are errors. Where the bytes are cut makes no difference, and it never throws.
 */
export class HttpResponseParser {
  readonly #limits: Required<HttpLimits>
  readonly #isHead: boolean
  #state: State = { at: 'status' }
  #progress: HttpProgress = incomplete
  #rest: Uint8Array = new Uint8Array()
  #headBytes = 0
  #status = 0
  #headers = new Map<string, string>()
  #body: Uint8Array[] = []
  #bodyBytes = 0

  /** `method` is that of the request: the answer to HEAD has no body. */
  constructor(method: string, limits: HttpLimits) {
    this.#limits = { maxHeadBytes: 16_384, ...limits }
    this.#isHead = method === 'HEAD'
  }

  /** Takes the next bytes from the server. */
  push(bytes: Uint8Array): HttpProgress {
    if (this.#progress.kind !== 'incomplete') return this.#progress
    this.#rest = this.#rest.length === 0 ? bytes : concat(this.#rest, bytes)
    while (this.#progress.kind === 'incomplete' && this.#advance());
    return this.#progress
  }

  /** Tells that the server ended the stream, which completes a body without a length. */
  end(): HttpProgress {
    if (this.#state.at === 'body-until-end') this.#complete()
    return this.#progress
  }

  /** Does one step; false where more bytes are needed. */
  #advance(): boolean {
    switch (this.#state.at) {
      case 'status':
      case 'fields':
      case 'trailers': {
        const line = this.#line(this.#limits.maxHeadBytes - this.#headBytes)
        if (line === undefined) return false
        this.#headBytes += line.length + 2
        if (this.#state.at === 'status') this.#takeStatus(line)
        else if (line !== '') this.#takeField(line, this.#state.at === 'trailers')
        else if (this.#state.at === 'trailers') this.#complete()
        else this.#endHead()
        return true
      }
      case 'chunk-size':
      case 'chunk-end': {
        const line = this.#line(maxChunkLineBytes)
        if (line === undefined) return false
        if (this.#state.at === 'chunk-size') this.#takeChunkSize(line)
        else if (line === '') this.#state = { at: 'chunk-size' }
        else this.#fail('a chunk is longer than it says')
        return true
      }
      case 'body':
      case 'chunk': {
        if (this.#rest.length === 0) return false
        const part = this.#rest.subarray(0, this.#state.left)
        this.#rest = this.#rest.subarray(part.length)
        this.#state.left -= part.length
        this.#keep(part)
        if (this.#state.left > 0) return false
        if (this.#state.at === 'body') this.#complete()
        else this.#state = { at: 'chunk-end' }
        return true
      }
      case 'body-until-end': {
        this.#keep(this.#rest)
        this.#rest = new Uint8Array()
        return false
      }
      case 'done': {
        return false
      }
    }
  }

  /** The next line without its CRLF, as Latin-1. */
  #line(maxBytes: number): string | undefined {
    const bytes = Buffer.from(this.#rest.buffer, this.#rest.byteOffset, this.#rest.byteLength)
    const end = bytes.indexOf('\r\n')
    if ((end < 0 ? bytes.length - 1 : end) > maxBytes) {
      this.#fail('the head is too long')
      return undefined
    }
    if (end < 0) return undefined
    this.#rest = this.#rest.subarray(end + 2)
    return bytes.toString('latin1', 0, end)
  }

  #takeStatus(line: string): void {
    const status = statusForm.exec(line)?.[1]
    if (status === undefined) return this.#fail('the first line is not that of HTTP/1.1')
    this.#status = Number(status)
    this.#headers = new Map()
    this.#state = { at: 'fields' }
  }

  #takeField(line: string, isTrailer: boolean): void {
    const [, name, value = ''] = fieldForm.exec(line) ?? []
    if (name === undefined) return this.#fail('a header field is malformed')
    if (isTrailer) return
    const key = name.toLowerCase()
    const before = this.#headers.get(key)
    this.#headers.set(key, before === undefined ? value : `${before}, ${value}`)
  }

  /** RFC 9112 §6.3. */
  #endHead(): void {
    const status = this.#status
    if (status === 101) return this.#fail('the server changed the protocol unasked')
    if (status < 200) {
      this.#state = { at: 'status' }
      return
    }
    if (this.#isHead || status === 204 || status === 304) return this.#complete()
    const coding = this.#headers.get('transfer-encoding')
    const length = this.#headers.get('content-length')
    if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined) {
        return this.#fail('the length of the body is unclear')
      }
      this.#state = { at: 'chunk-size' }
      return
    }
    if (length === undefined) {
      this.#state = { at: 'body-until-end' }
      return
    }
    if (!/^\d{1,15}$/.test(length)) return this.#fail('the length of the body is unclear')
    const left = Number(length)
    if (left > this.#limits.maxBodyBytes) return this.#fail('the body is too long')
    if (left === 0) return this.#complete()
    this.#state = { at: 'body', left }
  }

  #takeChunkSize(line: string): void {
    const digits = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i.exec(line)?.[1]
    if (digits === undefined) return this.#fail('a chunk has no size')
    const left = Number.parseInt(digits, 16)
    if (this.#bodyBytes + left > this.#limits.maxBodyBytes)
      return this.#fail('the body is too long')
    this.#state = left === 0 ? { at: 'trailers' } : { at: 'chunk', left }
  }

  #keep(part: Uint8Array): void {
    this.#bodyBytes += part.length
    if (this.#bodyBytes > this.#limits.maxBodyBytes) return this.#fail('the body is too long')
    // A copy, because a part may be a view of a buffer that its owner uses again.
    if (part.length > 0) this.#body.push(part.slice())
  }

  #complete(): void {
    this.#state = { at: 'done' }
    this.#progress = {
      kind: 'complete',
      response: { status: this.#status, headers: this.#headers, body: concat(...this.#body) }
    }
    this.#body = []
  }

  #fail(reason: string): void {
    this.#state = { at: 'done' }
    this.#progress = { kind: 'malformed', reason }
    this.#body = []
  }
}
