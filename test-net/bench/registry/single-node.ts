import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { HttpLoad } from './http-load.ts'

/** Requests per second, one number a round. */
export interface ServerSamples {
  readonly put: number[]
  readonly get: number[]
}

/** A node and the floor under the same load, in turns. */
export async function measureSingleNode(
  rounds: number,
  roundMs: number
): Promise<{ readonly node: ServerSamples; readonly bare: ServerSamples }> {
  await using servers = new AsyncDisposableStack()
  const [node, bare] = await Promise.all(
    ['node', 'bare'].map(async (kind) => {
      const server = servers.use(await startServer(kind))
      const load = servers.use(new HttpLoad(server.url))
      await load.puts(roundMs)
      await load.gets(roundMs)
      const samples: ServerSamples = { put: [], get: [] }
      return { load, samples }
    })
  )
  if (node === undefined || bare === undefined) throw new TypeError('two servers were started')
  for (let round = 0; round < rounds; round++) {
    for (const { load, samples } of round % 2 === 0 ? [node, bare] : [bare, node]) {
      samples.put.push(await load.puts(roundMs))
      samples.get.push(await load.gets(roundMs))
    }
  }
  return { node: node.samples, bare: bare.samples }
}

async function startServer(kind: string): Promise<{ url: string } & AsyncDisposable> {
  const file = fileURLToPath(new URL('server-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', file, kind], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const lines = createInterface(child.stdout)
  const url = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', () => reject(new Error('a server of the benchmark did not start')))
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    }
  }
}
