import { writeCorpus } from './corpus.ts'
import { fuzz } from './fuzzing.ts'
import type { FuzzTarget } from './target.ts'
import { clientTargets } from './targets/client.ts'
import { daemonTargets } from './targets/im-daemon.ts'
import { nodeTargets } from './targets/registry-node.ts'
import { sharedTargets } from './targets/shared.ts'

const targets = [...sharedTargets, ...clientTargets, ...daemonTargets, ...nodeTargets]
const usage = `Usage:
  npm run fuzz -- [TARGET…] [--seconds N] [--seed N]   attacks the decoders, 60 seconds for all by default
  npm run fuzz -- --make-corpus                        writes fuzz/corpus anew
Targets: ${targets.map(({ name }) => name).join(' ')}
`
const runsPerBatch = 200

interface Options {
  readonly chosen: readonly FuzzTarget[]
  readonly seconds: number
  readonly seed: number
  readonly makeCorpus: boolean
}

function optionsOf(args: readonly string[]): Options | undefined {
  const names: string[] = []
  const numbers = { seconds: 60, seed: Math.floor(Date.now() / 1_000) }
  let makeCorpus = false
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--make-corpus') makeCorpus = true
    else if (arg === '--seconds' || arg === '--seed') {
      const value = Number(args[++i])
      if (!Number.isSafeInteger(value) || value < 0) return undefined
      numbers[arg === '--seed' ? 'seed' : 'seconds'] = value
    } else names.push(arg)
  }
  const chosen = targets.filter(({ name }) => names.length === 0 || names.includes(name))
  const known = names.every((name) => targets.some((target) => target.name === name))
  return known ? { chosen, makeCorpus, ...numbers } : undefined
}

/** Attacks one target until its time is over; false if it broke. */
async function attack(target: FuzzTarget, seconds: number, firstSeed: number): Promise<boolean> {
  const begunAtMs = performance.now()
  const elapsedSeconds = (): number => (performance.now() - begunAtMs) / 1_000
  let batches = 0
  while (batches === 0 || elapsedSeconds() < seconds) {
    const seed = firstSeed + batches
    try {
      await fuzz(target, { seed, runs: runsPerBatch })
    } catch (error) {
      const text = describe(error)
      process.stdout.write(
        `${target.name}: broken\n${text}\nAgain: npm run fuzz -- ${target.name} --seconds 0 --seed ${seed}\n`
      )
      return false
    }
    batches++
  }
  const perSecond = Math.round((batches * runsPerBatch) / elapsedSeconds())
  process.stdout.write(
    `${target.name.padEnd(22)} ${String(batches * runsPerBatch).padStart(8)} inputs ${String(perSecond).padStart(7)}/s\n`
  )
  return true
}

/** The property's report, and behind it the error of the decoder itself. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `\n${error.cause.stack ?? error.cause.message}` : ''
  return `${error.message}${cause}`
}

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args)
  if (!options) {
    process.stderr.write(usage)
    return 2
  }
  if (options.makeCorpus) {
    for (const target of options.chosen) await writeCorpus(target)
    return 0
  }
  process.stdout.write(`seed ${options.seed}\n`)
  let intact = true
  for (const target of options.chosen)
    intact = (await attack(target, options.seconds / options.chosen.length, options.seed)) && intact
  return intact ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
