import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { seededRandom } from '@hushlamp/shared/test-inputs'
import { expect, it, vi } from 'vitest'

import { CapacityOnly } from '../src/admission/admission.ts'
import { silentLogger } from '../src/log.ts'
import { checkStore } from '../src/store/doctor.ts'
import { RecordStore } from '../src/store/record-store.ts'
import { systemClock } from '../src/system-clock.ts'
import { keyOf, StoreFolder, textsOf } from './store-folder.ts'

/** More rounds than the usual ones, for the acceptance. */
const rounds = Number(process.env['HUSHLAMP_CRASH_ROUNDS'] ?? 10)
const writer = fileURLToPath(new URL('store-writer-process.ts', import.meta.url))
vi.setConfig({ testTimeout: 60_000 + rounds * 3000 })

/** Lets a process write from a number on, kills it after a while, and answers with what it acknowledged. */
async function writeUntilKilled(
  directory: string,
  first: number,
  lifeMs: number
): Promise<readonly number[]> {
  const child = spawn(process.execPath, ['--conditions=source', writer, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let written = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    written += chunk
  })
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  await delay(lifeMs)
  child.kill('SIGKILL')
  await closed
  // A line without its end was cut off.
  return written.split('\n').slice(0, -1).map(Number)
}

async function expectAll(directory: string, numbers: readonly number[]): Promise<void> {
  const admission = new CapacityOnly({ maxBytes: Number.MAX_SAFE_INTEGER })
  const components = { clock: systemClock, logger: silentLogger, admission }
  await using store = await RecordStore.open(components, { directory })
  const missing: number[] = []
  for (const number of numbers.filter((each) => each % 3 !== 0)) {
    const texts = textsOf(await store.rows(keyOf(`${number}`)))
    if (!texts.includes(`${number}`)) missing.push(number)
  }
  expect(missing).toEqual([])
  expect(await store.recount()).toBe(false)
}

it(`loses nothing that it acknowledged when it is killed at any moment, ${rounds} times`, async () => {
  await using folder = await StoreFolder.create()
  const directory = folder.path('store')
  const random = seededRandom('crash')
  const acknowledged: number[] = []
  let first = 0
  for (let round = 0; round < rounds; round++) {
    const lifeMs = random.bytes(1)[0] ?? 0
    const numbers = await writeUntilKilled(directory, first, lifeMs)
    expect(numbers.length).toBeGreaterThan(0)
    acknowledged.push(...numbers)
    first = Math.max(...numbers) + 100

    await expectAll(directory, numbers)
  }
  await expectAll(directory, acknowledged)
  expect(await checkStore({ directory }, systemClock.unixSeconds())).toMatchObject({ sound: true })
})
