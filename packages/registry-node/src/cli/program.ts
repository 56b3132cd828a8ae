import { isHushlampError } from '@hushlamp/shared'
import { Command, CommanderError } from 'commander'

import { errorCode } from '../log.ts'
import { version } from '../version.ts'
import { addSettings, gatherConfig } from './settings-options.ts'
import type { SettingsOptions } from './settings-options.ts'
import { start } from './start-command.ts'

/** What the program ends with. */
const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

const examples = `
Examples:
  A node for yourself, on this computer only:
    $ hushlamp-node start

  A volunteer's node that others can reach, joining an existing network:
    $ hushlamp-node start --http 0.0.0.0:5851 --overlay 0.0.0.0:5850 \\
        --advertise http://registry.example:5851 \\
        --bootstrap /dns4/node.example/tcp/5850/p2p/12D3KooW…

  The same, for years: write the settings into a file once, then start from it:
    $ hushlamp-node init --data-dir /var/lib/hushlamp-node --http 0.0.0.0:5851 \\
        --overlay 0.0.0.0:5850 --bootstrap /dns4/node.example/tcp/5850/p2p/12D3KooW…
    $ hushlamp-node start --data-dir /var/lib/hushlamp-node

  A second node on the same computer, on ports that the system chooses:
    $ hushlamp-node start --data-dir ./second --http 127.0.0.1:0 --overlay 127.0.0.1:0 \\
        --admin off --bootstrap /ip4/127.0.0.1/tcp/5850/p2p/12D3KooW… --json

Every setting can also stand in the environment (HUSHLAMP_NODE_DATA_DIR, HUSHLAMP_NODE_HTTP and so
on) and in the file config.toml of the data folder. The command line wins over the environment, that
over the file; start --print-config shows what holds.
A node listens on 127.0.0.1 until you give it another address. It stores and logs nothing about its
clients: no addresses, no keys, no times.
GET / shows how the node does, /healthz that it is alive, /readyz that puts and gets work; exact figures
for Prometheus are at /metrics of the admin address.`

type Act<Options> = (options: Options) => Promise<void | number>

/** Runs the command line and answers with the exit code: 0 for a clean end, 1 for a failure, 2 for wrong usage. */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok
  const program = new Command('hushlamp-node')
    .description('A node of the Hushlamp registry: keeps small values for a limited time.')
    .version(version())
    .exitOverride()
    .addHelpText('after', examples)
  const command = <Options>(name: string, description: string, act: Act<Options>): Command =>
    program
      .command(name)
      .description(description)
      .exitOverride()
      .action(async (options: Options) => {
        exitCode = (await act(options)) ?? exitCodes.ok
      })

  addSettings(command('start', 'run a node until it is told to stop (SIGINT or SIGTERM)', start))
    .option('--json', 'print one line of JSON when the node is ready')
    .option('--print-config', 'print the settings that hold, as a file, and end')
    .addHelpText('after', examples)
  addSettings(
    command<SettingsOptions>(
      'init',
      'make the data folder with a file of settings',
      async (options) => (await import('./init-command.ts')).init(options)
    )
  )
  addSettings(command<JsonOptions>('status', 'show what the running node says of itself', status), [
    'dataDir'
  ]).option('--json', 'print JSON')
  addSettings(
    command<DoctorOptions>(
      'doctor',
      'look at everything that a node needs, and say what to do',
      doctor
    )
  )
    .option('--json', 'print JSON')
    .option('--repair', 'repair the store of a stopped node first; saves what can be read')
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return report(error)
  }
}

type JsonOptions = SettingsOptions & { readonly json?: boolean }

async function status({ json = false, ...options }: JsonOptions): Promise<number> {
  const { statusOf, statusLines } = await import('./status-command.ts')
  const answer = await statusOf(await gatherConfig(options))
  const lines = [
    `${answer.http} is ${answer.ready ? 'ready' : 'NOT ready'}`,
    ...statusLines(answer.status)
  ]
  process.stdout.write(`${json ? JSON.stringify(answer) : lines.join('\n')}\n`)
  return answer.ready ? exitCodes.ok : exitCodes.failed
}

type DoctorOptions = JsonOptions & { readonly repair?: boolean }

async function doctor({
  json = false,
  repair = false,
  ...options
}: DoctorOptions): Promise<number> {
  const { examine, repair: repairStore } = await import('./doctor-command.ts')
  const config = await gatherConfig(options)
  if (repair) await repairStore(config)
  const findings = await examine(config)
  const marks = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const
  const lines = findings.map(({ check, outcome, text, advice }) => {
    const line = `${marks[outcome]}  ${check.padEnd(13)} ${text}`
    return advice === undefined ? line : `${line}\n${' '.repeat(23)} → ${advice}`
  })
  process.stdout.write(`${json ? JSON.stringify(findings) : lines.join('\n')}\n`)
  return findings.some(({ outcome }) => outcome === 'failed') ? exitCodes.failed : exitCodes.ok
}

function report(error: unknown): number {
  if (isHushlampError(error)) {
    process.stderr.write(`hushlamp-node: ${error.message} [${error.code}]\n`)
    return error.code === 'config-invalid' ? exitCodes.usage : exitCodes.failed
  }
  process.stderr.write(`hushlamp-node: an error that should not happen: ${errorCode(error)}\n`)
  return exitCodes.failed
}
