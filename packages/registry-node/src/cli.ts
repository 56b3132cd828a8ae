import { readFileSync } from 'node:fs'

import { isHushlampError } from '@hushlamp/shared'
import { Command, CommanderError } from 'commander'

import { configFrom, defaultSettings, mergeSettings, readEnv } from './config.ts'
import type { NodeSettings } from './config.ts'
import { errorCode, lineLogger } from './log.ts'
import type { RegistryNode } from './registry-node.ts'

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

  A second node on the same computer, on ports that the system chooses:
    $ hushlamp-node start --data-dir ./second --http 127.0.0.1:0 --overlay 127.0.0.1:0 \\
        --bootstrap /ip4/127.0.0.1/tcp/5850/p2p/12D3KooW… --json

Every option can also be set in the environment: HUSHLAMP_NODE_DATA_DIR, HUSHLAMP_NODE_HTTP,
HUSHLAMP_NODE_BOOTSTRAP and so on. A node listens on 127.0.0.1 until you give it another address.
It stores and logs nothing about its clients: no addresses, no keys, no times.
GET /healthz tells that it is alive, GET /readyz that puts and gets work.`

interface StartOptions extends NodeSettings {
  readonly json?: boolean
}

/** Runs the command line and answers with the exit code: 0 for a clean end, 1 for a failure, 2 for wrong usage. */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok
  const program = new Command('hushlamp-node')
    .description('A node of the Hushlamp registry: keeps small values for a limited time.')
    .version(version())
    .exitOverride()
    .addHelpText('after', examples)
  program
    .command('start')
    .description('run a node until it is told to stop (SIGINT or SIGTERM)')
    .option('--data-dir <dir>', 'folder of the node’s key and data (default: XDG data folder)')
    .option(
      '--http <host:port>',
      `address of the HTTP interface (default: ${defaultSettings.http})`
    )
    .option('--overlay <ip:port>', `address for other nodes (default: ${defaultSettings.overlay})`)
    .option('--bootstrap <multiaddr...>', 'nodes of the network to join (default: a new network)')
    .option('--advertise <url...>', 'HTTP addresses for others to use (default: that of --http)')
    .option('--max-bytes <n>', `most bytes to store (default: ${defaultSettings.maxBytes})`)
    .option(
      '--max-value-bytes <n>',
      `greatest length of a value, the same in a whole network (default: ${defaultSettings.maxValueBytes})`
    )
    .option(
      '--log-level <level>',
      `silent, error, warn, info or debug (default: ${defaultSettings.logLevel})`
    )
    .option('--json', 'print one line of JSON when the node is ready')
    .exitOverride()
    .addHelpText('after', examples)
    .action(async (options: StartOptions) => {
      exitCode = await start(options)
    })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return report(error)
  }
}

async function start({ json = false, ...options }: StartOptions): Promise<number> {
  const config = configFrom(mergeSettings(readEnv(process.env), options))
  const logger = lineLogger(config.logLevel, (line) => process.stderr.write(line))
  const stopped = untilSignal()
  // Loaded late: help and complaints about settings need none of it.
  const { RegistryNode: Node } = await import('./registry-node.ts')
  const node = await Node.start(config, { logger })
  try {
    print(json, node)
    await stopped
    logger.info('stopping')
  } finally {
    await node.stop()
  }
  return exitCodes.ok
}

function print(json: boolean, node: RegistryNode): void {
  const { httpAddress: http, overlayAddresses: overlay, peerId } = node
  if (json) {
    process.stdout.write(`${JSON.stringify({ ready: true, http, overlay, peerId })}\n`)
    return
  }
  process.stdout.write(
    [
      `Node ${peerId} is running.`,
      `HTTP     ${http}`,
      ...overlay.map((at) => `Overlay  ${at}`),
      ''
    ].join('\n')
  )
}

/** Ends with the first SIGINT, SIGTERM or SIGHUP; further ones change nothing, the end is near anyway. */
async function untilSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve())
  })
}

function report(error: unknown): number {
  if (isHushlampError(error)) {
    process.stderr.write(`hushlamp-node: ${error.message} [${error.code}]\n`)
    return error.code === 'config-invalid' ? exitCodes.usage : exitCodes.failed
  }
  process.stderr.write(`hushlamp-node: an error that should not happen: ${errorCode(error)}\n`)
  return exitCodes.failed
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown'
}
