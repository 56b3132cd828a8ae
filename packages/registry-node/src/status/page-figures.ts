import { ttlClasses } from '../store/usage.ts'
import type { TtlClass } from '../store/usage.ts'
import { chartTop, linePath } from './chart-path.ts'
import type { StoredShare, TakenStatus } from './node-status.ts'
import type { Aggregate, Traffic } from './traffic-history.ts'

/** What the page shows. */
export interface PageSources extends TakenStatus {
  /** Whether a quorum put and get work; undefined while that is being found out. */
  readonly ready: boolean | undefined
  /** Traffic of the last hour, minute by minute. */
  readonly aggregates: readonly Aggregate[]
}

/** Everything on the page that changes, by the id of its element: texts, and attributes of the charts. */
export interface PageFigures {
  readonly texts: Readonly<Record<string, string>>
  readonly attributes: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Width of the bars that show how full a class is. */
export const barWidth = 100

/** Minutes that one row of the table of traffic stands for. */
export const minutesPerRow = 10

const states = {
  ready: 'Ready: puts and gets work',
  unready: 'Not ready: puts and gets do not reach enough nodes now',
  checking: 'Finding out whether puts and gets work …'
} as const

/** What the page shows, as texts: the server fills them into the page, later the script into the elements. */
export function pageFigures(sources: PageSources): PageFigures {
  const { status, ready } = sources
  const state = ready === undefined ? 'checking' : ready ? 'ready' : 'unready'
  const { byClass } = status.stored
  const stored = [
    ...ttlClasses.map((name) => shareFigures(name, byClass[name])),
    shareFigures('all', status.stored)
  ]
  const traffic = trafficFigures(sources.aggregates)
  return {
    texts: {
      state: states[state],
      taken: `${new Date(sources.takenAt * 1000).toISOString().slice(11, 19)} UTC`,
      'peer-id': status.peerId,
      version: status.version,
      uptime: uptimeText(status.uptimeSeconds),
      peers: String(status.peers),
      network: status.networkNodes === 1 ? '1 node' : `about ${status.networkNodes} nodes`,
      onion: status.onionAddress ?? 'none',
      ...Object.assign({}, ...stored.map(({ texts }) => texts)),
      ...Object.fromEntries(
        ttlClasses.map((name) => [`price-${name}`, priceText(status.price[name])])
      ),
      'max-value': `${status.limits.maxValueBytes} bytes`,
      'max-ttl': `${Math.floor(status.limits.maxTtlSeconds / 86_400)} days`,
      ...traffic.texts
    },
    attributes: {
      state: { 'data-state': state },
      ...Object.assign({}, ...stored.map(({ attributes }) => attributes)),
      ...traffic.attributes
    }
  }
}

/** Bytes in the greatest unit that leaves at least one. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const amount = bytes / 1024 ** power
  return `${power === 0 || amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`
}

function shareFigures(
  name: TtlClass | 'all',
  { rows, bytes, capacityBytes }: StoredShare
): PageFigures {
  const share = capacityBytes === 0 ? 0 : Math.min(bytes / capacityBytes, 1)
  return {
    texts: {
      [`rows-${name}`]: rows.toLocaleString('en'),
      [`bytes-${name}`]: bytesText(bytes),
      [`capacity-${name}`]: bytesText(capacityBytes),
      [`share-${name}`]: shareText(share)
    },
    attributes: { [`bar-${name}`]: { width: String(Math.round(share * barWidth * 10) / 10) } }
  }
}

function shareText(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %'
  return `${Math.round(share * 100)} %`
}

function priceText(bits: number): string {
  return bits === 0 ? 'none' : `${bits} bits`
}

function uptimeText(seconds: number): string {
  if (seconds < 600) return 'under 10 minutes'
  const [minutes, hours, days] = [seconds / 60, seconds / 3600, seconds / 86_400].map(Math.floor)
  if ((minutes ?? 0) < 120) return `${minutes} minutes`
  return (hours ?? 0) < 48 ? `${hours} hours` : `${days} days`
}

function trafficFigures(aggregates: readonly Aggregate[]): PageFigures {
  const of = (operation: keyof Aggregate): readonly Traffic[] =>
    aggregates.map((aggregate) => aggregate[operation])
  const rates = { put: of('put').map(perSecond), get: of('get').map(perSecond) }
  const medians = { put: of('put').map(median), get: of('get').map(median) }
  const rateTop = chartTop([...rates.put, ...rates.get], 1)
  const medianTop = chartTop([...medians.put, ...medians.get], 0.01)
  return {
    texts: {
      'rate-top': `${rateTop} per second`,
      'median-top': secondsText(medianTop),
      'rate-summary': `Puts a second: ${rateSummary(rates.put)}. Gets a second: ${rateSummary(rates.get)}.`,
      'median-summary': `Puts: ${medianSummary(medians.put)}. Gets: ${medianSummary(medians.get)}.`,
      ...Object.assign({}, ...stretchesOf(aggregates).map((each, i) => stretchTexts(each, i)))
    },
    attributes: {
      'rate-put': { d: linePath(rates.put, rateTop) },
      'rate-get': { d: linePath(rates.get, rateTop) },
      'median-put': { d: linePath(medians.put, medianTop) },
      'median-get': { d: linePath(medians.get, medianTop) }
    }
  }
}

function perSecond(traffic: Traffic): number | undefined {
  return traffic.perSecond
}

function median(traffic: Traffic): number | undefined {
  return traffic.medianSeconds
}

function rateSummary(rates: readonly (number | undefined)[]): string {
  return summary(rates, rateText, 'not known yet')
}

function medianSummary(medians: readonly (number | undefined)[]): string {
  return summary(medians, secondsText, 'too few to tell')
}

function summary(
  values: readonly (number | undefined)[],
  text: (value: number) => string,
  untold: string
): string {
  const told = toldOf(values)
  if (told.length === 0) return untold
  const last = values.at(-1)
  const now = last === undefined ? untold : text(last)
  return `${now} in the last minute, at most ${text(Math.max(...told))}`
}

function toldOf(values: readonly (number | undefined)[]): readonly number[] {
  return values.filter((value) => value !== undefined)
}

/** Stretches of some minutes, the newest first. */
function stretchesOf(aggregates: readonly Aggregate[]): readonly (readonly Aggregate[])[] {
  const count = Math.ceil(aggregates.length / minutesPerRow)
  return Array.from({ length: count }, (_, i) =>
    aggregates.slice(i * minutesPerRow, (i + 1) * minutesPerRow)
  ).toReversed()
}

function stretchTexts(
  stretch: readonly Aggregate[],
  index: number
): Readonly<Record<string, string>> {
  const mean = (operation: keyof Aggregate): string => {
    const told = toldOf(stretch.map((each) => each[operation].perSecond))
    if (told.length === 0) return '–'
    return rateText(told.reduce((sum, rate) => sum + rate, 0) / told.length)
  }
  const worst = (operation: keyof Aggregate): string => {
    const told = toldOf(stretch.map((each) => each[operation].medianSeconds))
    return told.length === 0 ? '–' : secondsText(Math.max(...told))
  }
  return {
    [`put-rate-${index}`]: mean('put'),
    [`get-rate-${index}`]: mean('get'),
    [`put-median-${index}`]: worst('put'),
    [`get-median-${index}`]: worst('get')
  }
}

function rateText(rate: number): string {
  return rate < 0.05 ? '< 0.1' : String(Number(rate.toPrecision(rate < 1 ? 1 : 2)))
}

function secondsText(seconds: number): string {
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(2))} ms` : `${seconds} s`
}
