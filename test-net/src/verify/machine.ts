import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { promisify } from 'node:util'

const execute = promisify(execFile)

async function firstLine(program: string, ...parameters: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, parameters)
    return stdout.split('\n')[0] ?? ''
  } catch {
    return 'not installed'
  }
}

/** What a reader needs to judge the figures: machine, system and versions, but nothing that names the machine. */
export async function describeMachine(): Promise<Record<string, string>> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const [cpu] = cpus()
  return {
    system: /^PRETTY_NAME="?(?<name>[^"\n]*)/m.exec(system)?.groups?.['name'] ?? process.platform,
    kernel: release(),
    processor: `${cpus().length} × ${cpu?.model.trim() ?? process.arch}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    'Node.js': process.version,
    npm: await firstLine('npm', '--version'),
    Tor: await firstLine('tor', '--version')
  }
}

/** The state of the repository that is verified. */
export async function describeCommit(repository: string): Promise<string> {
  const git = ['-C', repository]
  const commit = await firstLine('git', ...git, 'rev-parse', '--short=12', 'HEAD')
  const changed = await firstLine('git', ...git, 'status', '--porcelain')
  return changed === '' ? commit : `${commit} (uncommitted changes are not part of the clones)`
}
