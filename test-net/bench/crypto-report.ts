import { median, ratio } from './interleaved.ts'
import type { Samples } from './interleaved.ts'
import { machine } from './machine.ts'
import { table, verdict } from './markdown-table.ts'

/** A ratio that must not be exceeded. */
export interface Bar {
  readonly subject: string
  readonly base: string
  readonly most: number
}

/** A ratio with its bar, if it has one. */
export interface Comparison {
  readonly subject: string
  readonly base: string
  readonly ratio: number
  readonly most?: number
  readonly passed?: boolean
}

/** Everything that one run has found. */
export interface Report {
  readonly machine: Readonly<Record<string, string | number>>
  readonly rounds: number
  readonly operations: readonly {
    readonly name: string
    readonly microseconds: number
    readonly perSecond: number
  }[]
  readonly comparisons: readonly Comparison[]
}

const bars: readonly Bar[] = [
  { subject: 'seal a record', base: 'Ed25519 sign', most: 3 },
  { subject: 'open a record', base: 'Ed25519 verify', most: 2.5 },
  { subject: 'reject junk', base: 'open a record', most: 1 / 6 }
]

const shown: readonly (readonly [subject: string, base: string])[] = [
  ['pair root', 'X25519 agreement'],
  ['epoch keys', 'HMAC-SHA256, 64 B'],
  ['handshake, both sides', 'X25519 agreement'],
  ['frame seal and open, 1 KiB', 'ChaCha20-Poly1305 seal, 1 KiB'],
  ['OpenPGP.js sign and encrypt', 'seal a record'],
  ['OpenPGP.js decrypt and verify', 'open a record']
]

/** What the samples say, the bars included. */
export function reportOf(samples: Samples): Report {
  const rounds = [...samples.values()][0]?.length ?? 0
  const operations = [...samples].map(([name, values]) => {
    const microseconds = median(values)
    return { name, microseconds, perSecond: 1e6 / microseconds }
  })
  const held = bars.map(({ subject, base, most }) => {
    const found = ratio(samples, subject, base)
    return { subject, base, ratio: found, most, passed: found <= most }
  })
  const others = shown.map(([subject, base]) => ({
    subject,
    base,
    ratio: ratio(samples, subject, base)
  }))
  return { machine: machine(), rounds, operations, comparisons: [...held, ...others] }
}

/** Whether every bar is reached. */
export function passes(report: Report): boolean {
  return report.comparisons.every(({ passed }) => passed !== false)
}

/** The report as Markdown. */
export function markdown({ machine: facts, rounds, operations, comparisons }: Report): string {
  return [
    '# Speed of the cryptography',
    '',
    `\`npm run bench -- crypto\`: medians of ${rounds} rounds in which every operation had its turn. A ratio is the median of`,
    'the ratios within each round, so that the load of the machine does not shift it. The primitives are those of node:crypto',
    'with keys that are imported already; _reject junk_ is a record that fails its check, under a key that other values have been',
    'tried with: that is how junk is met.',
    '',
    ...table(['machine', ''], Object.entries(facts)),
    '',
    ...table(
      ['operation', 'µs', 'per second'],
      operations.map(({ name, microseconds, perSecond }) => [
        name,
        microseconds.toFixed(1),
        Math.round(perSecond).toLocaleString('en')
      ])
    ),
    '',
    ...table(
      ['this', 'takes, of that', 'times', 'bar', ''],
      comparisons.map(({ subject, base, ratio: times, most, passed }) => [
        subject,
        base,
        times.toFixed(2),
        most === undefined ? '' : `≤ ${most.toFixed(2)}`,
        passed === undefined ? '' : verdict(passed)
      ])
    ),
    ''
  ].join('\n')
}
