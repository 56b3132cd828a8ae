import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import { LoopbackNetwork } from './loopback-network.ts'

const script = fileURLToPath(new URL('opendht-guide.py', import.meta.url))

describe('a client of OpenDHT, Python’s own XML-RPC,', () => {
  it.each(['/', '/RPC2'])(
    'puts, pages, looks at details and removes as the users’ guide says, at %s',
    async (path) => {
      await using network = await LoopbackNetwork.start(3)
      const url = network.node().httpAddress + path
      const { stdout } = await promisify(execFile)('python3', [script, url], { timeout: 60_000 })
      const steps = stdout.trim().split('\n')
      expect(steps).toHaveLength(42)
      for (const step of steps) expect(JSON.parse(step)).toMatchObject({ ok: true })
    }
  )
})
