import {
  compareRecords,
  epochIsAcceptable,
  isHushlampError,
  maxValuesPerGet,
  nextIssued,
  openRecord,
  proveOwnership,
  recordTtlSeconds,
  resultCode,
  sealRecord
} from '@hushlamp/shared'
import type {
  Clock,
  EpochKeys,
  GetResult,
  Identity,
  PresenceRecord,
  Random,
  Registry
} from '@hushlamp/shared'

import type { ContactId } from '../contacts/contact-book.ts'
import type { ContactKeys } from '../contacts/contact-keys.ts'
import type { OnStage } from '../stage-timing.ts'
import type { Storage } from '../storage/storage.ts'
import { PresenceSchedule } from './presence-schedule.ts'
import type { ScheduleEffect, ScheduleEvent } from './presence-schedule.ts'
import { RecordMemory } from './record-memory.ts'

/** A reader goes through this many pages at most: more could only be junk of others. */
const maxPages = 4

/** What a {@link PresenceService} needs. */
export interface PresenceComponents {
  readonly registry: Registry
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly onStage: OnStage
}

/** What a {@link PresenceService} tells. */
export interface PresenceListener {
  /** The contact has published where it can be reached. */
  found(contact: ContactId, onionKey: Uint8Array): void
  /** No valid record is there: the contact is absent. */
  missing(contact: ContactId): void
  /** Something failed that the user must see, the disk for instance. */
  failed(error: unknown): void
}

/** Publishes our records and looks for those of contacts: the shell around a {@link PresenceSchedule}. */
export class PresenceService {
  readonly #components: PresenceComponents
  readonly #own: Identity
  readonly #listener: PresenceListener
  readonly #schedule: PresenceSchedule<ContactId>
  readonly #memory: RecordMemory
  readonly #keys = new Map<ContactId, ContactKeys>()
  readonly #closing = new AbortController()
  #onionKey: Uint8Array | undefined
  #cancelTimer: () => void = () => undefined

  constructor(components: PresenceComponents, own: Identity, listener: PresenceListener) {
    this.#components = components
    this.#own = own
    this.#listener = listener
    this.#schedule = new PresenceSchedule({ random: components.random })
    this.#memory = new RecordMemory(components.storage)
  }

  /** Begins to publish for a contact and to look for it. */
  add(contact: ContactId, keys: ContactKeys): void {
    this.#keys.set(contact, keys)
    this.tell({
      type: 'contact-added',
      contact,
      putOffsetSeconds: keys.outward.offsetSeconds,
      getOffsetSeconds: keys.inward.offsetSeconds
    })
  }

  /** Our onion service answers under `onionKey`: records may be put. */
  reachable(onionKey: Uint8Array): void {
    this.#onionKey = onionKey
    this.tell({ type: 'reachable' })
  }

  /** Passes on what links and dials report. */
  tell(event: ScheduleEvent<ContactId>): void {
    if (this.#closing.signal.aborted) return
    const now = this.#components.clock.unixSeconds()
    for (const effect of this.#schedule.step(event, now)) this.#begin(effect)
    this.#arm()
  }

  /** Ends all operations. Nothing is removed from the registry: a burst of removals would mark the logout. */
  close(): void {
    this.#closing.abort()
    this.#cancelTimer()
  }

  #arm(): void {
    this.#cancelTimer()
    const { clock } = this.#components
    const now = clock.unixSeconds()
    const delayMs = (this.#schedule.wakeAt(now) - now) * 1000
    this.#cancelTimer = clock.after(delayMs, () => {
      this.tell({ type: 'tick' })
    })
  }

  #begin(effect: ScheduleEffect<ContactId>): void {
    const keys = this.#keys.get(effect.contact)
    const onionKey = this.#onionKey
    if (!keys || !onionKey) return
    const work = effect.type === 'put' ? this.#put(effect, keys, onionKey) : this.#get(effect, keys)
    work.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#listener.failed(error)
    })
  }

  async #put(
    { contact, epoch }: ScheduleEffect<ContactId>,
    keys: ContactKeys,
    onionKey: Uint8Array
  ): Promise<void> {
    const { clock, onStage } = this.#components
    const begun = clock.monotonicMs()
    const epochKeys = keys.outward.at(epoch)
    const acknowledged = await this.#putRecord(contact, epochKeys, keys, onionKey)
    if (acknowledged) onStage('publish', clock.monotonicMs() - begun)
    this.tell({ type: 'put-done', contact, epoch, acknowledged })
  }

  async #putRecord(
    contact: ContactId,
    keys: EpochKeys,
    { peer }: ContactKeys,
    onionKey: Uint8Array
  ): Promise<boolean> {
    const { clock, registry } = this.#components
    const now = clock.unixSeconds()
    const issued = nextIssued(now, await this.#memory.lastIssued(contact, keys.epoch))
    await this.#memory.rememberIssued(contact, keys.epoch, issued)
    const content: PresenceRecord = {
      onionKey,
      issued,
      sequence: 0,
      ttlMinutes: recordTtlSeconds / 60,
      flags: 0,
      device: 0,
      capabilities: 0
    }
    const value = sealRecord(content, { publisher: this.#own, reader: peer, keys })
    const owner = proveOwnership(keys.owner, value, recordTtlSeconds, now)
    const request = { key: keys.registryKey, value, ttlSeconds: recordTtlSeconds, owner }
    const code = await this.#ask(() => registry.put(request, { signal: this.#closing.signal }))
    return code === resultCode.ok
  }

  async #get({ contact, epoch }: ScheduleEffect<ContactId>, keys: ContactKeys): Promise<void> {
    const { clock, onStage } = this.#components
    const begun = clock.monotonicMs()
    const epochKeys = keys.inward.at(epoch)
    const values = await this.#values(epochKeys.registryKey)
    if (!values) {
      this.tell({ type: 'get-done', contact, epoch, outcome: 'failed' })
      return
    }
    onStage('look-up', clock.monotonicMs() - begun)
    const context = { publisher: keys.peer, reader: this.#own, keys: epochKeys }
    const now = clock.unixSeconds()
    const inTime = epochIsAcceptable(epoch, keys.inward.offsetSeconds, now)
    const newest = (inTime ? values : [])
      .flatMap((value) => openRecord(value, context, now) ?? [])
      .sort(compareRecords)
      .at(-1)
    const believed = newest !== undefined && (await this.#memory.admit(contact, epoch, newest))
    this.tell({ type: 'get-done', contact, epoch, outcome: believed ? 'found' : 'missing' })
    if (believed) this.#listener.found(contact, newest.onionKey)
    else this.#listener.missing(contact)
  }

  async #values(key: Uint8Array): Promise<readonly Uint8Array[] | undefined> {
    const { registry } = this.#components
    const { signal } = this.#closing
    const values: Uint8Array[] = []
    let placemark: Uint8Array = new Uint8Array(0)
    for (let page = 0; page < maxPages; page++) {
      const request = { key, maxValues: maxValuesPerGet, placemark }
      const result = await this.#ask<GetResult>(() => registry.get(request, { signal }))
      if (!result) return undefined
      values.push(...result.values.map((stored) => stored.value))
      placemark = result.placemark
      if (placemark.length === 0) break
    }
    return values
  }

  /** A registry or a Tor that fails is an everyday thing, to be tried again; anything else is an error of ours. */
  async #ask<T>(operation: () => Promise<T>): Promise<T | undefined> {
    try {
      return await operation()
    } catch (error) {
      if (isHushlampError(error)) return undefined
      throw error
    }
  }
}
