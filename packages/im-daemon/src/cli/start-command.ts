import type { EndpointState, TorStatus } from '@hushlamp/client'

import { configFrom } from '../config.ts'
import type { DaemonSettings } from '../config.ts'
import { Daemon, addressText, xmppDomain } from '../daemon.ts'
import type { DaemonReports } from '../daemon.ts'

/** How `hushlamp start` reports. */
export interface StartOptions {
  readonly version: string
  readonly json: boolean
  readonly timings: boolean
}

/** `hushlamp start`: runs until SIGINT, SIGTERM or SIGHUP. */
export async function startDaemon(settings: DaemonSettings, options: StartOptions): Promise<void> {
  const config = configFrom(settings, process.env)
  const stopping = abortOnSignal()
  const reports = options.json ? jsonReports(options.timings) : textReports(options.timings)
  const { version } = options
  await using daemon = await Daemon.start(config, reports, { version, signal: stopping.signal })
  const xmpp = addressText(daemon.xmpp)
  const account = `${daemon.account}@${xmppDomain}`
  if (options.json) line({ ready: true, xmpp, account })
  else say(loginText(xmpp, account, config.dataDir))
  await stopping.aborted
  if (!options.json) say('Logging out …')
}

function loginText(xmpp: string, account: string, dataDir: string): string {
  return [
    '',
    `Log in with an XMPP client on this computer:`,
    `  address    ${account}`,
    `  server     ${xmpp}`,
    `  password   in ${dataDir}/xmpp-password`,
    ''
  ].join('\n')
}

function jsonReports(timings: boolean): DaemonReports {
  return {
    onTor: (tor) => {
      line({ tor })
    },
    onState: (state) => {
      line({ state })
    },
    onTrouble: (trouble) => {
      line({ trouble })
    },
    onStage: (stage, ms) => {
      if (timings) line({ stage, ms: Math.round(ms) })
    }
  }
}

function textReports(timings: boolean): DaemonReports {
  const states: Record<EndpointState, string> = {
    starting: 'Connecting …',
    online: 'Online: your contacts can reach you.',
    lost: 'Tor is lost: nobody can reach you, and you see nobody. Start Hushlamp again.',
    closed: 'Logged out.'
  }
  return {
    onTor: (status) => {
      say(torText(status))
    },
    onState: (state) => {
      say(states[state])
    },
    onTrouble: (text) => {
      say(`Trouble: ${text}`)
    },
    onStage: (stage, ms) => {
      if (timings) say(`${stage} took ${Math.round(ms)} ms`)
    }
  }
}

const barLength = 30

function torText(status: TorStatus): string {
  switch (status.phase) {
    case 'starting': {
      const done = Math.round((status.progress / 100) * barLength)
      const bar = '#'.repeat(done).padEnd(barLength, '.')
      return `Tor [${bar}] ${String(status.progress).padStart(3)} %  ${status.summary}`
    }
    case 'ready':
      return 'Tor is ready.'
    case 'lost':
      return `Tor is lost: ${status.reason}`
    case 'stopped':
      return 'Tor is stopped.'
  }
}

function abortOnSignal(): { readonly signal: AbortSignal; readonly aborted: Promise<void> } {
  const controller = new AbortController()
  const aborted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        controller.abort()
        resolve()
      })
  })
  return { signal: controller.signal, aborted }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

function line(report: object): void {
  process.stdout.write(`${JSON.stringify(report)}\n`)
}
