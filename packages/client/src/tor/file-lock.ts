import { spawn } from 'node:child_process'

import { HushlampError } from '@hushlamp/shared'
import type { AbortOptions } from '@hushlamp/shared'

import { notRunnable } from './command.ts'

/**
 * Waits for the lock on the file `path`, which is made where missing, and holds it until disposed of. It is a lock of
 * the kernel in a child that ends with us: a crash leaves nothing behind to clean up. Linux only (flock of util-linux).
 *
 * Errors: `package-download-failed` where flock cannot be run or the lock is refused, `aborted`.
 */
export async function lockFile(
  path: string,
  environment: NodeJS.ProcessEnv,
  { signal }: AbortOptions = {}
): Promise<AsyncDisposable> {
  if (signal?.aborted === true) throw new HushlampError('aborted')
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], {
    env: environment,
    stdio: ['pipe', 'pipe', 'ignore'],
    ...(signal === undefined ? {} : { signal })
  })
  const ended = new Promise<void>((resolve) => {
    holder.on('close', () => resolve())
  })
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve())
    holder.on('error', (cause) => reject(notRunnable('flock', cause, signal)))
    holder.on('close', () => {
      reject(new HushlampError('package-download-failed', 'The lock of the cache was refused.'))
    })
  })
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      holder.stdin.end()
      await ended
    }
  }
}
