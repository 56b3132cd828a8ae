import type { Benchmark } from './benchmark.ts'
import { markdown, passes, reportOf } from './crypto-report.ts'
import { openPgp, operations, primitives } from './crypto-subjects.ts'
import { measure } from './interleaved.ts'

/** Records, handshakes and frames beside the bare primitives and beside OpenPGP.js. */
export const crypto: Benchmark = {
  name: 'crypto',
  about: 'the cryptography beside the bare primitives',
  async run({ quick }) {
    const subjects = [...primitives(), ...operations(), ...(await openPgp())]
    const init = quick ? { rounds: 15, batchMs: 5 } : { rounds: 75, batchMs: 20 }
    const report = reportOf(await measure(subjects, init))
    return { findings: report, markdown: markdown(report), passed: passes(report) }
  }
}
