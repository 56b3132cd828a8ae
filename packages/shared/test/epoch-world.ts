import {
  admits,
  compareRecords,
  derivePairKeys,
  earlyPublication,
  epochEnd,
  epochIsAcceptable,
  epochsToLookUp,
  epochsToPublish,
  hex,
  nextIssued,
  openRecord,
  recordTtlSeconds,
  sealRecord
} from '@hushlamp/shared'
import type { EpochKeys, PairKeys, PresenceRecord, UnixSeconds } from '@hushlamp/shared'
import { VirtualClock } from '@hushlamp/shared/testing'
import { testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

/** How often a publisher that is awake looks at its clock. */
export const tickSeconds = 60

const publisher = testIdentity('bob')
const reader = testIdentity('alice')
const pair = usable(derivePairKeys(publisher, reader, 'own-to-peer'))
const readersPair = usable(derivePairKeys(reader, publisher, 'peer-to-own'))

/** A record that was put. */
export interface Put {
  readonly epoch: number
  readonly registryKey: string
  readonly issued: UnixSeconds
  /** How long before the end of its epoch's predecessor, by the publisher's clock; negative after it. */
  readonly secondsBeforeEpoch: number
  /** The truth. */
  readonly at: UnixSeconds
}

/** A look-up and what the reader believed. */
export interface LookUp {
  readonly found: { readonly epoch: number; readonly record: PresenceRecord } | undefined
  readonly readerNow: UnixSeconds
  /** Since when the publisher has been awake without a break, in truth; undefined while it sleeps. */
  readonly publisherAwakeSeconds: number | undefined
}

/** How wrong and how reliable the parts of the world are. */
export interface WorldInit {
  readonly publisherSkewSeconds: number
  readonly readerSkewSeconds: number
  /** In (0, 1): where in its window each epoch's early publication and fresh put fall. */
  readonly fraction: number
  /** Which of the values under a key the registry returns at the n-th look-up; all by default. */
  readonly returns?: (lookUp: number, value: number) => boolean
}

/**
 * A publisher and a reader that go by the real rules, each with a wrong clock of its own, and a registry that forgets
 * after the time to live. The truth is a {@link VirtualClock}.
 */
export class EpochWorld {
  readonly #clock = new VirtualClock()
  readonly #init: WorldInit
  readonly #registry = new Map<string, { value: Uint8Array; expiresAt: UnixSeconds }[]>()
  readonly #lastIssued = new Map<number, UnixSeconds>()
  readonly #freshUntil = new Map<number, UnixSeconds>()
  readonly #seen = new Map<number, PresenceRecord>()
  readonly #keys = new Map<string, EpochKeys>()
  #publisherSkew: number
  #readerSkew: number
  #awakeSince: UnixSeconds | undefined
  readonly puts: Put[] = []
  readonly lookUps: LookUp[] = []

  constructor(init: WorldInit) {
    this.#init = init
    this.#publisherSkew = init.publisherSkewSeconds
    this.#readerSkew = init.readerSkewSeconds
    this.#awakeSince = this.#clock.unixSeconds()
    this.#publish()
  }

  /** Lets time pass, the reader looking up every `everySeconds`. */
  pass(seconds: number, everySeconds: number): void {
    for (let passed = 0; passed < seconds; passed += everySeconds) {
      this.#clock.advance(everySeconds * 1_000)
      this.#lookUp()
    }
  }

  /** Somebody sets a clock. */
  jump(side: 'publisher' | 'reader', seconds: number): void {
    if (side === 'publisher') this.#publisherSkew += seconds
    else this.#readerSkew += seconds
  }

  /** The publisher's computer sleeps. */
  suspend(): void {
    this.#awakeSince = undefined
  }

  resume(): void {
    this.#awakeSince ??= this.#clock.unixSeconds()
  }

  #publish(): void {
    this.#clock.after(tickSeconds * 1_000, () => {
      this.#publish()
    })
    if (this.#awakeSince === undefined) return
    const now = this.#clock.unixSeconds() + this.#publisherSkew
    const { fromSeconds, untilSeconds } = earlyPublication
    const lead = untilSeconds + this.#init.fraction * (fromSeconds - untilSeconds)
    for (const epoch of epochsToPublish(now, pair.offsetSeconds, lead)) {
      if ((this.#freshUntil.get(epoch) ?? 0) > this.#clock.unixSeconds()) continue
      this.#put(epoch, now)
    }
  }

  #put(epoch: number, now: UnixSeconds): void {
    const keys = this.#keysOf(pair, epoch)
    const issued = nextIssued(now, this.#lastIssued.get(epoch))
    this.#lastIssued.set(epoch, issued)
    const value = sealRecord(
      {
        onionKey: testSecret('onion'),
        issued,
        sequence: 0,
        ttlMinutes: recordTtlSeconds / 60,
        flags: 0,
        device: 0,
        capabilities: 0
      },
      { publisher, reader, keys }
    )
    const at = this.#clock.unixSeconds()
    // Each epoch's record is put once more within the epoch, as the client does.
    this.#freshUntil.set(epoch, at + (1 + this.#init.fraction) * 7_200)
    const registryKey = hex(keys.registryKey)
    const values = this.#registry.get(registryKey) ?? []
    this.#registry.set(registryKey, [...values, { value, expiresAt: at + recordTtlSeconds }])
    const secondsBeforeEpoch = epochEnd(epoch - 1, pair.offsetSeconds) - now
    this.puts.push({ epoch, registryKey, issued, secondsBeforeEpoch, at })
  }

  #lookUp(): void {
    const at = this.#clock.unixSeconds()
    const readerNow = at + this.#readerSkew
    const { offsetSeconds } = readersPair
    let found: LookUp['found']
    for (const epoch of epochsToLookUp(readerNow, offsetSeconds)) {
      const record = found ? undefined : this.#newest(epoch, readerNow)
      if (!record || !epochIsAcceptable(epoch, offsetSeconds, readerNow)) continue
      if (!admits(this.#seen.get(epoch), record)) continue
      this.#seen.set(epoch, record)
      found = { epoch, record }
    }
    const publisherAwakeSeconds = this.#awakeSince === undefined ? undefined : at - this.#awakeSince
    this.lookUps.push({ found, readerNow, publisherAwakeSeconds })
  }

  #newest(epoch: number, now: UnixSeconds): PresenceRecord | undefined {
    const keys = this.#keysOf(readersPair, epoch)
    const stored = this.#registry.get(hex(keys.registryKey)) ?? []
    const lookUp = this.lookUps.length
    return stored
      .filter(({ expiresAt }) => expiresAt > this.#clock.unixSeconds())
      .filter((_, i) => this.#init.returns?.(lookUp, i) ?? true)
      .flatMap(({ value }) => openRecord(value, { publisher, reader, keys }, now) ?? [])
      .sort(compareRecords)
      .at(-1)
  }

  #keysOf(from: PairKeys, epoch: number): EpochKeys {
    const name = `${from === pair ? 'p' : 'r'}${epoch}`
    const known = this.#keys.get(name) ?? from.epochKeys(epoch)
    this.#keys.set(name, known)
    return known
  }
}

function usable(keys: PairKeys | undefined): PairKeys {
  if (!keys) throw new Error('unusable test key')
  return keys
}
