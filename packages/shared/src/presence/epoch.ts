import type { UnixSeconds } from '../ports.ts'

/** Length of an epoch, L: four hours, a constant of the network. The paper's was a day (§IV-B). */
export const epochSeconds = 14_400

/** Time to live that every presence put asks for, whatever is left of the epoch: an expiry tied to it would be a mark. */
export const recordTtlSeconds = 21_600

/** A record stays valid this long after its epoch has ended. */
export const epochOverlapSeconds = 1_800

/** The record of the next epoch is put at a moment uniform between these two, counted back from the epoch's end. */
export const earlyPublication = { fromSeconds: 4_500, untilSeconds: 1_800 } as const

/** The epoch that a pair and direction is in at `now`; `offsetSeconds` is the secret offset of {@link PairKeys}. */
export function epochAt(now: UnixSeconds, offsetSeconds: number): number {
  return Math.floor((now + offsetSeconds) / epochSeconds)
}

/** First second of an epoch. */
export function epochStart(epoch: number, offsetSeconds: number): UnixSeconds {
  return epoch * epochSeconds - offsetSeconds
}

/** First second after an epoch. */
export function epochEnd(epoch: number, offsetSeconds: number): UnixSeconds {
  return epochStart(epoch + 1, offsetSeconds)
}

/** Whether a record of `epoch` may be believed at `now`, clocks of both sides being within ten minutes of the truth. */
export function epochIsAcceptable(epoch: number, offsetSeconds: number, now: UnixSeconds): boolean {
  return (
    now >= epochStart(epoch, offsetSeconds) - epochOverlapSeconds &&
    now < epochEnd(epoch, offsetSeconds) + epochOverlapSeconds
  )
}

/**
 * Epochs whose record a publisher wants in the registry at `now`: the current one and, from the moment `leadSeconds`
 * before its end, the next. `leadSeconds` is drawn per pair and epoch from {@link earlyPublication}.
 */
export function epochsToPublish(
  now: UnixSeconds,
  offsetSeconds: number,
  leadSeconds: number
): readonly number[] {
  const current = epochAt(now, offsetSeconds)
  return now >= epochEnd(current, offsetSeconds) - leadSeconds ? [current, current + 1] : [current]
}

/**
 * Epochs that a reader asks for at `now`, most likely first: the current one; within 30 minutes of a boundary also the
 * neighbour, to be asked after a miss or a failed dial.
 */
export function epochsToLookUp(now: UnixSeconds, offsetSeconds: number): readonly number[] {
  const current = epochAt(now, offsetSeconds)
  if (now < epochStart(current, offsetSeconds) + epochOverlapSeconds) return [current, current - 1]
  if (now >= epochEnd(current, offsetSeconds) - epochOverlapSeconds) return [current, current + 1]
  return [current]
}
