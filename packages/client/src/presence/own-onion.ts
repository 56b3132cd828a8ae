import type { Duplex } from 'node:stream'

import { base64, equalConstantTime, handshakeMessage1Bytes } from '@hushlamp/shared'
import type { Clock, Random } from '@hushlamp/shared'

import type { OnStage } from '../stage-timing.ts'
import type { Storage } from '../storage/storage.ts'
import type { OnionListener, TorProvider } from '../tor/tor-provider.ts'

/** The port under which contacts dial each other's onion services. */
export const linkPort = 5853

/** Length of the answer to a probe. */
const echoBytes = 32
const seedKey = 'onion/seed'
const probeDeadlineMs = 15_000
const probePauseMs = 1_500
/** Without success in so many the service is put up anew. */
const probesPerService = 8
const publicationPatienceMs = 20_000
/** Strangers can open streams as they like; more than this wait for nobody. */
const maxUndecidedStreams = 64

/** What an {@link OwnOnion} tells. */
export interface OwnOnionListener {
  /** A stream that is not our own probe; `first` are the bytes that were read to see that. */
  stream(stream: Duplex, first: Uint8Array): void
  /** The own service, with this public key, answers through Tor. */
  reachable(publicKey: Uint8Array): void
}

/**
 * Our onion service: kept up while Tor is there, and dialled by ourselves through another circuit before we call
 * ourselves reachable, because a published descriptor alone does not mean that anybody gets through.
 */
export class OwnOnion {
  readonly #tor: TorProvider
  readonly #random: Random
  readonly #clock: Clock
  readonly #onStage: OnStage
  readonly #seed: Uint8Array
  readonly #closing = new AbortController()
  readonly #undecided = new Set<Duplex>()
  #listener: OwnOnionListener | undefined
  #probe: Uint8Array | undefined
  #service: OnionListener | undefined

  private constructor(components: OwnOnionComponents, seed: Uint8Array) {
    this.#tor = components.tor
    this.#random = components.random
    this.#clock = components.clock
    this.#onStage = components.onStage
    this.#seed = seed
  }

  /** Reads or makes the key of the service; nothing goes out before {@link start}. */
  static async open(components: OwnOnionComponents): Promise<OwnOnion> {
    const stored = await components.storage.get(seedKey)
    const seed = stored ?? components.random.bytes(32)
    if (!stored) await components.storage.write([{ type: 'put', key: seedKey, value: seed }])
    return new OwnOnion(components, seed)
  }

  /** Public key of the service, once it is up. */
  get publicKey(): Uint8Array | undefined {
    return this.#service?.publicKey
  }

  /**
   * Brings the service up and probes it until it answers or the service is closed. Where it stays silent it is taken down
   * and put up again, which makes Tor upload a fresh descriptor. Rejects if Tor refuses.
   */
  async start(listener: OwnOnionListener): Promise<void> {
    this.#listener = listener
    while (!this.#closing.signal.aborted) {
      const service = await this.#listen()
      if (await this.#probeSeveralTimes(service.publicKey)) {
        listener.reachable(service.publicKey)
        return
      }
      await service[Symbol.asyncDispose]()
    }
  }

  /** Takes the service down. Streams that are open stay open. */
  async close(): Promise<void> {
    this.#closing.abort()
    for (const stream of this.#undecided) stream.destroy()
    await this.#service?.[Symbol.asyncDispose]()
    this.#service = undefined
  }

  async #listen(): Promise<OnionListener> {
    const begun = this.#clock.monotonicMs()
    const service = await this.#tor.listen(
      { seed: this.#seed, port: linkPort },
      (stream) => {
        this.#incoming(stream)
      },
      { signal: this.#closing.signal }
    )
    this.#service = service
    // Tor does not always tell of the upload; whether somebody gets through is what counts.
    if (await this.#within(publicationPatienceMs, service.published))
      this.#onStage('onion-published', this.#clock.monotonicMs() - begun)
    return service
  }

  async #probeSeveralTimes(publicKey: Uint8Array): Promise<boolean> {
    const begun = this.#clock.monotonicMs()
    for (let probe = 0; probe < probesPerService && !this.#closing.signal.aborted; probe++) {
      if (probe > 0) await this.#pause(probePauseMs)
      if (!(await this.#probeOnce(publicKey))) continue
      this.#onStage('self-probe', this.#clock.monotonicMs() - begun)
      return true
    }
    return false
  }

  /** Whether the work is done in time; rejects as the work does. */
  #within(patienceMs: number, work: Promise<void>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(patienceMs, () => {
        resolve(false)
      })
      work.then(() => resolve(true), reject).finally(cancel)
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve)
    })
  }

  /** Dials ourselves with a nonce that only our own listener knows to answer. Looks like any dial from outside. */
  async #probeOnce(publicKey: Uint8Array): Promise<boolean> {
    const probe = this.#random.bytes(handshakeMessage1Bytes)
    this.#probe = probe
    let stream: Duplex | undefined
    try {
      stream = await this.#tor.connect(
        { kind: 'onion', publicKey, port: linkPort },
        { username: `probe-${base64(this.#random.bytes(12))}`, password: 'x' },
        { deadlineMs: probeDeadlineMs, initialData: probe, signal: this.#closing.signal }
      )
      const echo = await this.#read(stream, echoBytes)
      return echo !== undefined && equalConstantTime(echo, probe.subarray(0, echoBytes))
    } catch {
      // Not reachable yet: the next attempt is on its way.
      return false
    } finally {
      stream?.destroy()
      this.#probe = undefined
    }
  }

  #incoming(stream: Duplex): void {
    stream.on('error', () => stream.destroy())
    if (this.#undecided.size >= maxUndecidedStreams) {
      stream.destroy()
      return
    }
    this.#undecided.add(stream)
    const cancel = this.#clock.after(probeDeadlineMs, () => stream.destroy())
    const decided = (): void => {
      cancel()
      this.#undecided.delete(stream)
    }
    stream.once('close', decided)
    stream.once('data', (first: Uint8Array) => {
      decided()
      if (this.#probe && equalConstantTime(first, this.#probe)) {
        stream.end(this.#probe.subarray(0, echoBytes))
        return
      }
      stream.pause()
      this.#listener?.stream(stream, first)
    })
  }

  #read(stream: Duplex, length: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      let received: Uint8Array = new Uint8Array(0)
      const done = (result: Uint8Array | undefined): void => {
        cancel()
        resolve(result)
      }
      const cancel = this.#clock.after(probeDeadlineMs, () => {
        done(undefined)
      })
      stream.on('data', (chunk: Uint8Array) => {
        received = new Uint8Array([...received, ...chunk])
        if (received.length >= length) done(received.subarray(0, length))
      })
      stream.once('close', () => {
        done(undefined)
      })
    })
  }
}

/** What an {@link OwnOnion} needs. */
export interface OwnOnionComponents {
  readonly tor: TorProvider
  readonly storage: Storage
  readonly random: Random
  readonly clock: Clock
  readonly onStage: OnStage
}
