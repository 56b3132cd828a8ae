import type { StageTime } from '../users/test-user.ts'

/** Stages of a story with the times they took, in the order of their first appearance, as a table for people. */
export function stageTable(stages: readonly StageTime[]): string {
  const times = new Map<string, number[]>()
  for (const { stage, ms } of stages) times.set(stage, [...(times.get(stage) ?? []), ms])
  const rows = [...times].map(([stage, values]) => [
    stage,
    String(values.length),
    ...[Math.min(...values), median(values), Math.max(...values)].map(
      (ms) => `${(ms / 1000).toFixed(2)} s`
    )
  ])
  return tableText([['stage', 'n', 'fastest', 'median', 'slowest'], ...rows])
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length))
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
        )
        .join('   ')
        .trimEnd()
    )
    .join('\n')
}
