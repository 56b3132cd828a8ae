import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { outcome } from './acceptance.ts'
import type { Outcome } from './acceptance.ts'
import { lastLines, startCommand } from './command.ts'
import { processesMarked } from './processes.ts'
import type { Clone, Role, Workbench } from './workbench.ts'

const readyWithinSeconds = 60
const endsWithinMs = 30_000

/** Where a `tor` lies that the programs would find, if there is one. */
async function installedTor(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'tor')
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false
      )
    )
      return path
  }
  return undefined
}

/** The command in a mount namespace in which `tor` cannot be executed. Needs root. */
function withoutTor(command: readonly [string, ...string[]], tor: string): [string, ...string[]] {
  const script = 'mount --bind /dev/null "$1" && shift && exec "$@"'
  return ['unshare', '--mount', 'bash', '-c', script, 'hide', tor, ...command]
}

async function startAndInterrupt(bench: Workbench, clone: Clone, tor?: string): Promise<Outcome> {
  const { directory, environment } = clone
  const plain = clone.as('exec npm start')
  const hidden = tor === undefined ? plain : withoutTor(plain, tor)
  const deadlineMs = 4 * readyWithinSeconds * 1000
  const running = startCommand(hidden, { directory, environment, deadlineMs })
  const readySeconds = await running.untilLine(/^Ready/m)
  running.signalGroup('SIGINT')
  const patience = new AbortController()
  const late = sleep(endsWithinMs, 'late' as const, { signal: patience.signal }).catch(() => 'late')
  const ended = await Promise.race([running.finished, late])
  patience.abort()
  const survivors = await processesMarked(clone.marker)
  if (typeof ended === 'string') running.signalGroup('SIGKILL')
  const { output } = await running.finished
  const left = await bench.leftBehind(clone)

  const inTime = readySeconds !== undefined && readySeconds < readyWithinSeconds
  const held = inTime && typeof ended !== 'string' && survivors.length === 0 && left.length === 0
  const name = `npm start, then Ctrl-C (${clone.role}, ${tor === undefined ? 'as installed' : 'tor hidden'})`
  return outcome(
    held,
    name,
    readySeconds === undefined ? 'never ready' : `ready after ${readySeconds.toFixed(1)} s`,
    typeof ended === 'string'
      ? `still running ${endsWithinMs / 1000} s after Ctrl-C`
      : 'ended after Ctrl-C',
    `processes left: ${survivors.length}`,
    ...survivors.map(({ command }) => command.slice(0, 100)),
    `files left in the temporary folder: ${left.length}`,
    ...left,
    ...(held ? [] : lastLines(output))
  )
}

async function startAs(bench: Workbench, role: Role): Promise<Outcome[]> {
  const { clone, installation } = await bench.installed(role)
  const seconds = `${installation.seconds.toFixed(0)} s`
  const installed = outcome(installation.status === 0, `git clone, npm ci (${role})`, seconds)
  if (installation.status !== 0) {
    return [{ ...installed, figures: [seconds, ...lastLines(installation.output)] }]
  }
  const outcomes = [installed, await startAndInterrupt(bench, clone)]
  const tor = await installedTor()
  if (tor !== undefined && process.getuid?.() === 0) {
    outcomes.push(await startAndInterrupt(bench, clone, tor))
  }
  return outcomes
}

/** Line 1 of first light: from a fresh clone to a running network, and back to nothing. */
export async function checkFirstStart(bench: Workbench): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const role of bench.roles()) outcomes.push(...(await startAs(bench, role)))
  if (bench.roles().length === 1) {
    const figures = ['the other roles can only be played by root']
    outcomes.push({ status: 'not run', command: 'npm start as root and as nobody', figures })
  }
  return outcomes
}
