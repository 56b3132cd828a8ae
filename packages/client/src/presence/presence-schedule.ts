import {
  earlyPublication,
  epochAt,
  epochEnd,
  epochSeconds,
  epochStart,
  epochsToLookUp,
  epochsToPublish
} from '@hushlamp/shared'
import type { Machine, Random, UnixSeconds } from '@hushlamp/shared'

/** What happens to the presence of an endpoint. `C` names a contact. */
export type ScheduleEvent<C> =
  | {
      readonly type: 'contact-added'
      readonly contact: C
      /** Epoch offsets of the two directions. */
      readonly putOffsetSeconds: number
      readonly getOffsetSeconds: number
    }
  | { readonly type: 'contact-removed'; readonly contact: C }
  /** Our onion service can be reached: records may be put. */
  | { readonly type: 'reachable' }
  /** It cannot any more: nothing is put or looked up until it can. */
  | { readonly type: 'unreachable' }
  | {
      readonly type: 'put-done'
      readonly contact: C
      readonly epoch: number
      readonly acknowledged: boolean
    }
  | {
      readonly type: 'get-done'
      readonly contact: C
      readonly epoch: number
      /** `failed`: no node answered. */
      readonly outcome: 'found' | 'missing' | 'failed'
    }
  /** A record was found, but its onion service does not answer. */
  | { readonly type: 'dial-failed'; readonly contact: C }
  | { readonly type: 'linked'; readonly contact: C }
  /** `lost`: the link broke; otherwise the contact has logged out. */
  | { readonly type: 'unlinked'; readonly contact: C; readonly lost: boolean }
  | { readonly type: 'tick' }

/** An operation of the registry to begin now. */
export interface ScheduleEffect<C> {
  readonly type: 'put' | 'get'
  readonly contact: C
  readonly epoch: number
}

/** At most so many operations are in flight. */
export const maxInFlight = 4

/** Pauses after failed attempts; the last one repeats. Each is varied by up to a quarter. */
const retrySeconds = [3, 8, 20, 60, 180, 600] as const

interface Publication {
  acknowledged: boolean
  attempts: number
  dueAt: UnixSeconds
  inFlight: boolean
}

interface Slot<C> {
  readonly contact: C
  readonly putOffset: number
  readonly getOffset: number
  readonly publications: Map<number, Publication>
  /** Drawn anew per epoch. */
  drawnFor: number
  leadSeconds: number
  refreshAt: UnixSeconds
  lookUpAgainAt: UnixSeconds
  /** When to look the contact up, Infinity when there is nothing to do but wait to be called. */
  lookUpDueAt: UnixSeconds
  lookUpAttempts: number
  lookUpInFlight: boolean
  /** Epochs still to ask in the present look-up. */
  lookUpEpochs: readonly number[]
  linked: boolean
}

/**
 * Decides when to publish and when to look (design: put before get; an absent contact is looked up once more per epoch at
 * a random moment; otherwise wait to be called). Pure; `now` is wall-clock time, because epochs are. This is mode `instant`:
 * work begins as soon as it is there, which hides no timing from the registry.
 */
export class PresenceSchedule<C> implements Machine<ScheduleEvent<C>, ScheduleEffect<C>> {
  readonly #random: Random
  readonly #slots = new Map<C, Slot<C>>()
  #reachable = false
  #inFlight = 0

  constructor(components: { readonly random: Random }) {
    this.#random = components.random
  }

  /** When the next `tick` is due; never later than a minute from `now`, so that a corrected clock is noticed. */
  wakeAt(now: UnixSeconds): UnixSeconds {
    let next = now + 60
    for (const slot of this.#slots.values()) next = Math.min(next, this.#dueAt(slot, now))
    return Math.max(next, now + 1)
  }

  step(event: ScheduleEvent<C>, now: UnixSeconds): readonly ScheduleEffect<C>[] {
    this.#take(event, now)
    return this.#reachable ? this.#begin(now) : []
  }

  #take(event: ScheduleEvent<C>, now: UnixSeconds): void {
    switch (event.type) {
      case 'contact-added':
        this.#slots.set(event.contact, this.#newSlot(event, now))
        break
      case 'contact-removed':
        this.#forget(event.contact)
        break
      case 'reachable':
        this.#reachable = true
        for (const slot of this.#slots.values()) this.#publishAgain(slot, now)
        break
      case 'unreachable':
        this.#reachable = false
        break
      case 'put-done':
        this.#putDone(event, now)
        break
      case 'get-done':
        this.#getDone(event, now)
        break
      case 'dial-failed':
        this.#withSlot(event.contact, (slot) => this.#retryLookUp(slot, now))
        break
      case 'linked':
        this.#withSlot(event.contact, (slot) => {
          slot.linked = true
          slot.lookUpDueAt = Infinity
          slot.lookUpAttempts = 0
        })
        break
      case 'unlinked':
        this.#withSlot(event.contact, (slot) => {
          slot.linked = false
          slot.lookUpDueAt = event.lost ? now + this.#varied(retrySeconds[0]) : Infinity
        })
        break
      case 'tick':
    }
  }

  #newSlot(event: Extract<ScheduleEvent<C>, { type: 'contact-added' }>, now: UnixSeconds): Slot<C> {
    const slot: Slot<C> = {
      contact: event.contact,
      putOffset: event.putOffsetSeconds,
      getOffset: event.getOffsetSeconds,
      publications: new Map(),
      drawnFor: Number.NaN,
      leadSeconds: 0,
      refreshAt: Infinity,
      lookUpAgainAt: Infinity,
      lookUpDueAt: Infinity,
      lookUpAttempts: 0,
      lookUpInFlight: false,
      lookUpEpochs: [],
      linked: false
    }
    this.#draw(slot, now)
    return slot
  }

  /** Random moments of the present epoch: early publication of the next, one fresh put, one more look. */
  #draw(slot: Slot<C>, now: UnixSeconds): void {
    const epoch = epochAt(now, slot.putOffset)
    if (slot.drawnFor === epoch) return
    slot.drawnFor = epoch
    const { fromSeconds, untilSeconds } = earlyPublication
    slot.leadSeconds = untilSeconds + this.#fraction() * (fromSeconds - untilSeconds)
    slot.refreshAt = epochStart(epoch, slot.putOffset) + this.#fraction() * epochSeconds
    slot.lookUpAgainAt = now + this.#fraction() * (epochEnd(epoch, slot.putOffset) - now)
    // Also what was put while the clock ran ahead: it may have expired when its epoch comes.
    for (const [published, { inFlight }] of slot.publications)
      if (!inFlight && (published < epoch || published > epoch + 1))
        slot.publications.delete(published)
  }

  #publishAgain(slot: Slot<C>, now: UnixSeconds): void {
    for (const publication of slot.publications.values())
      Object.assign(publication, { acknowledged: false, attempts: 0, dueAt: now })
    if (!slot.linked && slot.publications.size > 0) slot.lookUpDueAt = now
  }

  #putDone(event: Extract<ScheduleEvent<C>, { type: 'put-done' }>, now: UnixSeconds): void {
    this.#inFlight--
    this.#withSlot(event.contact, (slot) => {
      const publication = slot.publications.get(event.epoch)
      if (!publication) return
      publication.inFlight = false
      const first = publication.attempts === 0
      if (event.acknowledged) {
        publication.acknowledged = true
        publication.attempts = 0
      } else {
        publication.dueAt = now + this.#pause(publication.attempts++)
      }
      // Only an acknowledged put counts for finding each other, but a refused one is no reason not to look.
      const current = event.epoch === epochAt(now, slot.putOffset)
      if (!slot.linked && current && (event.acknowledged || first)) slot.lookUpDueAt = now
    })
  }

  #getDone(event: Extract<ScheduleEvent<C>, { type: 'get-done' }>, now: UnixSeconds): void {
    this.#inFlight--
    this.#withSlot(event.contact, (slot) => {
      slot.lookUpInFlight = false
      if (slot.linked || event.outcome === 'found') {
        slot.lookUpEpochs = []
        return
      }
      if (event.outcome === 'failed') {
        slot.lookUpEpochs = []
        this.#retryLookUp(slot, now)
        return
      }
      if (slot.lookUpEpochs.length > 0) slot.lookUpDueAt = now
      else slot.lookUpAttempts = 0
    })
  }

  /** After many vain attempts the contact is simply gone: its record outlives it. Then the look per epoch is enough. */
  #retryLookUp(slot: Slot<C>, now: UnixSeconds): void {
    if (slot.linked) return
    slot.lookUpDueAt =
      slot.lookUpAttempts < retrySeconds.length
        ? now + this.#pause(slot.lookUpAttempts++)
        : Infinity
  }

  #begin(now: UnixSeconds): readonly ScheduleEffect<C>[] {
    const effects: ScheduleEffect<C>[] = []
    for (const slot of this.#slots.values()) {
      this.#draw(slot, now)
      this.#beginPuts(slot, now, effects)
    }
    for (const slot of this.#slots.values()) this.#beginGet(slot, now, effects)
    return effects
  }

  #beginPuts(slot: Slot<C>, now: UnixSeconds, effects: ScheduleEffect<C>[]): void {
    const refresh = now >= slot.refreshAt
    if (refresh) slot.refreshAt = Infinity
    for (const epoch of epochsToPublish(now, slot.putOffset, slot.leadSeconds)) {
      const publication = publicationOf(slot, epoch, now)
      if (refresh && publication.acknowledged)
        Object.assign(publication, { acknowledged: false, dueAt: now })
      if (publication.acknowledged || publication.inFlight || publication.dueAt > now) continue
      if (this.#inFlight >= maxInFlight) return
      publication.inFlight = true
      this.#inFlight++
      effects.push({ type: 'put', contact: slot.contact, epoch })
    }
  }

  #beginGet(slot: Slot<C>, now: UnixSeconds, effects: ScheduleEffect<C>[]): void {
    if (slot.linked || slot.lookUpInFlight || this.#inFlight >= maxInFlight) return
    if (now >= slot.lookUpAgainAt) {
      slot.lookUpAgainAt = Infinity
      slot.lookUpDueAt = Math.min(slot.lookUpDueAt, now)
    }
    if (slot.lookUpDueAt > now) return
    const epochs =
      slot.lookUpEpochs.length > 0 ? slot.lookUpEpochs : epochsToLookUp(now, slot.getOffset)
    const [epoch, ...rest] = epochs
    if (epoch === undefined) return
    slot.lookUpEpochs = rest
    slot.lookUpDueAt = Infinity
    slot.lookUpInFlight = true
    this.#inFlight++
    effects.push({ type: 'get', contact: slot.contact, epoch })
  }

  #dueAt(slot: Slot<C>, now: UnixSeconds): UnixSeconds {
    const puts = [...slot.publications.values()]
      .filter(({ acknowledged, inFlight }) => !acknowledged && !inFlight)
      .map(({ dueAt }) => dueAt)
    const early = epochEnd(epochAt(now, slot.putOffset), slot.putOffset) - slot.leadSeconds
    const looks = slot.linked ? [] : [slot.lookUpDueAt, slot.lookUpAgainAt]
    return Math.min(...puts, early > now ? early : Infinity, slot.refreshAt, ...looks)
  }

  #forget(contact: C): void {
    const slot = this.#slots.get(contact)
    if (slot) this.#slots.delete(contact)
  }

  #withSlot(contact: C, use: (slot: Slot<C>) => void): void {
    const slot = this.#slots.get(contact)
    if (slot) use(slot)
  }

  #pause(attempts: number): number {
    return this.#varied(retrySeconds[Math.min(attempts, retrySeconds.length - 1)] ?? 600)
  }

  #varied(seconds: number): number {
    return seconds * (0.75 + this.#fraction() * 0.5)
  }

  /** Uniform in [0, 1). */
  #fraction(): number {
    const bytes = this.#random.bytes(4)
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
  }
}

function publicationOf<C>(slot: Slot<C>, epoch: number, now: UnixSeconds): Publication {
  const known = slot.publications.get(epoch)
  if (known) return known
  const publication = { acknowledged: false, attempts: 0, dueAt: now, inFlight: false }
  slot.publications.set(epoch, publication)
  return publication
}
