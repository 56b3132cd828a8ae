import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { RegistryNode, configFrom } from '@hushlamp/registry-node'
import { isHushlampError } from '@hushlamp/shared'
import type { BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { HeadlessChromium, findChromium } from '../src/browser/headless-chromium.ts'
import type { ObservedPage } from '../src/browser/observed-page.ts'

/** Pages that a node serves to people, with the policy that each must keep. */
const pages = ['/', '/docs']

/** For those who want to look: what the pages looked like. */
const artefacts = join(import.meta.dirname, '../.artefacts/pages')
const windows = {
  'desktop-light': { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  'desktop-dark': { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  'phone-light': { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  'phone-dark': { colorScheme: 'dark', viewport: { width: 390, height: 844 } }
} as const

/** The statuses are taken often, and the minutes are short, so that there is something to see. */
const operatorTimings = { renewMs: 200, aggregateMs: 400 }
const nodeCount = 4
const rows = { hour: 12, day: 7, week: 3 }
const ttlSeconds = { hour: 3600, day: 86_400, week: 604_800 }

/** The part of a status that is compared. */
interface NodeStatus {
  readonly version: string
  readonly peerId: string
  readonly peers: number
  readonly networkNodes: number
  readonly stored: {
    readonly rows: number
    readonly byClass: Readonly<Record<'hour' | 'day' | 'week', { readonly rows: number }>>
  }
}

let directory: string
const nodes: RegistryNode[] = []
let node: RegistryNode
let browser: HeadlessChromium | undefined
let missing = ''
const stranger = 'http://127.0.0.1:9/x'
let controlOrigin = ''

beforeAll(async () => {
  await mkdir(artefacts, { recursive: true })
  directory = await mkdtemp(join(tmpdir(), 'hushlamp-pages-'))
  browser = await startBrowser()
  if (browser === undefined) return
  for (let i = 0; i < nodeCount; i++) {
    const settings = { http: '127.0.0.1:0', overlay: '127.0.0.1:0', admin: 'off', onion: 'off' }
    const bootstrap = nodes[0]?.overlayAddresses ?? []
    const dataDir = join(directory, `node-${i}`)
    const config = configFrom({ ...settings, bootstrap, dataDir, logLevel: 'silent' })
    nodes.push(await RegistryNode.start(config, { operatorTimings }))
  }
  node = nodes[1] ?? node
  await vi.waitUntil(() => nodes.every(({ peers }) => peers === nodeCount - 1), 30_000)
  for (const name of ['hour', 'day', 'week'] as const) {
    for (let i = 0; i < rows[name]; i++) await put(i, ttlSeconds[name])
  }
}, 240_000)

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]()
  await Promise.all(nodes.map(async (each) => each.stop()))
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

/** A browser, or nothing where there is none and none can be fetched; then `missing` tells why. */
async function startBrowser(): Promise<HeadlessChromium | undefined> {
  try {
    return await HeadlessChromium.start(await findChromium())
  } catch (error) {
    if (!isHushlampError(error, 'package-download-failed')) throw error
    missing = error.message
    return undefined
  }
}

async function put(number: number, ttl: number): Promise<void> {
  const key = Buffer.alloc(20, number + 1).toString('hex')
  const answer = await fetch(`${node.httpAddress}/v1/keys/${key}/values`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      value: Buffer.from(`value ${number}`).toString('base64'),
      ttlSeconds: ttl
    })
  })
  expect(answer.status).toBe(201)
  await (await fetch(`${node.httpAddress}/v1/keys/${key}/values`)).text()
}

async function statusOf(): Promise<NodeStatus> {
  const status: NodeStatus = JSON.parse(await (await fetch(`${node.httpAddress}/v1/status`)).text())
  return status
}

/** What the page shows in the element of an id. */
async function shown({ page }: ObservedPage, id: string): Promise<string> {
  return page.locator(`#${id}`).innerText()
}

describe('The pages of a node, in a browser,', () => {
  beforeEach(({ skip }) => {
    if (browser === undefined) skip(missing)
  })
  const open = async (path: string, options?: BrowserContextOptions): Promise<ObservedPage> => {
    if (browser === undefined) throw new Error(missing)
    const observed = await browser.page(options)
    const answer = await observed.open(node.httpAddress + path)
    expect(answer?.status()).toBe(200)
    return observed
  }
  const strangers = (addresses: readonly string[]): readonly string[] =>
    addresses.filter((address) => new URL(address).origin !== node.httpAddress)

  it.each(pages)('ask nobody else, fit and complain of nothing: %s', async (path) => {
    await using observed = await open(path)
    await observed.page.evaluate(
      'for (const one of document.querySelectorAll("details")) one.open = true'
    )
    for (const [name, { colorScheme, viewport }] of Object.entries(windows)) {
      await observed.page.emulateMedia({ colorScheme })
      await observed.page.setViewportSize(viewport)
      const file = `${path === '/' ? 'status' : path.slice(1)}-${name}.png`
      await observed.page.screenshot({ path: join(artefacts, file), fullPage: true })
      expect([name, await observed.overflow()]).toEqual([name, 0])
    }
    expect(strangers(observed.requests)).toEqual([])
    expect(observed.requests.length).toBeGreaterThan(2)
    expect(observed.complaints).toEqual([])
  })

  it.each([true, false])(
    'show the numbers of the status; with scripts: %s',
    async (javaScriptEnabled) => {
      await using observed = await open('/', { javaScriptEnabled })
      const differences = async (): Promise<readonly string[]> => {
        const status = await statusOf()
        await observed.page.reload()
        const expected = {
          'peer-id': status.peerId,
          version: status.version,
          peers: String(nodeCount - 1),
          network: `about ${nodeCount} nodes`,
          'rows-all': status.stored.rows.toLocaleString('en'),
          'rows-hour': String(status.stored.byClass.hour.rows),
          'rows-day': String(status.stored.byClass.day.rows),
          'rows-week': String(status.stored.byClass.week.rows)
        }
        const found = Object.entries(expected).map(async ([id, value]) => {
          const text = await shown(observed, id)
          return text === value ? [] : [`${id}: ${text} and not ${value}`]
        })
        return (await Promise.all(found)).flat()
      }
      await expect.poll(differences).toEqual([])
      await expect
        .poll(async () => {
          await observed.page.reload()
          return shown(observed, 'state')
        })
        .toMatch(/^Ready/)
    }
  )

  it('keep up with the node, and say so when it is silent', async () => {
    await using observed = await open('/')
    await observed.page.clock.install()
    await observed.page.reload()
    const before = await shown(observed, 'rows-day')
    for (let i = 0; i < 12; i++) await put(100 + i, ttlSeconds.day)
    await expect
      .poll(async () => (await statusOf()).stored.byClass.day.rows)
      .toBeGreaterThan(Number(before))
    await observed.page.clock.runFor(10_000)
    await expect.poll(async () => shown(observed, 'rows-day')).not.toBe(before)
    expect(observed.complaints).toEqual([])
    await observed.page.context().setOffline(true)
    await observed.page.clock.runFor(10_000)
    await expect.poll(async () => shown(observed, 'refresh')).toMatch(/does not answer/)
    await observed.page.context().setOffline(false)
    await observed.page.clock.runFor(10_000)
    await expect.poll(async () => shown(observed, 'refresh')).toBe('')
  })

  it('are watched by somebody who would notice a stranger', async () => {
    if (browser === undefined) throw new Error(missing)
    await using server = await servePage(`<!doctype html><img src="${stranger}">`)
    await using observed = await browser.page()
    await observed.open(server.address)
    expect(observed.requests).toContain(stranger)
    expect(observed.complaints.join()).toContain(stranger)
    controlOrigin = new URL(server.address).origin
  })

  it('have asked nobody else, by the browser’s own account', async () => {
    const logged = (await browser?.end()) ?? []
    const askedBy = (origin: string): readonly string[] =>
      logged.filter(({ initiator }) => initiator === origin).map(({ address }) => address)
    expect(askedBy(node.httpAddress).length).toBeGreaterThan(10)
    expect(strangers(askedBy(node.httpAddress))).toEqual([])
    expect(askedBy(controlOrigin)).toContain(stranger)
    const others = logged.filter(({ initiator }) => initiator !== controlOrigin)
    expect(new Set(others.map(({ initiator }) => initiator))).toEqual(new Set([node.httpAddress]))
  })
})

/** A page that keeps no policy. */
async function servePage(html: string): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((request, response) => {
    const icon = request.url === '/i.svg'
    response.setHeader('content-type', icon ? 'image/svg+xml' : 'text/html')
    response.end(icon ? '<svg xmlns="http://www.w3.org/2000/svg"/>' : html)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return {
    address: typeof bound === 'object' ? `http://127.0.0.1:${bound?.port}/` : '',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
