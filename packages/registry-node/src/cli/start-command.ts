import { lineLogger } from '../log.ts'
import type { RegistryNode } from '../registry-node.ts'
import { configFrom } from '../config/config.ts'
import { writeConfigFile } from '../config/config-file.ts'
import { gatherSettings } from './settings-options.ts'
import type { SettingsOptions } from './settings-options.ts'

/** Options of `start`. */
export type StartOptions = SettingsOptions & {
  readonly json?: boolean
  readonly printConfig?: boolean
}

/** Runs a node until the program is told to stop. */
export async function start(all: StartOptions): Promise<void> {
  const { json = false, printConfig = false, ...options } = all
  const settings = await gatherSettings(options)
  const config = configFrom(settings)
  if (printConfig) {
    process.stdout.write(writeConfigFile(settings))
    return
  }
  const logger = lineLogger(config.logLevel, (line) => process.stderr.write(line))
  const stopped = untilSignal()
  // Loaded late: help and complaints about settings need none of it.
  const { RegistryNode: Node } = await import('../registry-node.ts')
  const node = await Node.start(config, { logger })
  try {
    print(json, node)
    await stopped
    logger.info('stopping')
  } finally {
    await node.stop()
  }
}

function print(json: boolean, node: RegistryNode): void {
  const { httpAddress: http, overlayAddresses: overlay, onionAddress: onion, peerId } = node
  const { adminAddress: admin } = node
  if (json) {
    const ready = { ready: true, http, overlay, peerId, onion, admin }
    process.stdout.write(`${JSON.stringify(ready)}\n`)
    return
  }
  process.stdout.write(
    [
      `Node ${peerId} is running.`,
      `HTTP     ${http}  (open it in a browser to see how the node does)`,
      ...(admin === undefined ? [] : [`Metrics  ${admin}/metrics`]),
      ...(onion === undefined
        ? []
        : [`Onion    ${onion}  (open to everybody; --no-onion turns it off)`]),
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
