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
import { MemoryRegistry, VirtualClock } from '@hushlamp/shared/testing'

import {
  compareReplyOf,
  decodeReply,
  decodeRequestHead,
  encodeCompareReply,
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
import {
  decodeMethodCall,
  encodeMethodResponse,
  maxParams
} from '../../packages/registry-node/src/xml-rpc/codec.ts'
import { callMethod } from '../../packages/registry-node/src/xml-rpc/methods.ts'
import { encodeMethodCall } from '../../packages/registry-node/test/xml-rpc-calls.ts'
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
const ring = new Uint8Array(8)
const digest = new Uint8Array(16)
const closest = [{ id: 'peer', addresses: ['/ip4/127.0.0.1/tcp/5850'] }]

const overlay: FuzzTarget = {
  name: 'overlay-wire',
  seeds: () => [
    encodeRequest(1, { op: 'hello', httpAddresses: ['http://127.0.0.1:5851'] }, now),
    encodeRequest(2, { op: 'store', key, rows, ring }, now),
    encodeRequest(3, { op: 'fetch', key, ring }, now),
    encodeRequest(4, { op: 'bye' }, now),
    encodeRequest(5, { op: 'compare', keys: [{ key, digest }] }, now),
    encodeHelloReply(1, { httpAddresses: ['http://127.0.0.1:5851'], closest }),
    encodeStoreReply(2, { codes: [0, 1, 2], closest }),
    encodeFetchReply(3, { rows, closest }, now),
    encodeCompareReply(5, { differing: [0], absent: [2] }),
    encodeRefusal(4)
  ],
  run: ({ bytes }) => {
    const decoders: (() => unknown)[] = [
      () => requestOf(decodeRequestHead(bytes), defaultLimits, now),
      () => helloReplyOf(decodeReply(bytes).body ?? []),
      () => compareReplyOf(decodeReply(bytes).body ?? [], 3),
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

const hash = sha1(value)
const none = new Uint8Array()
const xmlRpc: FuzzTarget = {
  name: 'xml-rpc',
  seeds: () =>
    [
      encodeMethodCall('put', [key, value, 60, 'fuzz']),
      encodeMethodCall('put_removable', [key, value, 'SHA', hash, 60, 'fuzz']),
      encodeMethodCall('get', [key, 10, none, 'fuzz']),
      encodeMethodCall('get_details', [key, 1, new Uint8Array(40), 'fuzz']),
      encodeMethodCall('rm', [key, hash, 'SHA', utf8('secret'), 60, 'fuzz']),
      encodeMethodCall('system.methodHelp', ['put']),
      encodeMethodCall('put', [[1, ['two', [utf8('three')]]]])
    ].map(utf8),
  run: async ({ bytes }) => {
    const registry = new MemoryRegistry({ clock: new VirtualClock() })
    try {
      const call = decodeMethodCall(bytes)
      ensure(call.params.length <= maxParams, 'more params than a call can have')
      encodeMethodResponse(await callMethod(call, { registry, limits: defaultLimits }))
    } catch (error) {
      if (!isHushlampError(error)) throw error
    }
  }
}

/** The decoders of what other registry nodes and clients send. */
export const nodeTargets: readonly FuzzTarget[] = [overlay, xmlRpc]
