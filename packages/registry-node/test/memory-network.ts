import {
  hasRoom,
  hex,
  isLive,
  mergeRow,
  mergeRows,
  resultCode,
  rowPosition,
  sha256,
  utf8
} from '@hushlamp/shared'
import type { RegistryRow, ResultCode } from '@hushlamp/shared'

import type { FrameStream } from '../src/overlay/channel.ts'
import type { PeerNetwork, PeerNetworkEvents } from '../src/overlay/peer-network.ts'
import type { RowStore } from '../src/store/row-store.ts'
import { systemClock } from '../src/system-clock.ts'

/** Connections between overlays of one process, which can be broken as no real network lets itself be. */
export class MemoryWorld {
  readonly #peers = new Map<string, MemoryPeer>()
  #sideOf: ((id: string) => string) | undefined

  /** What a new overlay is to be given. */
  join(id: string, events: PeerNetworkEvents): PeerNetwork {
    const peer = new MemoryPeer(this, id, events)
    this.#peers.set(id, peer)
    return peer
  }

  /** From now on whatever is sent between different sides disappears, and nobody is told. */
  divide(sideOf: (id: string) => string): void {
    this.#sideOf = sideOf
  }

  heal(): void {
    this.#sideOf = undefined
  }

  /** The process of a peer is gone: its connections break. */
  kill(id: string): void {
    this.#peers.get(id)?.breakAll()
    this.#peers.delete(id)
  }

  peer(id: string): MemoryPeer | undefined {
    return this.#peers.get(id)
  }

  carries(a: string, b: string): boolean {
    const sideOf = this.#sideOf
    return sideOf === undefined || sideOf(a) === sideOf(b)
  }
}

class MemoryPeer implements PeerNetwork {
  readonly id: string
  readonly #world: MemoryWorld
  readonly #events: PeerNetworkEvents
  readonly #streams = new Map<string, Set<MemoryStream>>()

  constructor(world: MemoryWorld, id: string, events: PeerNetworkEvents) {
    this.#world = world
    this.id = id
    this.#events = events
  }

  get addresses(): string[] {
    return [this.id]
  }

  placeOf(id: string): Uint8Array {
    return sha256(utf8(id))
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#world.kill(this.id)
  }

  async dial(address: string, signal: AbortSignal): Promise<void> {
    await this.#connect(address, signal)
  }

  async open(id: string, _: readonly string[], signal: AbortSignal): Promise<FrameStream> {
    const other = await this.#connect(id, signal)
    const carries = (): boolean => this.#world.carries(this.id, id)
    const [mine, theirs] = [new MemoryStream(carries), new MemoryStream(carries)]
    mine.other = theirs
    theirs.other = mine
    this.#streams.get(id)?.add(mine)
    other.#streams.get(this.id)?.add(theirs)
    other.#events.stream(this.id, theirs)
    return mine
  }

  async forget(id: string, hangUp: boolean): Promise<void> {
    if (!hangUp) return
    this.break(id)
    if (this.#world.carries(this.id, id)) this.#world.peer(id)?.break(this.id)
  }

  closest(): string[] {
    return []
  }

  breakAll(): void {
    for (const id of this.#streams.keys()) {
      this.#world.peer(id)?.break(this.id)
      for (const stream of this.#streams.get(id) ?? []) stream.end()
    }
    this.#streams.clear()
  }

  async #connect(id: string, signal: AbortSignal): Promise<MemoryPeer> {
    const other = this.#world.peer(id)
    if (!this.#world.carries(this.id, id)) {
      await new Promise((_, reject) => signal.addEventListener('abort', reject, { once: true }))
    }
    if (other === undefined) throw new Error('nobody listens there')
    for (const [a, b] of [
      [this, other],
      [other, this]
    ] as const) {
      if (a.#streams.has(b.id)) continue
      a.#streams.set(b.id, new Set())
      a.#events.addresses(b.id, [b.id])
      a.#events.connected(b.id)
    }
    return other
  }

  break(id: string): void {
    const streams = this.#streams.get(id)
    if (!this.#streams.delete(id)) return
    for (const stream of streams ?? []) stream.end()
    this.#events.disconnected(id)
  }
}

class MemoryStream implements FrameStream {
  other: MemoryStream | undefined
  readonly #carries: () => boolean
  readonly #frames: Uint8Array[] = []
  #reader: PromiseWithResolvers<Uint8Array> | undefined
  #ended = false

  constructor(carries: () => boolean) {
    this.#carries = carries
  }

  async read(): Promise<Uint8Array> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return frame
    if (this.#ended) throw new Error('the stream has ended')
    this.#reader = Promise.withResolvers()
    return this.#reader.promise
  }

  async write(frame: Uint8Array): Promise<void> {
    if (this.#ended) throw new Error('the stream has ended')
    if (this.#carries()) setImmediate(() => this.other?.take(frame))
  }

  abort(): void {
    this.end()
    if (this.#carries()) this.other?.end()
  }

  take(frame: Uint8Array): void {
    const reader = this.#reader
    this.#reader = undefined
    if (reader === undefined) this.#frames.push(frame)
    else reader.resolve(frame)
  }

  end(): void {
    this.#ended = true
    this.#reader?.reject(new Error('the stream has ended'))
    this.#reader = undefined
  }
}

/** What a node holds, in memory, so that it is still there after a restart. */
export class MemoryStore implements RowStore {
  readonly #keys = new Map<string, { key: Uint8Array; rows: readonly RegistryRow[] }>()

  async rows(key: Uint8Array): Promise<readonly RegistryRow[]> {
    const now = systemClock.unixSeconds()
    return (this.#keys.get(hex(key))?.rows ?? []).filter((row) => isLive(row, now))
  }

  async offer(key: Uint8Array, offered: readonly RegistryRow[]): Promise<ResultCode[]> {
    const now = systemClock.unixSeconds()
    return offered.map((row) => {
      const rows = this.#keys.get(hex(key))?.rows ?? []
      const existing = rows.find((one) => hex(rowPosition(one)) === hex(rowPosition(row)))
      const merged = mergeRow(existing, row, now)
      if (merged === undefined || merged === existing) return resultCode.ok
      if (existing === undefined && !hasRoom(rows, row, now)) return resultCode.overCapacity
      this.#keys.set(hex(key), { key, rows: mergeRows([rows, [merged]], now) })
      return resultCode.ok
    })
  }

  async *entries(): AsyncGenerator<{ key: Uint8Array; rows: readonly RegistryRow[] }> {
    yield* this.#keys.values()
  }
}
