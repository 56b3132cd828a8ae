import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

import { describe, expect, it } from 'vitest'

import { PrivateTorNetwork } from '../src/index.ts'

describe('the life of a PrivateTorNetwork', { timeout: 180_000 }, () => {
  it('ends with a parent that is killed, links and all', async () => {
    const module = new URL('../src/index.ts', import.meta.url).href
    const program = `const { PrivateTorNetwork } = await import('${module}')
      const network = await PrivateTorNetwork.create({ latencyMs: [1, 5] })
      const pids = network.relays.map(({ pid }) => pid)
      const port = / orport=(\\d+) /.exec(network.clientTorrc().at(-1))[1]
      console.log(JSON.stringify({ pids, port, directory: network.directory }))
      setInterval(() => {}, 1000)`
    const parent = spawn(
      process.execPath,
      ['--conditions=source', '--input-type=module', '--eval', program],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] }
    )
    const line = String(await once(createInterface(parent.stdout), 'line'))
    const { pids, port, directory }: { pids: number[]; port: number; directory: string } =
      JSON.parse(line)
    try {
      const running = (): number[] => pids.filter((pid) => existsSync(`/proc/${pid}`))
      expect(running()).toEqual(pids)
      parent.kill('SIGKILL')
      await expect.poll(running, { timeout: 40_000, interval: 200 }).toEqual([])
      await expect.poll(() => existsSync(directory), { timeout: 10_000 }).toBe(false)
      // The port in front of the authority belonged to the process that delays the links.
      await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('leaves neither processes nor files behind', async () => {
    const other = await PrivateTorNetwork.create({ relays: 3 })
    const { relays, directory } = other
    await other[Symbol.asyncDispose]()
    expect(existsSync(directory)).toBe(false)
    for (const { pid } of relays) {
      expect(() => process.kill(pid ?? Number.NaN, 0)).toThrow('ESRCH')
    }
  })
})
