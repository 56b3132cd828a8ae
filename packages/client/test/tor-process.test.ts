import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { startTor } from '../src/index.ts'
import { TorLog } from '../src/tor/tor-log.ts'
import { torrcText } from '../src/tor/torrc.ts'

describe('the start of Tor', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hushlamp-process-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  /** A program that pretends to be Tor. */
  const program = async (
    script: string
  ): Promise<{ path: string; environment: NodeJS.ProcessEnv }> => {
    const path = join(directory, 'tor')
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return { path, environment: process.env }
  }
  const dataDirectory = (): string => join(directory, 'data')

  test('says so where there is no program', async () => {
    const binary = { path: join(directory, 'missing'), environment: process.env }
    const starting = startTor({ dataDirectory: dataDirectory(), binary })
    await expect(starting).rejects.toMatchObject({ code: 'tor-not-found' })
  })

  test('says so where the program cannot be run', async () => {
    const binary = { path: directory, environment: process.env }
    const starting = startTor({ dataDirectory: dataDirectory(), binary })
    await expect(starting).rejects.toMatchObject({ code: 'tor-start-failed' })
  })

  test('tells what Tor complained of when it ends at once', async () => {
    const binary = await program(
      'echo "Nov 23 06:03:33.148 [warn] Could not bind to /home/alice/x: Address in use"; echo "Nov 23 [err] Reading config failed--see warnings above."; exit 1'
    )
    const starting = startTor({ dataDirectory: dataDirectory(), binary })
    await expect(starting).rejects.toMatchObject({
      code: 'tor-start-failed',
      message: 'Tor ended while starting: Could not bind to … Address in use'
    })
  })

  test('ends a program that never takes commands', async () => {
    const binary = await program(`echo $$ > "${directory}/pid"; exec sleep 600`)
    const starting = startTor({ dataDirectory: dataDirectory(), binary, controlDeadlineMs: 300 })
    await expect(starting).rejects.toMatchObject({ code: 'tor-start-failed' })
    const pid = Number(await readFile(join(directory, 'pid'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('can be cancelled', async () => {
    const binary = await program('exec sleep 600')
    const signal = AbortSignal.timeout(50)
    const starting = startTor({ dataDirectory: dataDirectory(), binary }, { signal })
    await expect(starting).rejects.toMatchObject({ code: 'aborted' })
  })

  test('makes a private folder and forgets the cookie of an earlier run', async () => {
    const listing = join(directory, 'listing')
    const binary = await program(`ls "$(dirname "$2")" > "${listing}"`)
    await mkdir(dataDirectory(), { mode: 0o755 })
    await writeFile(join(dataDirectory(), 'control_auth_cookie'), 'old')
    await startTor({ dataDirectory: dataDirectory(), binary }).catch(() => {})
    expect(await readFile(listing, 'utf8')).toBe('torrc\n')
    expect((await stat(dataDirectory())).mode & 0o777).toBe(0o700)
    expect((await stat(join(dataDirectory(), 'torrc'))).mode & 0o777).toBe(0o600)
  })

  test('uses a short path for the sockets where that of the folder is too long', async () => {
    const copy = join(directory, 'copy')
    const binary = await program(`cp "$2" "${copy}"`)
    const long = join(directory, 'x'.repeat(100))
    await startTor({ dataDirectory: long, binary }).catch(() => {})
    const path = /ControlPort unix:"(.*)"/.exec(await readFile(copy, 'utf8'))?.[1] ?? ''
    expect(path).not.toBe('')
    expect(path.startsWith(long)).toBe(false)
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('says so where the folder cannot be written', async () => {
    const binary = await program('exit 0')
    const starting = startTor({ dataDirectory: join(binary.path, 'data'), binary })
    await expect(starting).rejects.toMatchObject({ code: 'storage-failed' })
  })
})

describe('the configuration of Tor', () => {
  const unix = { kind: 'unix', controlPath: '/a b/control', socksPath: '/a b/socks' } as const

  test('opens two unix sockets and isolates by credentials', () => {
    const lines = torrcText({ dataDirectory: '/a "b"', listeners: unix }).split('\n')
    expect(lines).toContain(String.raw`DataDirectory "/a \"b\""`)
    expect(lines).toContain('SocksPort unix:"/a b/socks" IsolateSOCKSAuth ExtendedErrors')
    expect(lines).toContain('ControlPort unix:"/a b/control"')
    expect(lines).toContain('CookieAuthentication 1')
    expect(lines).toContain('DormantCanceledByStartup 1')
  })

  test('stays on the loopback where there are no unix sockets', () => {
    const listeners = { kind: 'tcp', controlPortFile: '/x/port' } as const
    const ports = torrcText({ dataDirectory: '/x', listeners })
      .split('\n')
      .filter((line) => /Port /.test(line))
    expect(ports).toHaveLength(2)
    for (const line of ports) expect(line).toContain(' 127.0.0.1:auto')
  })

  test('ends with the lines of the caller', () => {
    const text = torrcText({ dataDirectory: '/x', listeners: unix, extra: ['UseBridges 1'] })
    expect(text.endsWith('\nUseBridges 1\n')).toBe(true)
  })

  test('takes no line that is two', () => {
    const torrc = { dataDirectory: '/x', listeners: unix, extra: ['a\nSocksPort 9050'] }
    expect(() => torrcText(torrc)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })
})

describe("Tor's log", () => {
  test('is remembered by its last problem only, wherever it is cut', () => {
    const log = new TorLog()
    log.push('Nov 23 [notice] Bootstrapped 5%\nNov 23 [warn] fi')
    expect(log.problem).toBeUndefined()
    log.push('rst\nNov 23 [err] second\nNov 23 [notice] third\n')
    expect(log.problem).toBe('second')
  })

  test.each([
    ['Could not open "/home/alice/tor": denied', 'Could not open …: denied'],
    ['Problem with C:\\Users\\alice\\tor', 'Problem with …'],
    ['Unable to reach 192.0.2.7:443 in time', 'Unable to reach … in time'],
    ['Unable to reach [2001:db8::1]:443 in time', 'Unable to reach … in time'],
    [`Service ${'a'.repeat(56)}.onion failed`, 'Service … failed'],
    ['Relay $0123456789ABCDEF0123456789ABCDEF01234567 failed', 'Relay … failed']
  ])('is freed from private data: %s', (line, expected) => {
    const log = new TorLog()
    log.push(`Nov 23 06:03:33.148 [warn] ${line}\n`)
    expect(log.problem).toBe(expected)
  })
})
