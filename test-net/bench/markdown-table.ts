/** Rows of a table in Markdown, aligned. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[]
): readonly string[] {
  const cells = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) =>
    Math.max(3, ...cells.map((row) => (row[column] ?? '').length))
  )
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [first = [], ...others] = cells
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)]
}

/** How a bar came out. */
export function verdict(passed: boolean): string {
  return passed ? 'PASS' : 'FAIL'
}
