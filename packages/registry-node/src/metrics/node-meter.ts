import type { ErrorCode } from '@hushlamp/shared'

/** What a client asks of a node. */
export type Operation = 'put' | 'get' | 'remove'

/**
 * How an operation ended: OpenDHT's codes by their names; `refused` for a request that breaks a rule; `failed` where too
 * few nodes answered or this one is at fault.
 */
export type OperationResult = 'ok' | 'over-capacity' | 'try-again' | 'refused' | 'failed'

/** Why a request was turned down: the rule that it breaks, or no room. */
export type RefusalReason = ErrorCode | 'over-capacity'

/** What nodes ask of each other in the store protocol. */
export type PeerOperation = 'hello' | 'store' | 'fetch' | 'bye' | 'compare'

/** How a request between nodes ended; `failed` is silence, or an answer that cannot be read. */
export type PeerOutcome = 'answered' | 'refused' | 'failed'

/**
 * Where the parts of a node count what they do. All of it goes into totals: nothing that is handed over here tells a key,
 * a value, an address, a peer or a moment, and no implementation may ask for it.
 */
export interface NodeMeter {
  /** A client's operation ended after `seconds`. */
  operation(operation: Operation, result: OperationResult, seconds: number): void
  /** A client's request was turned down. */
  refused(reason: RefusalReason): void
  /** This node asked a peer. */
  asked(operation: PeerOperation, outcome: PeerOutcome): void
  /** A peer asked this node; undefined for what could not be read. */
  served(operation: PeerOperation | undefined, outcome: PeerOutcome): void
  /** Rows were handed to those who should hold them now. */
  repaired(rows: number): void
  /** A sweep ended, and deleted so many expired rows. */
  swept(rows: number): void
}
