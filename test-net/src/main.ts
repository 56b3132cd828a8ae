import { isHushlampError } from '@hushlamp/shared'

import { consoleProgress } from './console-progress.ts'
import { stageTable } from './smoke/stage-table.ts'
import { tellStory } from './smoke/story.ts'
import { start } from './start.ts'
import { stopSignals } from './stop-signals.ts'

const usage = `Usage:
  npm start              a private Tor network, three registry nodes and two users, until Ctrl-C
  npm start -- --json    the same; one line of JSON on standard output when ready
  npm run smoke          the whole story with real XMPP clients, with a table of times
`

async function main(args: readonly string[]): Promise<number> {
  const [command, ...flags] = args
  const signal = stopSignals()
  switch (command) {
    case 'start':
      await start({ json: flags.includes('--json'), signal })
      return 0
    case 'smoke':
      return smoke(signal)
    default:
      process.stderr.write(usage)
      return 2
  }
}

async function smoke(signal: AbortSignal): Promise<number> {
  const outcome = await tellStory({ onProgress: consoleProgress(), signal })
  process.stdout.write(`\n${stageTable(outcome.stages)}\n\n${outcome.sandbox}\nThe story holds.\n`)
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const stopped = isHushlampError(error, 'aborted') || isAbort(error)
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${text}\n`)
  process.exitCode = stopped ? 130 : 1
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
