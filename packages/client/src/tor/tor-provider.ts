import type { AbortOptions } from '@hushlamp/shared'
import type { Duplex } from 'node:stream'

/** An onion service (Tor, version 3) by its Ed25519 public key of 32 bytes. */
export interface OnionTarget {
  readonly kind: 'onion'
  readonly publicKey: Uint8Array
  readonly port: number
}

/** A host outside of Tor, reached through an exit. A name is resolved by the exit, never by this computer. */
export interface HostTarget {
  readonly kind: 'host'
  readonly host: string
  readonly port: number
}

/** Where a connection through Tor leads. */
export type TorTarget = OnionTarget | HostTarget

/**
 * Isolation: connections made with different tokens never share a circuit (Tor's IsolateSOCKSAuth). A token names
 * nothing of the outside world.
 */
export interface CircuitToken {
  readonly username: string
  readonly password: string
}

/** How a connection is made. */
export interface ConnectOptions extends AbortOptions {
  /** Our own deadline; Tor's is two minutes. Default 15,000. */
  readonly deadlineMs?: number
  /** Sent together with the request to connect, which saves a round trip (optimistic data, Tor proposal 174). */
  readonly initialData?: Uint8Array
}

/** An onion service of our own. Its address exists before it is published. */
export interface OnionService {
  /** Ed25519 seed, 32 bytes. The address follows from it, no Tor is needed to make one. */
  readonly seed: Uint8Array
  /** The port under which others dial it. */
  readonly port: number
}

/** A running onion service. Disposing it takes the service down; streams that are open stay open. */
export interface OnionListener extends AsyncDisposable {
  readonly publicKey: Uint8Array
  /** Fulfilled once at least one directory holds the descriptor. Rejected with `tor-lost` when it never will. */
  readonly published: Promise<void>
}

/** How far Tor is. `progress` is the percentage of `starting`. */
export type TorStatus =
  | { readonly phase: 'stopped' }
  | { readonly phase: 'starting'; readonly progress: number; readonly summary: string }
  | { readonly phase: 'ready' }
  | { readonly phase: 'lost'; readonly reason: string }

/**
 * The one door to the network. Two implementations, a real Tor and a fake one for tests, pass `torProviderSuite` of
 * `@hushlamp/client/testing`. Nothing in it ever falls back to a direct connection.
 *
 * Errors: `tor-unreachable` (try again later), `tor-unauthorised`, `tor-address`, `tor-timeout`, `tor-lost`, `aborted`.
 */
export interface TorProvider extends AsyncDisposable {
  /** The current state; {@link onStatus} tells each change. */
  readonly status: TorStatus
  /** Calls `listener` at each change of {@link status}; the returned function ends that. */
  onStatus(listener: (status: TorStatus) => void): () => void
  /** Opens a stream to the target on a circuit that no other token shares. */
  connect(target: TorTarget, circuit: CircuitToken, options?: ConnectOptions): Promise<Duplex>
  /** Starts an onion service; each incoming stream goes to `onStream`. */
  listen(
    service: OnionService,
    onStream: (stream: Duplex) => void,
    options?: AbortOptions
  ): Promise<OnionListener>
}
