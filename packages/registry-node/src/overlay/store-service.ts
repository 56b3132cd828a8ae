import { compareBytes } from '@hushlamp/shared'
import type { Clock, RegistryLimits } from '@hushlamp/shared'

import type { NodeMeter } from '../metrics/node-meter.ts'
import type { RowStore } from '../store/row-store.ts'
import { serveFrames } from './channel.ts'
import type { FrameStream } from './channel.ts'
import { placeOfKey } from './distance.ts'
import { rowDigest } from './row-digest.ts'
import {
  decodeRequestHead,
  encodeCompareReply,
  encodeFetchReply,
  encodeHelloReply,
  encodeRefusal,
  encodeStoreReply,
  requestOf
} from './wire.ts'
import type { Contact, StoreRequest, VerifyOwnership } from './wire.ts'

/** What the service answers from. */
export interface StoreServiceComponents {
  readonly clock: Clock
  readonly store: Pick<RowStore, 'offer' | 'rows'>
  readonly meter?: Pick<NodeMeter, 'served'> | undefined
  /** The closest nodes to a place that this one knows, itself left out; none where `ring` says that they are known. */
  closest(place: Uint8Array, ring: Uint8Array): readonly Contact[]
  /** Whether an ownership proves a put. */
  verify: VerifyOwnership
  /** The closest nodes to a peer that this one knows, that peer and itself left out. */
  neighbours(id: string): readonly Contact[]
  /** A peer said hello and told its HTTP addresses. */
  hello(id: string, httpAddresses: readonly string[]): void
  /** A peer leaves. */
  bye(id: string): void
  /** HTTP addresses of this node. */
  httpAddresses(): readonly string[]
}

/** The answering side of the store protocol: what other nodes may ask of this one. */
export class StoreService {
  readonly #components: StoreServiceComponents
  readonly #limits: RegistryLimits

  constructor(components: StoreServiceComponents, init: { limits: RegistryLimits }) {
    this.#components = components
    this.#limits = init.limits
  }

  /** Answers a peer on its stream until that ends. Never rejects. */
  async serve(id: string, stream: FrameStream): Promise<void> {
    await serveFrames(stream, async (frame) => this.answer(id, frame))
  }

  /** The answer to one frame. Rejects where not even the number of the request can be read. */
  async answer(peer: string, frame: Uint8Array): Promise<Uint8Array> {
    const { clock, meter, verify } = this.#components
    const head = decodeRequestHead(frame)
    let op: StoreRequest['op'] | undefined
    try {
      const request = requestOf(head, this.#limits, clock.unixSeconds(), verify)
      op = request.op
      const answer = await this.#carryOut(peer, head.id, request)
      meter?.served(op, 'answered')
      return answer
    } catch {
      meter?.served(op, op === undefined ? 'refused' : 'failed')
      return encodeRefusal(head.id)
    }
  }

  async #carryOut(peer: string, id: number, request: StoreRequest): Promise<Uint8Array> {
    const components = this.#components
    switch (request.op) {
      case 'hello':
        components.hello(peer, request.httpAddresses)
        return encodeHelloReply(id, {
          httpAddresses: components.httpAddresses(),
          closest: components.neighbours(peer)
        })
      case 'store': {
        const { key, rows, ring } = request
        const codes = await components.store.offer(key, rows, { source: peer })
        const closest = components.closest(placeOfKey(key), ring)
        return encodeStoreReply(id, { codes, closest })
      }
      case 'fetch': {
        const rows = await components.store.rows(request.key)
        const closest = components.closest(placeOfKey(request.key), request.ring)
        return encodeFetchReply(id, { rows, closest }, components.clock.unixSeconds())
      }
      case 'bye':
        components.bye(peer)
        return encodeHelloReply(id, { httpAddresses: [], closest: [] })
      case 'compare': {
        const differing: number[] = []
        const absent: number[] = []
        for (const [index, { key, digest }] of request.keys.entries()) {
          const rows = await components.store.rows(key)
          if (rows.length === 0) absent.push(index)
          else if (compareBytes(rowDigest(rows), digest) !== 0) differing.push(index)
        }
        return encodeCompareReply(id, { differing, absent })
      }
      default:
        return request satisfies never
    }
  }
}
