import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { base64, decodeGetResult, encodeGet, encodePut, hex } from '@hushlamp/shared'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

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
  const start = async (...args: string[]) => {
    const local = ['--http', '127.0.0.1:0', '--overlay', '127.0.0.1:0', '--data-dir', dataDir]
    const running = run('start', ...local, '--json', ...args)
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
