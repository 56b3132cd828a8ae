import { once } from 'node:events'
import { createServer } from 'node:net'

/** `count` different TCP ports of `host` that nobody listens on at the moment. */
export async function freePorts(count: number, host: string): Promise<readonly number[]> {
  // All are held open at once, so that they differ.
  const servers = Array.from({ length: count }, () => createServer().listen(0, host))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  })
  await Promise.all(
    servers.map(async (server) => {
      server.close()
      await once(server, 'close')
    })
  )
  return ports
}
