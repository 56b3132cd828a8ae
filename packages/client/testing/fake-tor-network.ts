import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

import type { LocalAddress } from '../src/tor/local-socket.ts'
import { socksDestination } from '../src/tor/socks5-address.ts'
import type { CircuitToken, TorTarget } from '../src/tor/tor-provider.ts'
import { memoryStreams } from './memory-stream.ts'

/** What a {@link FakeTorNetwork} does to connections with a target. */
export type FakeFailure = 'unreachable' | 'unauthorised' | 'frozen'

/** An attempt to connect, as it was made. */
export interface FakeAttempt {
  readonly target: TorTarget
  readonly circuit: CircuitToken
}

/** Takes the far end of a stream. */
export type FakeAcceptor = (stream: Duplex) => void

/**
 * Onion services and hosts in memory, shared by several {@link FakeTor}. It records every attempt with its circuit
 * token, so that a test can assert what was isolated from what.
 */
export class FakeTorNetwork {
  readonly #attempts: FakeAttempt[] = []
  readonly #acceptors = new Map<string, FakeAcceptor>()
  readonly #failures = new Map<string, FakeFailure>()

  /** All attempts so far, oldest first, those that failed too. */
  get attempts(): readonly FakeAttempt[] {
    return this.#attempts
  }

  /** Puts a host outside of Tor there; the returned function takes it away. */
  addHost(host: string, port: number, acceptor: FakeAcceptor): () => void {
    return this.accept({ kind: 'host', host, port }, acceptor)
  }

  /** Puts a host there whose streams lead to a real socket on this computer. */
  forwardHost(host: string, port: number, to: LocalAddress): () => void {
    return this.addHost(host, port, (stream) => {
      const socket = connect('path' in to ? { path: to.path } : { host: to.host, port: to.port })
      socket.on('error', () => stream.destroy()).on('close', () => stream.destroy())
      stream.on('close', () => socket.destroy())
      stream.pipe(socket).pipe(stream)
    })
  }

  /** Makes connections with the target fail from now on; the returned function ends that. */
  fail(target: TorTarget, failure: FakeFailure): () => void {
    const key = keyOf(target)
    this.#failures.set(key, failure)
    return () => this.#failures.delete(key)
  }

  /** Lets `acceptor` take the streams to a target; the returned function ends that. For {@link FakeTor}. */
  accept(target: TorTarget, acceptor: FakeAcceptor): () => void {
    const key = keyOf(target)
    this.#acceptors.set(key, acceptor)
    return () => {
      if (this.#acceptors.get(key) === acceptor) this.#acceptors.delete(key)
    }
  }

  /** Notes an attempt. For {@link FakeTor}. */
  record(attempt: FakeAttempt): void {
    this.#attempts.push(attempt)
  }

  /** The near end of a new stream to the target, or how it fails. For {@link FakeTor}. */
  dial(target: TorTarget): Duplex | FakeFailure {
    const key = keyOf(target)
    const failure = this.#failures.get(key)
    if (failure !== undefined) return failure
    const acceptor = this.#acceptors.get(key)
    if (acceptor === undefined) return 'unreachable'
    const [near, far] = memoryStreams()
    acceptor(far)
    return near
  }
}

function keyOf(target: TorTarget): string {
  const { host, port } = socksDestination(target)
  return `${host}:${port}`
}
