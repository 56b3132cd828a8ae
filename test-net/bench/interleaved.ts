/** Something to be measured. */
export interface Subject {
  readonly name: string
  /** Does it once. */
  readonly run: () => void | Promise<void>
}

/** How long to measure. */
export interface MeasureInit {
  /** Every subject is measured once per round, in an order that changes from round to round. */
  readonly rounds: number
  /** How long a subject runs in one round, about. */
  readonly batchMs: number
}

/** Microseconds per operation, one value per round. Round for round, the subjects have seen the same load. */
export type Samples = ReadonlyMap<string, readonly number[]>

/**
 * Measures all subjects in turns. Whatever else the machine does then burdens all of them alike, and the ratio of two
 * subjects within a round says more than two times measured apart.
 */
export async function measure(subjects: readonly Subject[], init: MeasureInit): Promise<Samples> {
  const samples = new Map<string, number[]>()
  const batches: { readonly subject: Subject; readonly times: number }[] = []
  for (const subject of subjects) {
    samples.set(subject.name, [])
    batches.push({ subject, times: await batchSize(subject, init.batchMs) })
  }
  for (let round = 0; round < init.rounds; round++) {
    const from = round % batches.length
    for (const { subject, times } of [...batches.slice(from), ...batches.slice(0, from)])
      samples.get(subject.name)?.push(await microsecondsEach(subject, times))
  }
  return samples
}

/** The value in the middle: one disturbed round does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Median over the rounds of how much longer `subject` takes than `base`. */
export function ratio(samples: Samples, subject: string, base: string): number {
  const bases = samples.get(base) ?? []
  const quotients = samples
    .get(subject)
    ?.map((value, round) => value / (bases[round] ?? Number.NaN))
  return median(quotients ?? [])
}

/** Runs the subject until it is compiled, and finds how often it fits into a batch. */
async function batchSize(subject: Subject, batchMs: number): Promise<number> {
  let times = 1
  for (;;) {
    const each = await microsecondsEach(subject, times)
    if (each * times >= batchMs * 1_000) return Math.max(1, Math.round((batchMs * 1_000) / each))
    times *= 2
  }
}

async function microsecondsEach(subject: Subject, times: number): Promise<number> {
  const begunAtMs = performance.now()
  for (let i = 0; i < times; i++) {
    const pending = subject.run()
    if (pending !== undefined) await pending
  }
  return ((performance.now() - begunAtMs) * 1_000) / times
}
