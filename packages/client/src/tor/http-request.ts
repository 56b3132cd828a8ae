import type { Duplex } from 'node:stream'

import { HushlampError, concat, utf8 } from '@hushlamp/shared'
import type { AbortOptions, Clock } from '@hushlamp/shared'

import { systemClock } from '../system-ports.ts'
import { Deadline } from './deadline.ts'
import { HttpResponseParser } from './http-response-parser.ts'
import type { HttpProgress, HttpResponse } from './http-response-parser.ts'
import { socksDestination } from './socks5-address.ts'
import type { CircuitToken, TorProvider, TorTarget } from './tor-provider.ts'

/** One request of HTTP/1.1 through Tor. */
export interface HttpRequest extends AbortOptions {
  readonly target: TorTarget
  readonly method: string
  /** With the query, from the first slash on, percent-encoded. */
  readonly path: string
  /** Added to `Host`, `Connection: close` and, with a body, `Content-Length`. Nothing else is ever sent along. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly circuit: CircuitToken
  /** For everything together. Default 15,000. */
  readonly deadlineMs?: number
  /** Default 1,048,576. */
  readonly maxResponseBytes?: number
  /** Default: the clock of the system. */
  readonly clock?: Pick<Clock, 'after' | 'monotonicMs'>
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const fieldValue = /^[\t\u0020-\u007E]*$/
const requestPath = /^\/[\u0021-\u007E]*$/

/**
 * Makes one request on a connection of its own, which is closed afterwards. The request goes out together with the
 * opening of the stream, which saves a round trip (optimistic data). The answer is held to its limits in size and time,
 * so that a server that lies can waste no more than that.
 *
 * Errors: those of {@link TorProvider.connect}; `registry-unreachable` where the server hangs up or does not answer in
 * time; `registry-malformed` where its answer is not HTTP/1.1 or too long; `RangeError` for a request that cannot be sent.
 */
export async function requestThroughTor(
  provider: TorProvider,
  request: HttpRequest
): Promise<HttpResponse> {
  const { clock = systemClock, deadlineMs = 15_000, signal } = request
  const startMs = clock.monotonicMs()
  const stream = await provider.connect(request.target, request.circuit, {
    initialData: requestBytes(request),
    deadlineMs,
    ...(signal && { signal })
  })
  try {
    using deadline = new Deadline(clock, {
      deadlineMs: deadlineMs - (clock.monotonicMs() - startMs),
      code: 'registry-unreachable',
      message: 'The server did not answer in time.',
      signal
    })
    const parser = new HttpResponseParser(request.method, {
      maxBodyBytes: request.maxResponseBytes ?? 1_048_576
    })
    return await readResponse(stream, parser, deadline.signal)
  } finally {
    stream.destroy()
  }
}

function requestBytes(request: HttpRequest): Uint8Array {
  const { method, path, headers = {}, body } = request
  const { host, port } = socksDestination(request.target)
  const authority = host.includes(':') ? `[${host}]` : host
  const fields = Object.entries({
    Host: port === 80 ? authority : `${authority}:${port}`,
    Connection: 'close',
    ...(body && { 'Content-Length': String(body.length) }),
    ...headers
  })
  if (!token.test(method)) throw new RangeError('this is not a method of HTTP')
  if (!requestPath.test(path)) throw new RangeError('a path starts with a slash and is encoded')
  for (const [name, value] of fields) {
    if (!token.test(name) || !fieldValue.test(value)) throw new RangeError('a header is malformed')
  }
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...fields.map(([name, value]) => `${name}: ${value}`)
  ]
  return concat(utf8(`${lines.join('\r\n')}\r\n\r\n`), body ?? new Uint8Array())
}

function readResponse(
  stream: Duplex,
  parser: HttpResponseParser,
  signal: AbortSignal
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort)
      stream.off('data', onData).off('end', onEnd).off('close', onClose)
    }
    const take = (progress: HttpProgress): void => {
      if (progress.kind === 'incomplete') return
      settle()
      if (progress.kind === 'complete') resolve(progress.response)
      else {
        const cause = new Error(progress.reason)
        const message = 'The server did not answer in proper HTTP/1.1 of a tolerable length.'
        reject(new HushlampError('registry-malformed', message, { cause }))
      }
    }
    const onAbort = (): void => {
      settle()
      reject(signal.reason)
    }
    const onData = (bytes: Uint8Array): void => take(parser.push(bytes))
    const onClose = (): void => {
      settle()
      const message = 'The server hung up before its answer was complete.'
      reject(new HushlampError('registry-unreachable', message))
    }
    const onEnd = (): void => {
      const progress = parser.end()
      if (progress.kind === 'incomplete') onClose()
      else take(progress)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stream
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => {})
  })
}
