import { runTool } from './probe-tree.ts'
import type { Finding } from './probe-tree.ts'

interface Report {
  readonly diagnostics: readonly {
    readonly filename: string
    readonly severity: string
    readonly code?: string
    readonly message: string
    readonly labels: readonly { readonly span: { readonly line: number } }[]
  }[]
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'diagnostics' in value
}

/** Runs the linter once over the tree, as `npm run lint` does. */
export async function lint(root: string): Promise<Finding[]> {
  const flags = ['--disable-nested-config', '--type-aware', '--deny-warnings', '--format', 'json']
  const output = await runTool('oxlint/bin/oxlint', flags, root)
  const report: unknown = JSON.parse(output)
  if (!isReport(report)) throw new Error(`The linter printed no report: ${output.slice(0, 500)}`)
  return report.diagnostics.map(({ filename, code, message, labels }) => ({
    file: filename,
    line: labels[0]?.span.line ?? 1,
    code: code ?? message
  }))
}

/** Runs the compiler once over all projects of the tree. */
export async function compile(root: string): Promise<Finding[]> {
  const flags = ['-b', 'test-net', 'packages/registry-node', '--pretty', 'false']
  const output = await runTool('@typescript/native/bin/tsc', flags, root)
  const errors = output.matchAll(/^(?<file>[^\s(]+)\((?<line>\d+),\d+\): error (?<code>TS\d+)/gm)
  return [...errors].map(({ groups }) => ({
    file: groups?.['file'] ?? '',
    line: Number(groups?.['line']),
    code: groups?.['code'] ?? ''
  }))
}
