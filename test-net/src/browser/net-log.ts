import { readFile } from 'node:fs/promises'

/** A request over the network, as Chromium's own log tells of it. */
export interface LoggedRequest {
  readonly address: string
  /** Origin of the page that made it. */
  readonly initiator: string
}

/**
 * What pages asked for, out of the log that `--log-net-log` makes Chromium write. It tells more than an observer of the
 * pages sees: also icons, for one. What the browser does on its own behalf or was told to open is left out.
 *
 * @throws TypeError if the file is no such log; an empty answer would look like silence
 */
export async function readNetLog(file: string): Promise<readonly LoggedRequest[]> {
  const log: unknown = JSON.parse(await readFile(file, 'utf8'))
  const events = memberOf(log, 'events')
  if (!Array.isArray(events)) throw new TypeError('this is not a log of Chromium’s network')
  return events.flatMap((event) => {
    const params = memberOf(event, 'params')
    const [address, initiator] = [memberOf(params, 'url'), memberOf(params, 'initiator')]
    if (typeof address !== 'string' || typeof initiator !== 'string') return []
    return initiator === 'not an origin' ? [] : [{ address, initiator }]
  })
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
