import {
  defaultLimits,
  isHushlampError,
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  rowFromPut,
  rowFromRemove,
  sha1,
  utf8
} from '@hushlamp/shared'
import type { RegistryRow } from '@hushlamp/shared'

import {
  decodeReply,
  decodeRequestHead,
  encodeFetchReply,
  encodeHelloReply,
  encodeRefusal,
  encodeRequest,
  encodeStoreReply,
  fetchReplyOf,
  helloReplyOf,
  maxRows,
  requestOf,
  storeReplyOf
} from '../../packages/registry-node/src/overlay/wire.ts'
import { ensure } from '../target.ts'
import type { FuzzTarget } from '../target.ts'

const now = 1_800_000_000
const owner = ownerKeyFromSeed(new Uint8Array(32).fill(7))
const key = ownedRegistryKey(owner.publicKey)
const value = utf8('owned')
const rows: readonly RegistryRow[] = [
  rowFromPut({ key, value: utf8('plain'), ttlSeconds: 60 }, now),
  rowFromPut({ key, value, ttlSeconds: 80, owner: proveOwnership(owner, value, 80, now) }, now),
  rowFromRemove({ key, valueHash: sha1(value), secret: utf8('secret'), ttlSeconds: 90 }, now)
]
const closest = [{ id: 'peer', addresses: ['/ip4/127.0.0.1/tcp/5850'] }]

const overlay: FuzzTarget = {
  name: 'overlay-wire',
  seeds: () => [
    encodeRequest(1, { op: 'hello', httpAddresses: ['http://127.0.0.1:5851'] }, now),
    encodeRequest(2, { op: 'store', key, rows }, now),
    encodeRequest(3, { op: 'fetch', key }, now),
    encodeRequest(4, { op: 'bye' }, now),
    encodeHelloReply(1, { httpAddresses: ['http://127.0.0.1:5851'], closest }),
    encodeStoreReply(2, { codes: [0, 1, 2], closest }),
    encodeFetchReply(3, { rows, closest }, now),
    encodeRefusal(4)
  ],
  run: ({ bytes }) => {
    const decoders: (() => unknown)[] = [
      () => requestOf(decodeRequestHead(bytes), defaultLimits, now),
      () => helloReplyOf(decodeReply(bytes).body ?? []),
      () => storeReplyOf(decodeReply(bytes).body ?? [], 3),
      () => {
        const reply = fetchReplyOf(decodeReply(bytes).body ?? [], key, defaultLimits, now)
        ensure(reply.rows.length <= maxRows, 'more rows than a key can have')
      }
    ]
    for (const decode of decoders) {
      try {
        decode()
      } catch (error) {
        if (!isHushlampError(error)) throw error
      }
    }
  }
}

/** The decoders of what other registry nodes send. */
export const nodeTargets: readonly FuzzTarget[] = [overlay]
