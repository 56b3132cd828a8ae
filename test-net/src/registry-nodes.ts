import { join } from 'node:path'

import { HushlampError } from '@hushlamp/shared'

import { hushlampNode } from './programs-of-ours.ts'
import { SupervisedProcess } from './supervised-process.ts'
import type { Report } from './supervised-process.ts'

/** A registry node of the test network. */
export interface RunningNode {
  /** Its HTTP interface, as clients are given it. */
  readonly http: string
  readonly process: SupervisedProcess
}

/** Starts `count` registry nodes that form one network, on free ports of 127.0.0.1. */
export async function startRegistryNodes(
  count: number,
  directory: string,
  resources: AsyncDisposableStack,
  signal?: AbortSignal
): Promise<readonly RunningNode[]> {
  const first = await startNode(0, directory, [], resources, signal)
  const bootstrap = first.overlay
  const others = Array.from({ length: count - 1 }, (_, index) =>
    startNode(index + 1, directory, bootstrap, resources, signal)
  )
  return [first, ...(await Promise.all(others))]
}

async function startNode(
  index: number,
  directory: string,
  bootstrap: readonly string[],
  resources: AsyncDisposableStack,
  signal: AbortSignal | undefined
): Promise<RunningNode & { readonly overlay: readonly string[] }> {
  const flags = {
    '--data-dir': join(directory, `node${index + 1}`),
    '--http': '127.0.0.1:0',
    '--overlay': '127.0.0.1:0',
    '--admin': 'off',
    '--log-level': 'error'
  }
  const joining = bootstrap.length > 0 ? ['--bootstrap', ...bootstrap] : []
  const command = hushlampNode(
    'start',
    '--json',
    '--no-onion',
    ...Object.entries(flags).flat(),
    ...joining
  )
  const process = resources.use(
    new SupervisedProcess({ label: `Registry node ${index + 1}`, command })
  )
  const report = await process.report(({ ready }) => ready === true, { ...(signal && { signal }) })
  return { http: text(report, 'http'), overlay: texts(report, 'overlay'), process }
}

function text(report: Report, name: string): string {
  const value = report[name]
  if (typeof value !== 'string')
    throw new HushlampError('config-invalid', `A node did not report its ${name}.`)
  return value
}

function texts(report: Report, name: string): readonly string[] {
  const value = report[name]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
