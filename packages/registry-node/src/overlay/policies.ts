import { hex, resultCode, rowPosition } from '@hushlamp/shared'
import type { RegistryRow, ResultCode } from '@hushlamp/shared'

import { readQuorum, replicas, writeQuorum } from './quorum.ts'
import type { QuorumOutcome, QuorumPolicy } from './quorum.ts'

/** What one holder says to rows that it is to store: a code for each. */
export type StoreAnswer = readonly ResultCode[]

/** What one holder has under a key. */
export type FetchAnswer = readonly RegistryRow[]

const accepted = (answer: StoreAnswer): boolean => answer.every((code) => code === resultCode.ok)

/** A put or a remove: five acknowledgements, or those of all that are alive if they are fewer. */
export const writePolicy: QuorumPolicy<StoreAnswer> = {
  persist: true,
  width: () => replicas,
  enough: (answers, alive) => answers.filter(accepted).length >= Math.min(writeQuorum, alive)
}

/**
 * A get: four holders that agree on something, and no more are asked at first. If they differ, or have nothing, all that
 * are alive are asked and waited for, so that neither a new holder nor a lost one hides a value.
 */
export const readPolicy: QuorumPolicy<FetchAnswer> = {
  persist: false,
  width: (answers) => (answers.length === 0 || agree(answers) ? readQuorum : replicas),
  enough: (answers, alive) => answers.length >= Math.min(readQuorum, alive) && agree(answers)
}

/** Whether all hold the same, and not nothing. */
function agree(answers: readonly FetchAnswer[]): boolean {
  const [first, ...others] = answers.map(fingerprint)
  return first !== undefined && first !== '' && others.every((other) => other === first)
}

function fingerprint(rows: FetchAnswer): string {
  return rows.map((row) => `${row.kind[0]}${hex(rowPosition(row))}`).join()
}

/**
 * OpenDHT's code for how a put ended: ok if more than half of the holders, at least of those known, have it, so that a
 * node that has just lost the others does not take itself for the network.
 */
export function writeCode(outcome: QuorumOutcome<StoreAnswer>): ResultCode {
  const stored = outcome.answers.filter(accepted).length
  if (stored > 0 && stored > outcome.holders / 2) return resultCode.ok
  const full = outcome.answers.some((answer) => answer.includes(resultCode.overCapacity))
  return full ? resultCode.overCapacity : resultCode.tryAgain
}
