import { VirtualClock } from '@hushlamp/shared/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { chartTop, linePath } from '../src/status/chart-path.ts'
import { coarseCount, coarseRate, coarseUptime } from '../src/status/coarse.ts'
import { NodeStatus } from '../src/status/node-status.ts'
import { bytesText, pageFigures } from '../src/status/page-figures.ts'
import type { PageSources } from '../src/status/page-figures.ts'
import { statusPage } from '../src/status/status-page.ts'
import { keptAggregates, TrafficHistory } from '../src/status/traffic-history.ts'
import { nodeSources } from './node-sources.ts'

function sources(changes: Partial<PageSources> = {}): PageSources {
  const clock = new VirtualClock()
  const status = new NodeStatus({ clock, sources: nodeSources({ rows: 5 }) }, { renewMs: 1000 })
  status.start()
  const traffic = new TrafficHistory({ clock }, { aggregateMs: 60_000 })
  return { ...status.taken, ready: true, aggregates: traffic.aggregates, ...changes }
}

describe('the status of a node', () => {
  it('changes at fixed times only, not with a request', () => {
    const clock = new VirtualClock()
    const held = { rows: 0 }
    const status = new NodeStatus({ clock, sources: nodeSources(held) }, { renewMs: 10_000 })
    expect(() => status.taken).toThrow(expect.objectContaining({ code: 'registry-unreachable' }))
    status.start()
    held.rows = 1000
    clock.advance(9999)
    expect(status.taken.status.stored.rows).toBe(0)
    clock.advance(1)
    expect(status.taken.status.stored).toMatchObject({ rows: 1000, bytes: 270_000 })
    status.stop()
    held.rows = 0
    clock.advance(60_000)
    expect(status.taken.status.stored.rows).toBe(1000)
  })

  it('does not show a single row more or less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.constantFrom(1, 10, 4096), (count, step) => {
        const coarse = coarseCount(count, step)
        expect(coarse).toBeGreaterThanOrEqual(count)
        expect(coarse - count).toBeLessThan(Math.max(step, count / 10 + 1))
        expect(coarse % step === 0 || coarse > 10 * step).toBe(true)
      })
    )
    expect([0, 1, 9, 10, 11, 101, 1234].map((rows) => coarseCount(rows, 10))).toEqual([
      0, 10, 10, 10, 20, 110, 1300
    ])
  })

  it('tells how long the node has been up, more and more roughly', () => {
    expect([0, 599, 600, 86_399, 90_000, 40 * 86_400 + 7200].map(coarseUptime)).toEqual([
      0,
      0,
      600,
      85_800,
      90_000,
      40 * 86_400
    ])
  })
})

describe('the traffic of a node', () => {
  const minute = (clock: VirtualClock): void => clock.advance(60_000)
  const start = (): { clock: VirtualClock; history: TrafficHistory } => {
    const clock = new VirtualClock()
    const history = new TrafficHistory({ clock }, { aggregateMs: 60_000 })
    history.start()
    return { clock, history }
  }

  it('shows when its minute is over, as a rate and a median', () => {
    const { clock, history } = start()
    for (let i = 0; i < 120; i++) history.operation('put', 'ok', i < 60 ? 0.03 : 0.9)
    for (let i = 0; i < 600; i++) history.operation('get', 'ok', 0.004)
    expect(history.aggregates.at(-1)?.put.perSecond).toBeUndefined()
    minute(clock)
    const { put, get } = history.aggregates.at(-1) ?? {}
    expect(put).toEqual({ perSecond: 2, medianSeconds: 0.05 })
    expect(get?.perSecond).toBe(10)
    expect(get?.medianSeconds).toBeGreaterThan(0.002)
    expect(get?.medianSeconds).toBeLessThanOrEqual(0.005)
  })

  it('does not show one or two operations', () => {
    const { clock, history } = start()
    history.operation('put', 'ok', 0.1)
    history.operation('get', 'failed', 9)
    history.operation('get', 'ok', 0.1)
    minute(clock)
    const silence = { perSecond: 0, medianSeconds: undefined }
    expect(history.aggregates.at(-1)).toEqual({ put: silence, get: silence })
    expect(coarseRate(2 / 60)).toBe(0)
  })

  it('is forgotten after an hour', () => {
    const { clock, history } = start()
    for (let i = 0; i < 60; i++) history.operation('put', 'ok', 0.1)
    minute(clock)
    expect(history.aggregates).toHaveLength(keptAggregates)
    for (let i = 0; i < keptAggregates - 1; i++) minute(clock)
    expect(history.aggregates[0]?.put.perSecond).toBe(1)
    minute(clock)
    expect(history.aggregates).toHaveLength(keptAggregates)
    expect(history.aggregates.some(({ put }) => put.perSecond === 1)).toBe(false)
    history.stop()
  })
})

describe('the status page', () => {
  it('has an element for every figure, and shows it', () => {
    const figures = pageFigures(sources())
    const page = statusPage(figures, {})
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of [...Object.keys(figures.texts), ...Object.keys(figures.attributes)]) {
      expect(ids).toContain(id)
    }
    expect(page).toContain('>12D3KooWname<')
    expect(page).toContain('>128 bytes<')
  })

  it('makes no markup of what it shows', () => {
    const { status, ...rest } = sources()
    const hostile = '<script>alert("1")</script>'
    const figures = pageFigures({ ...rest, status: { ...status, onionAddress: hostile } })
    const page = statusPage(figures, { '/x"y': hostile })
    expect(page).not.toContain(hostile)
    expect(page).not.toContain('x"y')
  })

  it('holds no script, no style and no address of its own text', () => {
    const page = statusPage(pageFigures(sources()), { '/docs': 'Interface' })
    expect(page).not.toMatch(/<style|style=|<script>| on[a-z]+=|https?:/)
  })

  it.each([
    [true, 'ready', /^Ready/],
    [false, 'unready', /^Not ready/],
    [undefined, 'checking', /^Finding out/]
  ])('says whether the node is ready: %s', (ready, state, text) => {
    const figures = pageFigures(sources({ ready }))
    expect(figures.attributes['state']).toEqual({ 'data-state': state })
    expect(figures.texts['state']).toMatch(text)
  })

  it('writes bytes as people read them', () => {
    expect([0, 1, 1023, 1024, 1536, 1e6, 2 ** 30, 5 * 2 ** 40].map(bytesText)).toEqual([
      '0 bytes',
      '1 bytes',
      '1023 bytes',
      '1.0 KiB',
      '1.5 KiB',
      '977 KiB',
      '1.0 GiB',
      '5.0 TiB'
    ])
  })

  it('draws lines within their box, with gaps where nothing is known', () => {
    expect(linePath([0, undefined, 5, 10], 10)).toBe('M0 120L0 120M400 60L400 60L600 0')
    const value = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const top = chartTop(values, 1)
        expect(values.every((each) => each === undefined || each <= top * (1 + 1e-6))).toBe(true)
        const numbers = linePath(values, top).match(/-?[\d.]+/g) ?? []
        expect(numbers.every((number) => Number(number) >= 0 && Number(number) <= 600)).toBe(true)
      })
    )
  })
})
