import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { isHushlampError, rowFromPut, sha1, utf8 } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import { CapacityOnly } from '../src/admission/admission.ts'
import { silentLogger } from '../src/log.ts'
import { checkStore } from '../src/store/doctor.ts'
import { RecordStore } from '../src/store/record-store.ts'

/*
 * Fills the small file system it is given, and lets it have room again, while it uses a store there. Writes what
 * happened to the standard output, as JSON.
 */
const [root = ''] = process.argv.slice(2)
const directory = join(root, 'store')
const ballast = join(root, 'ballast')
let monotonicMs = 0
const clock: Clock = {
  unixSeconds: () => 1_893_456_000 + Math.floor(monotonicMs / 1000),
  monotonicMs: () => monotonicMs,
  after: () => () => {}
}
const acknowledged = new Set<number>()
let next = 0

function fill(): void {
  const file = openSync(ballast, 'w')
  for (let length = 1024 * 1024; length >= 1; length = length >> 1) {
    const bytes = new Uint8Array(length)
    try {
      for (;;) writeSync(file, bytes)
    } catch {
      // Full for this length; a shorter one may still fit.
    }
  }
  closeSync(file)
}

async function open(): Promise<RecordStore> {
  const admission = new CapacityOnly({ maxBytes: Number.MAX_SAFE_INTEGER })
  return RecordStore.open({ clock, logger: silentLogger, admission }, { directory })
}

/** The error codes of so many offers, and 'ok' of those acknowledged. */
async function put(store: RecordStore, count: number): Promise<readonly string[]> {
  const answers = Array.from({ length: count }, async () => {
    const number = next++
    const key = sha1(utf8(`${number}`))
    const value = utf8(`${number}`.padStart(128))
    try {
      await store.offer(key, [rowFromPut({ key, value, ttlSeconds: 86_400 }, clock.unixSeconds())])
      acknowledged.add(number)
      return 'ok'
    } catch (error) {
      return isHushlampError(error) ? error.code : 'something else'
    }
  })
  return [...new Set(await Promise.all(answers))]
}

/** How many of the acknowledged rows cannot be read. */
async function missing(store: RecordStore): Promise<number> {
  let count = 0
  for (const number of acknowledged) {
    if ((await store.rows(sha1(utf8(`${number}`)))).length !== 1) count++
  }
  return count
}

async function openingCode(): Promise<string> {
  try {
    await (await open()).close()
    return 'ok'
  } catch (error) {
    return isHushlampError(error) ? error.code : 'something else'
  }
}

mkdirSync(directory)
let store = await open()
const before = await put(store, 500)
fill()
const filling: string[] = []
while (!filling.includes('storage-failed')) filling.push(...(await put(store, 50)))
const whileFull: string[] = []
for (let i = 0; i < 20; i++) {
  monotonicMs += 400
  whileFull.push(...(await put(store, 5)))
}
const missingWhileFull = await missing(store)
const usageWhileFull = store.usage.rows

rmSync(ballast)
monotonicMs += 1000
const after = await put(store, 500)
const missingAfter = await missing(store)

// Full and empty again and again, with a restart in between that no close has prepared.
for (let i = 0; i < 3; i++) {
  fill()
  while (!(await put(store, 50)).includes('storage-failed'));
  rmSync(ballast)
  monotonicMs += 1000
  await put(store, 50)
}
const miscounted = await store.recount()
fill()
while (!(await put(store, 50)).includes('storage-failed'));
await store.close()
const openingWhileFull = await openingCode()
rmSync(ballast)
const openingAfter = await openingCode()
store = await open()
const missingAtLast = await missing(store)
await store.close()
const report = await checkStore({ directory }, clock.unixSeconds())

process.stdout.write(
  JSON.stringify({
    before,
    refused: filling.at(-1),
    whileFull: [...new Set(whileFull)],
    missingWhileFull,
    countedWhileFull: usageWhileFull > 0,
    after,
    missingAfter,
    miscounted,
    openingWhileFull,
    openingAfter,
    missingAtLast,
    sound: report.sound
  })
)
