import type { StatusSources } from '../src/status/status-sources.ts'

const nothing = { rows: 0, bytes: 0 }
const none = { hour: 0, day: 0, week: 0 }

/** Sources of the status of a node that holds some rows of the class `hour`. */
export function nodeSources(held: { rows: number }): StatusSources {
  return {
    version: '1.2.3',
    peerId: () => '12D3KooWname',
    peers: () => 4,
    neighbourDistances: () => [],
    usage: () => ({
      byClass: {
        hour: { rows: held.rows, bytes: held.rows * 270 },
        day: nothing,
        week: nothing
      }
    }),
    capacity: () => ({ bytes: 1e6, byClass: { hour: 1e6, day: 1e6, week: 1e6 } }),
    price: () => none,
    limits: { maxValueBytes: 128, maxTtlSeconds: 604_800 },
    onionAddress: () => undefined
  }
}
