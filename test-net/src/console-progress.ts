import type { OnProgress } from '@hushlamp/client'

/** Prints each new phase or text of a progress as a line with the seconds since the start. */
export function consoleProgress(begunAtMs: number = performance.now()): OnProgress {
  let last = ''
  return ({ text, fraction }) => {
    const percent = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`
    const shown = `${text}${percent}`
    if (shown === last) return
    last = shown
    const seconds = ((performance.now() - begunAtMs) / 1000).toFixed(1).padStart(6)
    process.stderr.write(`${seconds} s  ${shown}\n`)
  }
}
