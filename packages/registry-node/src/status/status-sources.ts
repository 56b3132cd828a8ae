import type { RowCount, TtlClass } from '../store/usage.ts'

/** Something for each TTL class. */
export type ByClass<Value> = Readonly<Record<TtlClass, Value>>

/** Where a node's status and its metrics come from: exact, and as of now. */
export interface StatusSources {
  readonly version: string
  peerId(): string
  /** Connected peers. */
  peers(): number
  /** Kademlia distances of the nodes that are closest to this one, 32 bytes each, the closest first. */
  neighbourDistances(): readonly Uint8Array[]
  usage(): { readonly byClass: ByClass<RowCount> }
  /** Most bytes that rows may take: all together, and those of each class. */
  capacity(): { readonly bytes: number; readonly byClass: ByClass<number> }
  /** Bits of effort that a put must show to be admitted, 0 for none. */
  price(): ByClass<number>
  readonly limits: { readonly maxValueBytes: number; readonly maxTtlSeconds: number }
  /** `http://….onion`, undefined while this node is no onion service. */
  onionAddress(): string | undefined
}
