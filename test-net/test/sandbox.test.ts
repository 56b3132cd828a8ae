import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { NetworkNamespace } from '../src/index.ts'

const availability = await NetworkNamespace.available()

describe.skipIf(!availability.available)('NetworkNamespace', () => {
  let namespace: NetworkNamespace
  let scratch: string

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
    chmodSync(scratch, 0o755)
    namespace = await NetworkNamespace.create()
  })

  afterAll(async () => {
    await namespace[Symbol.asyncDispose]()
    rmSync(scratch, { recursive: true, force: true })
  })

  /** Runs a program of Node's in the namespace and answers with what it printed. */
  async function inside(program: string): Promise<string> {
    const { command, args } = namespace.wrap(process.execPath, ['--eval', program])
    const { stdout } = await promisify(execFile)(command, [...args])
    return stdout.trim()
  }

  it('was made by the right that was announced', () => {
    expect(availability).toEqual({ available: true, how: namespace.how })
  })

  it('has no way to the outside', async () => {
    const connect = (address: string): string =>
      `require('node:net').connect(80, '${address}').on('error', (e) => console.log(e.code))`
    expect(await inside(connect('192.0.2.1'))).toBe('ENETUNREACH')
    expect(await inside(connect('2001:db8::1'))).toBe('ENETUNREACH')
  })

  it('cannot look up names', async () => {
    const lookup = `require('node:dns').lookup('example.com', (e) => console.log(e.syscall, e.code))`
    expect(await inside(lookup)).toMatch(/^getaddrinfo E/)
  })

  it('sees the loopback and nothing else', async () => {
    const interfaces = `console.log(Object.keys(require('node:os').networkInterfaces()).join())`
    expect(await inside(interfaces)).toBe('lo')
  })

  it('reaches unix sockets of the world outside', async () => {
    const path = join(scratch, 'socket')
    const server = createServer((socket) => socket.end('hello')).listen(path)
    await once(server, 'listening')
    chmodSync(path, 0o777)
    try {
      const read = `require('node:net').connect('${path}').pipe(process.stdout)`
      expect(await inside(read)).toBe('hello')
    } finally {
      server.close()
    }
  })

  it('lets its programs reach each other, but nobody else reach them', async () => {
    const listen = `const s = require('node:net').createServer((c) => c.end('hello'))
      s.listen(0, '127.0.0.1', () => console.log(s.address().port))`
    const { command, args } = namespace.wrap(process.execPath, ['--eval', listen])
    const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const port = String(await once(server.stdout, 'data')).trim()
      const connect = `require('node:net').connect(${port}, '127.0.0.1')`
      const read = `${connect}.on('error', (e) => console.log(e.code)).pipe(process.stdout)`
      expect(await inside(read)).toBe('hello')
      const outside = await promisify(execFile)(process.execPath, ['--eval', read])
      expect(outside.stdout.trim()).toBe('ECONNREFUSED')
    } finally {
      server.kill()
    }
  })

  it('is apart from other namespaces', async () => {
    await using other = await NetworkNamespace.create()
    const identity = async (one: NetworkNamespace): Promise<string> => {
      const { command, args } = one.wrap('readlink', ['/proc/self/ns/net'])
      return (await promisify(execFile)(command, [...args])).stdout
    }
    expect(await identity(other)).not.toBe(await identity(namespace))
  })

  it('is gone once it has been disposed of', async () => {
    const other = await NetworkNamespace.create()
    const { command, args } = other.wrap('true')
    await promisify(execFile)(command, [...args])
    await other[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    await expect(promisify(execFile)(command, [...args])).rejects.toThrow('nsenter')
  })

  it('ends with a parent that is killed', async () => {
    const module = new URL('../src/sandbox/network-namespace.ts', import.meta.url).href
    const program = `const { NetworkNamespace } = await import('${module}')
      const { args } = (await NetworkNamespace.create()).wrap('true')
      console.log(args[args.indexOf('--target') + 1])
      setInterval(() => {}, 1000)`
    const parent = spawn(
      process.execPath,
      ['--conditions=source', '--input-type=module', '--eval', program],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] }
    )
    const pid = String(await once(parent.stdout, 'data')).trim()
    const holder = join('/proc', pid, 'ns/net')
    expect(existsSync(holder)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => existsSync(holder), { timeout: 10_000 }).toBe(false)
  })
})
