import { access, constants, readFile, stat, statfs } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

import { isHushlampError } from '@hushlamp/shared'
import { multiaddr } from '@multiformats/multiaddr'

import type { ListenAddress, RegistryNodeConfig } from '../config/config.ts'
import { readRunningFile } from '../data-folder/running-file.ts'
import type { RunningNode } from '../data-folder/running-file.ts'
import { errorCode } from '../log.ts'
import { usualControlAddresses } from '../onion/onion-service.ts'
import { TorControl } from '../onion/tor-control.ts'
import { checkStore, repairStore } from '../store/doctor.ts'
import type { StoreReport } from '../store/doctor.ts'
import { systemClock } from '../system-clock.ts'
import { askNodeForText } from './local-request.ts'

/** What one check found, with what to do where something is wrong. */
export interface Finding {
  readonly check: string
  readonly outcome: 'ok' | 'warning' | 'failed'
  readonly text: string
  readonly advice?: string
}

type Findings = Promise<readonly Finding[]>

const connectMs = 5000
/** Each peer takes a descriptor, and so does each client. */
const fewOpenFiles = 2048

/** Looks at everything that a node needs and says what is wrong. Changes nothing. */
export async function examine(config: RegistryNodeConfig): Findings {
  const running = await readRunningFile(config.dataDirectory)
  const checks = [
    checkNodeVersion(),
    checkOpenFiles(),
    checkFolder(config),
    checkSpace(config),
    ...(running === undefined
      ? [
          checkPort('http', config.http),
          checkPort('overlay', config.overlay),
          ...(config.admin === undefined ? [] : [checkPort('admin', config.admin)]),
          examineStore(config)
        ]
      : [checkRunning(running)]),
    ...config.bootstrap.map(async (address) => checkBootstrap(address)),
    checkTor(config)
  ]
  return (await Promise.all(checks)).flat()
}

function ok(check: string, text: string): Finding {
  return { check, outcome: 'ok', text }
}

function warning(check: string, text: string, advice: string): Finding {
  return { check, outcome: 'warning', text, advice }
}

function failed(check: string, text: string, advice: string): Finding {
  return { check, outcome: 'failed', text, advice }
}

async function checkNodeVersion(): Findings {
  const { version } = process
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 22) return [ok('node.js', version)]
  return [
    warning('node.js', `${version} is old`, 'Node.js 22 or later is faster and still mended.')
  ]
}

async function checkOpenFiles(): Findings {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? NaN)
  if (Number.isNaN(limit)) return []
  if (limit >= fewOpenFiles) return [ok('open files', `up to ${limit}`)]
  const advice = 'Raise LimitNOFILE in the unit of systemd, or ulimit -n.'
  return [warning('open files', `at most ${limit}`, advice)]
}

async function checkFolder({ dataDirectory }: RegistryNodeConfig): Findings {
  const check = 'data folder'
  try {
    const { mode } = await stat(dataDirectory)
    await access(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK)
    const findings = [ok(check, dataDirectory)]
    if ((mode & 0o077) !== 0) {
      const advice = `chmod 700 ${dataDirectory}`
      findings.push(warning(check, 'other users of this computer can look into it', advice))
    }
    for (const name of ['node.key', 'onion.key']) {
      const file = join(dataDirectory, name)
      const found = await stat(file).catch(() => undefined)
      if (found !== undefined && (found.mode & 0o077) !== 0) {
        findings.push(warning(check, `${name} is readable for others`, `chmod 600 ${file}`))
      }
    }
    return findings
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return [ok(check, `${dataDirectory} is not there yet; the first start makes it`)]
    }
    const advice = 'Give the folder to the user who runs the node.'
    return [failed(check, `${dataDirectory} cannot be used (${errorCode(error)})`, advice)]
  }
}

async function checkSpace({ dataDirectory, maxBytes }: RegistryNodeConfig): Findings {
  const space = await statfs(dataDirectory).catch(() => undefined)
  if (space === undefined) return []
  const free = space.bavail * space.bsize
  const text = `${mebibytes(free)} free, at most ${mebibytes(maxBytes)} to be stored`
  // Compaction needs some room of its own, and logs of the database are bigger than its tables.
  if (free > 1.5 * maxBytes) return [ok('disk', text)]
  return [warning('disk', text, 'Make room, or set max-bytes lower.')]
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2).toLocaleString('en')} MiB`
}

async function checkPort(name: string, { host, port }: ListenAddress): Findings {
  const check = `port ${name}`
  if (port === 0) return [ok(check, 'chosen by the system')]
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      const inUse = errorCode(error) === 'EADDRINUSE'
      const text = inUse ? `${host}:${port} is in use` : `${host}:${port} cannot be listened on`
      const advice = inUse
        ? `Find out by whom (ss -ltnp), or set ${name} to another port.`
        : `Set ${name} to an address of this computer, and to a port above 1023.`
      resolve([failed(check, text, advice)])
    })
    server.listen(port, host, () => {
      server.close(() => resolve([ok(check, `${host}:${port} is free`)]))
    })
  })
}

async function examineStore({ dataDirectory }: RegistryNodeConfig): Findings {
  const directory = join(dataDirectory, 'store')
  if ((await stat(directory).catch(() => undefined)) === undefined) return []
  try {
    return [storeFinding(await checkStore({ directory }, systemClock.unixSeconds()))]
  } catch (error) {
    const code = isHushlampError(error) ? error.code : errorCode(error)
    const advice =
      code === 'storage-corrupt'
        ? repairAdvice
        : 'Look whether another node runs on this folder, and at the disk.'
    return [failed('store', `cannot be opened (${code})`, advice)]
  }
}

const repairAdvice =
  'Run `hushlamp-node doctor --repair`: it saves what can be read, and other nodes hold the rest. Or restore a backup.'

function storeFinding(report: StoreReport): Finding {
  const { rows, bytes } = report.usage
  const held = `${rows} rows, ${mebibytes(bytes)}`
  if (report.sound) return ok('store', held)
  const faults = [
    ...(report.unreadable ? ['a part of the files cannot be read'] : []),
    ...(report.damagedRows > 0 ? [`${report.damagedRows} rows are damaged`] : []),
    ...(report.misindexed > 0 ? [`${report.misindexed} faults in the index`] : []),
    ...(report.miscounted ? ['the counters are wrong'] : [])
  ]
  return failed('store', `${held}; ${faults.join(', ')}`, repairAdvice)
}

/**
 * Repairs the store of a node that does not run: saves what can be read.
 *
 * @throws HushlampError those of {@link repairStore}
 */
export async function repair({ dataDirectory }: RegistryNodeConfig): Promise<void> {
  const directory = join(dataDirectory, 'store')
  await repairStore({ directory }, systemClock.unixSeconds())
}

async function checkRunning({ http, pid }: RunningNode): Findings {
  const check = 'running node'
  try {
    const { status } = await askNodeForText(`${http}/readyz`)
    if (status === 200) return [ok(check, `${http} (process ${pid}) is ready`)]
    const advice = 'It reaches no other nodes: look at bootstrap and at the firewall.'
    return [failed(check, `${http} (process ${pid}) is not ready`, advice)]
  } catch {
    return [failed(check, `${http} (process ${pid}) does not answer`, 'Restart it.')]
  }
}

async function checkBootstrap(text: string): Findings {
  const check = 'bootstrap'
  const address = multiaddr(text)
  const components = address.getComponents()
  const host = components.find(({ name }) => /^(ip4|ip6|dns4|dns6|dns)$/.test(name))?.value
  const port = Number(components.find(({ name }) => name === 'tcp')?.value)
  if (host === undefined) return [warning(check, 'an address without a host', 'Look at it.')]
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs })
    const end = (finding: Finding): void => {
      socket.destroy()
      resolve([finding])
    }
    const advice = 'Ask its operator, or name another node of the network.'
    socket.once('connect', () => end(ok(check, `${host}:${port} answers`)))
    socket.once('timeout', () => end(failed(check, `${host}:${port} does not answer`, advice)))
    socket.once('error', (error) =>
      end(failed(check, `${host}:${port} cannot be reached (${errorCode(error)})`, advice))
    )
  })
}

async function checkTor({ onion, torControl }: RegistryNodeConfig): Findings {
  if (onion === 'off') return [ok('tor', 'not asked for (onion = off)')]
  const addresses = torControl === undefined ? usualControlAddresses : [torControl]
  let said = ''
  for (const address of addresses) {
    try {
      using control = await TorControl.connect(address)
      const [line = ''] = await control.command('GETINFO version')
      return [ok('tor', `can be controlled (${line.slice(0, 40)})`)]
    } catch (error) {
      if (isHushlampError(error)) said = error.message
    }
  }
  const advice = 'Install Tor with ControlPort and CookieAuthentication, or set tor-control.'
  const report = onion === 'on' ? failed : warning
  return [report('tor', said, advice)]
}
