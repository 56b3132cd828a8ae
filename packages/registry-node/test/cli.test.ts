import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { base64, decodeGetResult, encodeGet, encodePut, hex } from '@hushlamp/shared'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { parseConfigFile } from '../src/config/config-file.ts'
import { configFrom, RegistryNode } from '../src/index.ts'
import { loopback } from './loopback-network.ts'

const program = fileURLToPath(new URL('../bin/hushlamp-node.js', import.meta.url))

/** The line that announces a node. */
interface Ready {
  readonly ready: boolean
  readonly http: string
  readonly overlay: readonly string[]
  readonly peerId: string
}

function readyOf(line: string): Ready {
  const ready: Ready = JSON.parse(line)
  return ready
}

describe('hushlamp-node', () => {
  let dataDir: string
  const children: ChildProcess[] = []
  const run = (...args: string[]) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const ended = new Promise<{ code: number | null; signal: string | null; output: string }>(
      (resolve) => {
        child.on('close', (code, signal) => resolve({ code, signal, output }))
      }
    )
    const firstLine = new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve)
      child.once('exit', () => reject(new Error(`ended at once: ${output}`)))
    })
    firstLine.catch(() => {})
    return { child, ended, firstLine }
  }
  const free = ['--http', '127.0.0.1:0', '--overlay', '127.0.0.1:0', '--admin', 'off', '--no-onion']
  const local = (): string[] => [...free, '--data-dir', dataDir]
  const start = async (...args: string[]) => {
    const running = run('start', ...local(), '--json', ...args)
    return { ...running, ready: readyOf(await running.firstLine) }
  }

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hushlamp-cli-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
  })

  it('says in one line of JSON when it is ready, serves, and ends cleanly when told to', async () => {
    const { child, ended, ready } = await start()
    expect(Object.keys(ready)).toEqual(['ready', 'http', 'overlay', 'peerId'])
    expect(ready.overlay[0]).toContain(`/p2p/${ready.peerId}`)
    expect((await fetch(`${ready.http}/readyz`)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0, signal: null })
  })

  it('keeps what it acknowledged when it is killed', async () => {
    const key = new Uint8Array(20).fill(5)
    const first = await start()
    const put = encodePut({ key, value: new Uint8Array(128), ttlSeconds: 600 })
    const answer = await fetch(first.ready.http + put.path, {
      method: put.method,
      body: put.body ?? '',
      headers: { 'content-type': 'application/json' }
    })
    expect(answer.status).toBe(201)
    first.child.kill('SIGKILL')
    await first.ended
    const second = await start()
    const page = await fetch(second.ready.http + encodeGet({ key }).path)
    expect(decodeGetResult(page.status, await page.text()).values).toHaveLength(1)
    second.child.kill('SIGINT')
    expect(await second.ended).toMatchObject({ code: 0 })
  })

  it('never writes keys, values or addresses of clients, even when it tells the most', async () => {
    const key = new Uint8Array(20).fill(0xab)
    const value = new TextEncoder().encode('the canary sings in the mine')
    const { child, ended, ready } = await start('--log-level', 'debug')
    const peerDir = await mkdtemp(join(tmpdir(), 'hushlamp-cli-'))
    const bootstrap = ready.overlay
    const peer = await RegistryNode.start(configFrom({ ...loopback, dataDir: peerDir, bootstrap }))
    const put = encodePut({ key, value, ttlSeconds: 60 })
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.7' }
    for (const body of [put.body ?? '', '{"value":"canary"}', '{', 'x'.repeat(9000)]) {
      await fetch(ready.http + put.path, { method: 'POST', body, headers })
    }
    await fetch(`${ready.http}${encodeGet({ key }).path}?placemark=zz`, { headers })
    await fetch(ready.http + encodeGet({ key }).path, { headers })
    await fetch(`${ready.http}/canary`, { headers })
    expect((await peer.get({ key })).values).toHaveLength(1)
    await peer.stop()
    await rm(peerDir, { recursive: true, force: true })
    child.kill('SIGTERM')
    const { output, code } = await ended
    expect(code).toBe(0)
    const said = output.replace(JSON.stringify(ready), '')
    expect(said).toContain('stopping')
    expect(said).toContain('connected peers: 1')
    for (const secret of [
      hex(key),
      base64(key),
      base64(value),
      'canary',
      '203.0.113.7',
      '127.0.0.1'
    ]) {
      expect(said.toLowerCase()).not.toContain(secret.toLowerCase())
    }
  })

  it.each([
    ['an address that is none', ['--http', 'nonsense'], 'http'],
    ['a host name for the overlay', ['--overlay', 'localhost:1'], 'overlay'],
    ['a bootstrap node that is none', ['--bootstrap', 'nonsense'], 'bootstrap'],
    ['a size that is none', ['--max-bytes', 'much'], 'max-bytes'],
    ['values that are too long', ['--max-value-bytes', '1025'], 'max-value-bytes'],
    ['a log level that is none', ['--log-level', 'loud'], 'log-level']
  ])('names the setting if it is given %s', async (_, args, setting) => {
    const { code, output } = await run('start', '--data-dir', dataDir, ...args).ended
    expect(code).toBe(2)
    expect(output).toContain(setting)
    expect(output).not.toMatch(/\n\s+at /)
  })

  it('makes a folder with a file of settings, and starts from it', async () => {
    const folder = join(dataDir, 'made')
    const first = await run('init', '--data-dir', folder, ...free).ended
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining('config.toml') })
    const file = join(folder, 'config.toml')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const written = await readFile(file, 'utf8')
    expect(written).toContain('\nonion = "off"\n')
    const again = await run('init', '--data-dir', folder, '--max-bytes', '2MiB').ended
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('left as it is') })
    expect(await readFile(file, 'utf8')).toBe(written)

    const { child, firstLine, ended } = run('start', '--data-dir', folder, '--json')
    expect(readyOf(await firstLine).http).not.toContain('5851')
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })

  it('shows the settings that hold, as a file that can be started from', async () => {
    const args = ['--print-config', '--max-bytes', '2MiB', '--bootstrap', '/ip4/192.0.2.1/tcp/1']
    const { code, output } = await run('start', ...local(), ...args).ended
    expect(code).toBe(0)
    expect(parseConfigFile(output)).toMatchObject({
      http: '127.0.0.1:0',
      maxBytes: '2MiB',
      bootstrap: ['/ip4/192.0.2.1/tcp/1'],
      onion: 'off'
    })
  })

  it('refuses to start where it must be an onion service and no Tor is found', async () => {
    const missing = join(dataDir, 'no-tor')
    const { code, output } = await run('start', ...local(), '--onion', '--tor-control', missing)
      .ended
    expect(code).toBe(1)
    expect(output).toContain('[tor-control]')
  })

  it('tells of the running node, and that none runs', async () => {
    const none = await run('status', '--data-dir', dataDir).ended
    expect(none).toMatchObject({ code: 1, output: expect.stringContaining('No node runs') })
    const { child, ended, ready } = await start()
    const { code, output } = await run('status', '--data-dir', dataDir).ended
    expect(code).toBe(0)
    expect(output).toContain(`${ready.http} is ready`)
    child.kill('SIGKILL')
    await ended
    expect((await run('status', '--data-dir', dataDir).ended).code).toBe(1)
  })

  it('examines what a node needs and says what to do', async () => {
    const all = [...local(), '--bootstrap', '/ip4/127.0.0.1/tcp/1', '--max-bytes', '8192GiB']
    const { code, output } = await run('doctor', ...all, '--json').ended
    expect(code).toBe(1)
    const findings: { check: string; outcome: string; advice?: string }[] = JSON.parse(output)
    expect(findings).toContainEqual(expect.objectContaining({ check: 'disk', outcome: 'warning' }))
    const bootstrap = findings.find(({ check }) => check === 'bootstrap')
    expect(bootstrap).toMatchObject({ outcome: 'failed', advice: expect.any(String) })
    const { child, ended, ready } = await start()
    const port = ready.http.split(':').at(-1) ?? ''
    const other = join(dataDir, 'other')
    const busy = [...local(), '--data-dir', other, '--http', `127.0.0.1:${port}`]
    expect((await run('doctor', ...busy).ended).output).toContain('is in use')
    const healthy = await run('doctor', ...local()).ended
    expect(healthy).toMatchObject({ code: 0, output: expect.stringContaining('is ready') })
    child.kill('SIGTERM')
    await ended
  })

  it('finds a damaged store, says what to do, and repairs it', async () => {
    const { child, ended } = await start()
    child.kill('SIGTERM')
    await ended
    await rm(join(dataDir, 'store', 'CURRENT'))
    const refused = await run('start', ...local()).ended
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('doctor --repair') })
    const damaged = await run('doctor', ...local()).ended
    expect(damaged).toMatchObject({ code: 1, output: expect.stringContaining('doctor --repair') })
    expect(await run('doctor', ...local(), '--repair').ended).toMatchObject({ code: 0 })
    const again = await start()
    again.child.kill('SIGTERM')
    expect((await again.ended).code).toBe(0)
  })

  it('explains itself', async () => {
    const help = await run('start', '--help').ended
    expect(help.code).toBe(0)
    expect(help.output).toContain('--bootstrap')
    expect(help.output).toContain('Examples:')
    const version = await run('--version').ended
    expect(version.output).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await run('nonsense').ended).code).toBe(2)
  })
})
