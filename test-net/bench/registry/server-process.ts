import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { configFrom, RegistryNode } from '@hushlamp/registry-node'

import { startBareServer } from './bare-server.ts'

async function startNode(): Promise<{ url: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-bench-'))
  const node = await RegistryNode.start(
    configFrom({
      dataDir: directory,
      http: '127.0.0.1:0',
      overlay: '127.0.0.1:0',
      admin: 'off',
      onion: 'off',
      logLevel: 'silent'
    })
  )
  return {
    url: node.httpAddress,
    async [Symbol.asyncDispose]() {
      await node.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

// A server in a process of its own, which ends when its standard input does.
const server = await (process.argv[2] === 'bare' ? startBareServer() : startNode())
process.stdout.write(`${server.url}\n`)
process.stdin.resume()
process.stdin.once('end', () => {
  void server[Symbol.asyncDispose]()
})
