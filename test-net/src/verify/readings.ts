/** What a specification holds. */
export interface SpecificationSize {
  readonly sections: number
  /** References to values of the vectors. */
  readonly references: number
  /** Rows of the tables that tell fields of formats: those with a column `field`, `fields` or `vector`. */
  readonly fields: number
  /** Those of them that name no vector. */
  readonly fieldsWithout: readonly string[]
}

/** How the tests of one run of the test runner came out. */
export interface TestCounts {
  readonly passed: number
  readonly failed: number
  /** Skipped or still to be written. */
  readonly skipped: number
}

/** Percentages of the code that tests have run. */
export interface Coverage {
  readonly lines: number
  readonly branches: number
}

/** What `npm run formal` says at its end, and which models of ProVerif were not run. */
export interface FormalCounts {
  readonly summary: string
  /** Runs that must hold, and how many of them did. */
  readonly verified: readonly [good: number, all: number]
  /** Variants that must fail, and how many of them did. */
  readonly broken: readonly [good: number, all: number]
  readonly mismatches: number
  readonly skipped: number
  /** Those that were skipped and that nobody has run before either. */
  readonly unproved: number
}

/** A ratio of two times that was measured. */
export interface MeasuredRatio {
  readonly subject: string
  readonly base: string
  readonly ratio: number
}

const ofFields = new Set(['field', 'fields', 'vector'])
const reference = /`[a-z-]+\.json \$[^`]*`/g

/** Counts what a specification in Markdown holds. */
export function readSpecification(markdown: string): SpecificationSize {
  const rows: string[] = []
  const without: string[] = []
  let head: readonly string[] | undefined
  for (const line of markdown.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').map((cell) => cell.trim()) : undefined
    if (!cells) head = undefined
    else if (head === undefined) head = cells
    else if (head.some((name) => ofFields.has(name)) && !/^\|[ |:-]+$/.test(line)) {
      rows.push(line)
      const vector = cells[head.indexOf('vector')] ?? ''
      if (vector.search(reference) < 0) without.push(line.replaceAll(/ +/g, ' '))
    }
  }
  return {
    sections: [...markdown.matchAll(/^#{2,} /gm)].length,
    references: [...markdown.matchAll(reference)].length,
    fields: rows.length,
    fieldsWithout: without
  }
}

/** The counts that the test runner prints, from an output without colours. Undefined if it did not come so far. */
export function readTestCounts(output: string): TestCounts | undefined {
  const counts = /^ *Tests +(.+ \(\d+\))$/m.exec(output)?.[1]
  if (counts === undefined) return undefined
  const of = (word: string): number => numberIn(counts, new RegExp(`(\\d+) ${word}`)) ?? 0
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') + of('todo') }
}

/** The whole of the coverage table. Undefined if there is none. */
export function readCoverage(output: string): Coverage | undefined {
  const cells = /^All files +\|(.+)$/m.exec(output)?.[1]?.split('|').map(Number) ?? []
  const [, branches, , lines] = cells
  return branches === undefined || lines === undefined ? undefined : { lines, branches }
}

/** The counts of `npm run formal`. Undefined if it did not come to its end. */
export function readFormal(output: string): FormalCounts | undefined {
  const found =
    /^Spin: (\d+) of (\d+) verified, (\d+) of (\d+) broken .* (\d+) mismatches, .*$/m.exec(output)
  if (!found) return undefined
  const [summary, ...counts] = found
  const [verified = 0, toVerify = 0, broken = 0, toBreak = 0, mismatches = 0] = counts.map(Number)
  const skipped = [...output.matchAll(/^\S+\.pv: skipped: .*$/gm)].map(([line]) => line)
  return {
    summary,
    verified: [verified, toVerify],
    broken: [broken, toBreak],
    mismatches,
    skipped: skipped.length,
    unproved: skipped.filter((line) => line.endsWith('(unproved)')).length
  }
}

/** The ratios in the JSON that `npm run bench` writes. */
export function readRatios(json: string): readonly MeasuredRatio[] {
  const report: unknown = JSON.parse(json)
  const comparisons: unknown = Reflect.get(Object(report), 'comparisons')
  return Array.isArray(comparisons) ? comparisons.filter((each) => isMeasuredRatio(each)) : []
}

function isMeasuredRatio(value: unknown): value is MeasuredRatio {
  return (
    typeof value === 'object' &&
    value !== null &&
    'subject' in value &&
    typeof value.subject === 'string' &&
    'base' in value &&
    typeof value.base === 'string' &&
    'ratio' in value &&
    typeof value.ratio === 'number'
  )
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A bar of a benchmark and how it came out. */
export interface BarReading {
  readonly figure: string
  readonly passed: boolean
}

/** The bars in the findings of a benchmark: every comparison that passed or did not. */
export function readBars(json: string): readonly BarReading[] {
  const report: unknown = JSON.parse(json)
  if (!isObject(report) || !Array.isArray(report['comparisons'])) return []
  const comparisons: readonly unknown[] = report['comparisons']
  return comparisons.filter(isObject).flatMap((each) => {
    const { subject, base, ratio, passed, bar } = each
    if (typeof passed !== 'boolean') return []
    const limit = isObject(bar)
      ? Object.entries(bar).map(([side, at]) => `${side} ${String(at)}`)
      : []
    const times = typeof ratio === 'number' ? ratio.toPrecision(3) : 'not measured'
    const figure = `${String(subject)} / ${String(base)}: ${times} (${limit.join()}): `
    return [{ figure: figure + (passed ? 'reached' : 'missed'), passed }]
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
