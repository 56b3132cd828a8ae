/**
 * The process behind {@link delayLinks}: `link-delay-process.ts LINKS`, links as JSON. Writes `ready` once it listens
 * and ends when its standard input does, which is also what happens when the parent is killed.
 */
import { once } from 'node:events'
import { Socket, createServer } from 'node:net'

import type { DelayedLink } from './link-delay.ts'

/** A reader is stopped while so many bytes of it are held back. */
const maxHeldBytes = 8 * 2 ** 20

/** Hands on what `source` sends, and its end, after `delayMs`, in order. */
function forward(source: Socket, sink: Socket, delayMs: number): void {
  const held: { readonly dueMs: number; readonly bytes: Uint8Array | undefined }[] = []
  let heldBytes = 0
  let timer: NodeJS.Timeout | undefined
  const release = (): void => {
    timer = undefined
    const nowMs = performance.now()
    for (let next = held[0]; next !== undefined && next.dueMs <= nowMs + 0.5; next = held[0]) {
      held.shift()
      if (next.bytes === undefined) sink.end()
      else sink.write(next.bytes)
      heldBytes -= next.bytes?.length ?? 0
    }
    if (heldBytes < maxHeldBytes / 2) source.resume()
    if (held[0] !== undefined) timer = setTimeout(release, held[0].dueMs - nowMs)
  }
  const hold = (bytes: Uint8Array | undefined): void => {
    held.push({ dueMs: performance.now() + delayMs, bytes })
    heldBytes += bytes?.length ?? 0
    if (heldBytes > maxHeldBytes) source.pause()
    timer ??= setTimeout(release, delayMs)
  }
  source.on('data', hold).on('end', () => hold(undefined))
}

async function serve(link: DelayedLink): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
    const inner = new Socket({ allowHalfOpen: true }).setNoDelay(true)
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer]
    ] as const) {
      socket.on('error', () => other.destroy())
      socket.on('close', (broken) => broken && other.destroy())
      forward(socket, other, link.oneWayMs)
    }
    // The request to connect takes its time as well.
    setTimeout(() => inner.connect(link.to, link.host), link.oneWayMs)
  })
  server.listen(link.from, link.host)
  await once(server, 'listening')
}

process.stdin.on('end', () => process.exit()).resume()
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only link-delay.ts starts this
const links = JSON.parse(process.argv[2] ?? '[]') as readonly DelayedLink[]
await Promise.all(links.map(serve))
process.stdout.write('ready\n')
