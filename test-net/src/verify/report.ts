import type { Acceptance, Outcome } from './acceptance.ts'

/** A line that was checked, or `undefined` outcomes for one that was not selected. */
export interface CheckedLine {
  readonly number: number
  readonly promise: string
  readonly outcomes: readonly Outcome[] | undefined
}

/** Everything that a report tells. */
export interface Verification {
  readonly acceptance: Acceptance
  readonly date: string
  readonly commit: string
  readonly machine: Readonly<Record<string, string>>
  readonly lines: readonly CheckedLine[]
}

/** What a line comes to: failed if any part failed, passed only if every part passed. */
export function statusOf(line: CheckedLine): Outcome['status'] | 'not selected' {
  if (line.outcomes === undefined) return 'not selected'
  const statuses = line.outcomes.map(({ status }) => status)
  if (statuses.includes('failed')) return 'failed'
  return statuses.length > 0 && statuses.every((status) => status === 'passed')
    ? 'passed'
    : 'not run'
}

function describe({ status, command, figures }: Outcome): string {
  const lines = figures.map((figure) => `  - ${figure.replaceAll('`', "'")}`)
  return [`- \`${command}\`: **${status}**`, ...lines].join('\n')
}

/** The result of an acceptance as a page in Markdown. */
export function renderReport(verification: Verification): string {
  const { acceptance, lines } = verification
  const facts = { date: verification.date, commit: verification.commit, ...verification.machine }
  const counted = (status: string): number =>
    lines.filter((line) => statusOf(line) === status).length
  return [
    `# ${acceptance.title}`,
    `Written by \`npm run verify -- ${acceptance.topic}\`. ${counted('passed')} of ${lines.length} lines passed, ` +
      `${counted('failed')} failed.`,
    ['| | |', '| --- | --- |', ...Object.entries(facts).map(([k, v]) => `| ${k} | ${v} |`)].join(
      '\n'
    ),
    ...lines.map((line) => {
      const parts = line.outcomes?.map(describe) ?? []
      const heading = `## ${line.number}. ${line.promise}\n\nResult: **${statusOf(line)}**`
      return [heading, ...(parts.length > 0 ? [parts.join('\n')] : [])].join('\n\n')
    }),
    ''
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}
