import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** One delayed way into a relay. */
export interface DelayedLink {
  readonly host: string
  /** Where the others dial. */
  readonly from: number
  /** Where the relay listens. */
  readonly to: number
  /** Held back for so long in each direction, milliseconds. */
  readonly oneWayMs: number
}

/**
 * Delays every link into the relays, in user space and in a process of its own: no privilege and no kernel module is
 * needed, and our own event loop stays out of the measurement. The process ends with us.
 */
export async function delayLinks(links: readonly DelayedLink[]): Promise<AsyncDisposable> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const program = fileURLToPath(new URL(`./link-delay-process.${extension}`, import.meta.url))
  const child = spawn(process.execPath, [program, JSON.stringify(links)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const closed = once(child, 'close')
  const first = await Promise.race([once(child.stdout, 'data'), closed])
  if (String(first[0]) !== 'ready\n')
    throw new Error(`The delay of links did not start.\n${errors}`)
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      child.stdin.end()
      await closed
    }
  }
}

/** Spreads `count` delays evenly over a range of milliseconds. */
export function spreadDelays(
  [least, most]: readonly [number, number],
  count: number
): readonly number[] {
  const step = count > 1 ? (most - least) / (count - 1) : 0
  return Array.from({ length: count }, (_, index) => Math.round(least + step * index))
}
