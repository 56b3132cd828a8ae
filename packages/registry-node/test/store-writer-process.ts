import { writeSync } from 'node:fs'

import { rowFromPut, sha1, utf8 } from '@hushlamp/shared'

import { CapacityOnly } from '../src/admission/admission.ts'
import { silentLogger } from '../src/log.ts'
import { RecordStore } from '../src/store/record-store.ts'
import { systemClock } from '../src/system-clock.ts'

/*
 * Puts numbered values until it is killed, and writes the number of each one that was acknowledged to the standard
 * output. Some live only for a second, so that it sweeps as well.
 */
const [directory = '', first = '0'] = process.argv.slice(2)
const admission = new CapacityOnly({ maxBytes: Number.MAX_SAFE_INTEGER })
const store = await RecordStore.open(
  { clock: systemClock, logger: silentLogger, admission },
  { directory }
)
let next = Number(first)

async function putNumbers(): Promise<never> {
  for (;;) {
    const number = next++
    const ttlSeconds = number % 3 === 0 ? 1 : 3600
    const request = { key: sha1(utf8(`${number}`)), value: utf8(`${number}`), ttlSeconds }
    const row = rowFromPut(request, systemClock.unixSeconds())
    const codes = await store.offer(request.key, [row])
    // Crowded keys, so that rows are rewritten with others; they may be full.
    if (number % 8 === 0) await store.offer(sha1(utf8(`${number % 512}`)), [row])
    if (codes[0] === 0) writeSync(1, `${number}\n`)
  }
}

async function sweep(): Promise<never> {
  for (;;) {
    await store.sweep()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

await Promise.all([sweep(), ...Array.from({ length: 16 }, putNumbers)])
