import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { HushlampError } from '@hushlamp/shared'

import { resolvePrograms } from '../../programs.ts'
import { tellChurnStory } from './churn-story.ts'
import type { OnChurnProgress } from './churn-story.ts'

const inside = '--inside'

/**
 * Twelve nodes as processes, eight of which hold each value: 20 writers to one key at once, five holders killed, each node
 * restarted under load, and the network cut in two halves that both go on writing. Nothing that was acknowledged may be
 * lost, no request may fail for good, and the network must have repaired itself within a minute each time. Takes some
 * minutes, needs no root, and leaves nothing behind.
 *
 * Errors: `config-invalid` where network namespaces are not allowed; `registry-unreachable` with what was seen.
 */
export async function verifyChurn(progress: OnChurnProgress): Promise<readonly string[]> {
  const { environment, paths } = await resolvePrograms(['iproute2'])
  const script = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url), inside]
  const rights = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const args = [...rights, '--net', '--', ...script, paths.get('iproute2') ?? 'ip']
  const child = spawn('unshare', args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const seen: string[] = []
  let complaints = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    seen.push(line)
    progress(line)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2000)
  })
  const [status] = await once(child, 'close')
  if (status !== 0) throw new HushlampError('registry-unreachable', complaints.trim())
  return seen
}

function print(line: string): void {
  console.log(line)
}

async function main(): Promise<void> {
  const index = process.argv.indexOf(inside)
  if (index === -1) await verifyChurn(print)
  else await tellChurnStory(process.argv[index + 1] ?? 'ip', print)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
