import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { utf8 } from '@hushlamp/shared'
import { describe, expect, it } from 'vitest'

import { LoopbackNetwork } from './loopback-network.ts'
import { encodeMethodCall } from './xml-rpc-calls.ts'

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

  it('may put OpenDHT’s 1024 bytes where the network is set up for them, and learns the limit', async () => {
    await using network = await LoopbackNetwork.start(0)
    const node = await network.add({ maxValueBytes: '1024' })
    const put = async (length: number): Promise<string> => {
      const body = encodeMethodCall('put', [utf8('key'), new Uint8Array(length), 60, 'guide'])
      const headers = { 'content-type': 'text/xml' }
      return (await fetch(node.httpAddress, { method: 'POST', headers, body })).text()
    }
    expect(await put(1024)).toContain('<param><value><int>0</int></value></param>')
    expect(await put(1025)).toContain('java.lang.Exception: value is longer than 1024 bytes')
  })
})
