import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { Client } from 'bittorrent-dht'

import { gateway, getterDistance } from './distributed-store.ts'
import type { DistributedStore } from './distributed-store.ts'

const host = '127.0.0.1'
/** What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410). */
const keyPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** BitTorrent's DHT with signed values (BEP 44), over UDP, in memory. */
export async function startBittorrentMutable(count: number): Promise<DistributedStore> {
  const nodes = await startNodes(count)
  const hashes: Buffer[] = []
  return {
    async put(i) {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519')
      const value = {
        k: rawKey(publicKey),
        seq: 1,
        v: randomBytes(128),
        sign: (message: Buffer) => sign(null, message, privateKey)
      }
      hashes[i] = await put(gateway(nodes, i), value)
    },
    get: async (i) => get(gateway(nodes, i + getterDistance), hashes[i]),
    [Symbol.asyncDispose]: async () => stop(nodes)
  }
}

/** BitTorrent's DHT with values that are named by their own hash. */
export async function startBittorrentImmutable(count: number): Promise<DistributedStore> {
  const nodes = await startNodes(count)
  const hashes: Buffer[] = []
  return {
    async put(i) {
      hashes[i] = await put(gateway(nodes, i), { v: randomBytes(128) })
    },
    get: async (i) => get(gateway(nodes, i + getterDistance), hashes[i]),
    [Symbol.asyncDispose]: async () => stop(nodes)
  }
}

async function put(node: Client, value: Parameters<Client['put']>[0]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    node.put(value, (error, hash) => {
      if (error === null) resolve(hash)
      else reject(error)
    })
  })
}

async function get(node: Client, hash: Buffer = Buffer.alloc(20)): Promise<void> {
  return new Promise((resolve, reject) => {
    node.get(hash, (error, value) => {
      if (error === null && value !== null) resolve()
      else reject(error ?? new Error('a value was not found'))
    })
  })
}

async function startNodes(count: number): Promise<Client[]> {
  const nodes: Client[] = []
  for (let i = 0; i < count; i++) {
    const [first] = nodes
    const bootstrap = first === undefined ? false : [`${host}:${first.address().port}`]
    const node = new Client({
      bootstrap,
      verify: (signature: Buffer, message: Buffer, publicKey: Buffer) =>
        verify(null, message, keyObject(publicKey), signature)
    })
    await new Promise<void>((resolve) => {
      node.listen(0, host, () => {
        if (bootstrap === false) resolve()
        else node.once('ready', resolve)
      })
    })
    nodes.push(node)
  }
  // The first ones bootstrapped into an almost empty network.
  for (const node of nodes) {
    for (const other of nodes) {
      if (node !== other) node.addNode({ host, port: other.address().port })
    }
  }
  await new Promise((resolve) => {
    setTimeout(resolve, 2000)
  })
  return nodes
}

function rawKey(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(keyPrefix.length)
}

function keyObject(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([keyPrefix, raw]), format: 'der', type: 'spki' })
}

async function stop(nodes: readonly Client[]): Promise<void> {
  await Promise.all(
    nodes.map(
      async (node) =>
        new Promise<void>((resolve) => {
          node.destroy(resolve)
        })
    )
  )
}
