import {
  epochEnd,
  epochIsAcceptable,
  epochOverlapSeconds,
  epochStart,
  epochsToLookUp,
  epochsToPublish
} from '@hushlamp/shared'

import { expects, mustExist } from './cases.ts'
import type { Case, VectorFile } from './cases.ts'

/** `epochs.json`: what is published, looked up and believed in the course of an epoch. */
export function epochsFile(): VectorFile {
  return {
    epochCourse: [
      epochCase(0, 125_000, 1_800),
      epochCase(1_445, 125_000, 4_500),
      epochCase(14_399, 125_001, 3_000)
    ]
  }
}

/** Every second of an epoch in which something changes, with what holds from then on. */
function epochCase(offsetSeconds: number, epoch: number, leadSeconds: number): Case {
  const rowAt = (now: number): { from: number; publish: number[]; lookUp: number[] } => ({
    from: now,
    publish: [...epochsToPublish(now, offsetSeconds, leadSeconds)],
    lookUp: [...epochsToLookUp(now, offsetSeconds)]
  })
  const startsAt = epochStart(epoch, offsetSeconds)
  const endsAt = epochEnd(epoch, offsetSeconds)
  const state = (now: number): string => JSON.stringify({ ...rowAt(now), from: 0 })
  const seconds = Array.from({ length: endsAt - startsAt }, (_, second) => startsAt + second)
  const near = Array.from({ length: 2 * epochOverlapSeconds }, (_, second) => second)
  const isAcceptable = (now: number): boolean => epochIsAcceptable(epoch, offsetSeconds, now)
  const before = startsAt - near.length
  return expects(
    { offsetSeconds, epoch, leadSeconds },
    {
      startsAt,
      endsAt,
      acceptableFrom: before + mustExist(near.find((second) => isAcceptable(before + second))),
      acceptableUntil: endsAt + mustExist(near.find((second) => !isAcceptable(endsAt + second))),
      changes: seconds.filter((now) => now === startsAt || state(now) !== state(now - 1)).map(rowAt)
    }
  )
}
