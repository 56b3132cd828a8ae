import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, it, vi } from 'vitest'

import { StoreFolder } from './store-folder.ts'

const execute = promisify(execFile)
const child = fileURLToPath(new URL('full-disk-process.ts', import.meta.url))
vi.setConfig({ testTimeout: 60_000 })

/** A file system of 24 MB that only the program sees, in a mount namespace of its own. */
async function onSmallDisk(folder: string, program: readonly string[]): Promise<unknown> {
  const script = 'mount -t tmpfs -o size=24m none "$0" && exec "$@"'
  const shell = ['sh', '-c', script, folder, ...program, folder]
  const { stdout } = await execute('unshare', ['--user', '--map-root-user', '--mount', ...shell])
  return JSON.parse(stdout)
}

it('refuses cleanly while the disk is full, can be read meanwhile, and goes on when there is room', async () => {
  await using folder = await StoreFolder.create()
  const disk = folder.path('disk')
  await mkdir(disk)
  const outcome = await onSmallDisk(disk, [process.execPath, '--conditions=source', child])
  expect(outcome).toEqual({
    before: ['ok'],
    refused: 'storage-failed',
    whileFull: ['storage-failed'],
    missingWhileFull: 0,
    countedWhileFull: true,
    after: ['ok'],
    missingAfter: 0,
    miscounted: false,
    openingWhileFull: 'storage-failed',
    openingAfter: 'ok',
    missingAtLast: 0,
    sound: true
  })
})
