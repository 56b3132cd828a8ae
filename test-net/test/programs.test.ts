import { execFile, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { resolvePrograms } from '../src/index.ts'

const run = promisify(execFile)
const isDebian = spawnSync('apt-get', ['--version']).status === 0
let scratch: string

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true })
})

describe('resolvePrograms', () => {
  it('takes a program that works, and passes over one that does not', async () => {
    for (const [folder, exit] of [
      ['broken', 1],
      ['works', 0]
    ] as const) {
      mkdirSync(join(scratch, folder))
      writeFileSync(join(scratch, folder, 'tmux'), `#!/bin/sh\nexit ${exit}\n`)
      chmodSync(join(scratch, folder, 'tmux'), 0o755)
    }
    mkdirSync(join(scratch, 'masked'))
    symlinkSync('/dev/null', join(scratch, 'masked', 'tmux'))
    const folders = ['masked', 'broken', 'works'].map((folder) => join(scratch, folder))
    const PATH = [...folders, process.env['PATH']].join(':')
    const { paths, environment } = await resolvePrograms(['tmux'], { environment: { PATH } })
    expect(paths.get('tmux')).toBe(join(scratch, 'works', 'tmux'))
    expect(environment).toEqual({ PATH, TERM: 'xterm', LANG: 'C.UTF-8' })
  })

  it('names the package where a program is missing and cannot be fetched', async () => {
    const options = { environment: { PATH: scratch }, cacheDirectory: join(scratch, 'cache') }
    await expect(resolvePrograms(['mcabber'], options)).rejects.toMatchObject({
      code: 'package-download-failed',
      message: expect.stringContaining('mcabber')
    })
  })
})

describe.skipIf(!isDebian)('the programs of the suite', { timeout: 180_000 }, () => {
  it('has a Python with slixmpp, whatever python3 comes first in PATH', async () => {
    writeFileSync(join(scratch, 'python3'), '#!/bin/sh\nexit 1\n')
    chmodSync(join(scratch, 'python3'), 0o755)
    const PATH = [scratch, process.env['PATH']].join(':')
    const { paths, environment } = await resolvePrograms(['python3-slixmpp'], {
      environment: { ...process.env, PATH }
    })
    const python = paths.get('python3-slixmpp') ?? ''
    const check = 'import slixmpp, ssl; print(slixmpp.ClientXMPP.__name__)'
    const { stdout } = await run(python, ['-c', check], { env: environment })
    expect(stdout).toBe('ClientXMPP\n')
  })

  it('has mcabber in tmux, with its module for commands from a FIFO', async () => {
    const { paths, environment, mcabberModules } = await resolvePrograms(['mcabber', 'tmux'])
    const fifo = join(scratch, 'fifo')
    const settings = [
      ...(mcabberModules === undefined ? [] : [`set modules_dir = ${mcabberModules}`]),
      'set jid = nobody@localhost',
      'set password = secret',
      'set server = 127.0.0.1',
      'set port = 1',
      'module load fifo',
      `set fifo_name = ${fifo}`
    ]
    writeFileSync(join(scratch, 'mcabberrc'), `${settings.join('\n')}\n`, { mode: 0o600 })
    const tmux = async (...arguments_: string[]): Promise<void> => {
      await run(paths.get('tmux') ?? 'tmux', ['-S', join(scratch, 'tmux'), ...arguments_], {
        env: { ...environment, HOME: scratch }
      })
    }
    const mcabber = `'${paths.get('mcabber')}' -f '${join(scratch, 'mcabberrc')}'`
    await tmux('-f', '/dev/null', 'new-session', '-d', mcabber)
    try {
      await expect.poll(() => existsSync(fifo), { timeout: 20_000 }).toBe(true)
    } finally {
      await tmux('kill-server')
    }
  })

  it('has ip', async () => {
    const { paths, environment } = await resolvePrograms(['iproute2'])
    const { stdout } = await run(paths.get('iproute2') ?? 'ip', ['-brief', 'link'], {
      env: environment
    })
    expect(stdout).toMatch(/^lo /m)
  })
})
