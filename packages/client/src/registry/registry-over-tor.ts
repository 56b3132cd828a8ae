import {
  HushlampError,
  base64,
  decodeGetResult,
  decodeResult,
  encodeGet,
  encodePut,
  encodeRemove,
  isHushlampError,
  textOf,
  utf8
} from '@hushlamp/shared'
import type {
  AbortOptions,
  GetRequest,
  GetResult,
  PutRequest,
  Random,
  Registry,
  RemoveRequest,
  RestRequest,
  ResultCode
} from '@hushlamp/shared'

import { requestThroughTor } from '../tor/http-request.ts'
import type { CircuitToken, TorProvider } from '../tor/tor-provider.ts'
import { registryNodeTarget } from './node-address.ts'
import { rankNodes } from './node-choice.ts'

/** How a {@link RegistryOverTor} works. */
export interface RegistryOverTorInit {
  /** Addresses of registry nodes, `http://HOST:PORT`; at least one. */
  readonly nodes: readonly string[]
  /** Deadline of one attempt. Default 12,000. */
  readonly deadlineMs?: number
  /** Attempts per operation, the first two at the same node. Default 3. */
  readonly attempts?: number
}

/** 64 values of 1,024 bytes with everything around them. */
const maxAnswerBytes = 262_144

/**
 * The registry through Tor: every attempt of every operation on a circuit of its own. A node is chosen by a secret of
 * this endpoint and the key, so that retries of one key do not spread over all nodes.
 *
 * Rejects with the node's own `registry-…` code, with `registry-unreachable` when no attempt was answered, or with
 * `tor-lost`.
 */
export class RegistryOverTor implements Registry {
  readonly #tor: TorProvider
  readonly #random: Random
  readonly #choiceSecret: Uint8Array
  readonly #nodes: readonly string[]
  readonly #deadlineMs: number
  readonly #attempts: number

  constructor(
    components: { readonly tor: TorProvider; readonly random: Random },
    init: RegistryOverTorInit
  ) {
    if (init.nodes.length === 0)
      throw new HushlampError('config-invalid', 'At least one registry node is needed.')
    for (const node of init.nodes) registryNodeTarget(node)
    this.#tor = components.tor
    this.#random = components.random
    this.#choiceSecret = components.random.bytes(32)
    this.#nodes = init.nodes
    this.#deadlineMs = init.deadlineMs ?? 12_000
    this.#attempts = init.attempts ?? 3
  }

  put(request: PutRequest, options: AbortOptions = {}): Promise<ResultCode> {
    return this.#ask(request.key, encodePut(request), decodeResult, options)
  }

  get(request: GetRequest, options: AbortOptions = {}): Promise<GetResult> {
    return this.#ask(request.key, encodeGet(request), decodeGetResult, options)
  }

  remove(request: RemoveRequest, options: AbortOptions = {}): Promise<ResultCode> {
    return this.#ask(request.key, encodeRemove(request), decodeResult, options)
  }

  async #ask<T>(
    key: Uint8Array,
    request: RestRequest,
    decode: (status: number, body: string) => T,
    options: AbortOptions
  ): Promise<T> {
    const ranked = rankNodes(this.#nodes, this.#choiceSecret, key)
    let last: unknown
    for (let attempt = 0; attempt < this.#attempts; attempt++) {
      const node = ranked[Math.floor(attempt / 2) % ranked.length] ?? ''
      try {
        const answer = await this.#attempt(node, request, options)
        return decode(answer.status, textOf(answer.body) ?? '')
      } catch (error) {
        if (!isWorthRepeating(error) || options.signal?.aborted === true) throw error
        last = error
      }
    }
    throw new HushlampError('registry-unreachable', undefined, { cause: last })
  }

  #attempt(
    node: string,
    request: RestRequest,
    options: AbortOptions
  ): Promise<{ readonly status: number; readonly body: Uint8Array }> {
    return requestThroughTor(this.#tor, {
      target: registryNodeTarget(node),
      method: request.method,
      path: request.path,
      headers: request.body === undefined ? {} : { 'content-type': 'application/json' },
      ...(request.body === undefined ? {} : { body: utf8(request.body) }),
      circuit: this.#freshCircuit(),
      deadlineMs: this.#deadlineMs,
      maxResponseBytes: maxAnswerBytes,
      ...options
    })
  }

  #freshCircuit(): CircuitToken {
    return { username: `registry-${base64(this.#random.bytes(12))}`, password: 'x' }
  }
}

/** What the network did may be repeated; what a node found wrong with the request may not. */
function isWorthRepeating(error: unknown): boolean {
  return (
    isHushlampError(error, 'registry-unreachable') ||
    isHushlampError(error, 'registry-malformed') ||
    isHushlampError(error, 'tor-unreachable') ||
    isHushlampError(error, 'tor-timeout')
  )
}
