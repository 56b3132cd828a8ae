import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { AbortOptions } from '@hushlamp/shared'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContextOptions } from 'playwright-core'

import { resolvePrograms } from '../programs.ts'
import type { ResolveProgramsOptions } from '../programs.ts'
import { readNetLog } from './net-log.ts'
import type { LoggedRequest } from './net-log.ts'
import { ObservedPage } from './observed-page.ts'

const name = 'chromium-headless-shell'

/** A Chromium that was seen to start. */
export interface ChromiumProgram {
  readonly path: string
  /** The whole environment to start it with. */
  readonly environment: NodeJS.ProcessEnv
  /** What takes the place of `/` for the fonts that came with it; none where the system has it installed. */
  readonly unpackedRoots: readonly string[]
}

/**
 * The Chromium of this machine, or else the distribution's package in a cache folder of ours, without root.
 *
 * Errors: `package-download-failed` where there is none and none can be fetched, `aborted`.
 */
export async function findChromium(options?: ResolveProgramsOptions): Promise<ChromiumProgram> {
  const { paths, environment, unpackedRoots } = await resolvePrograms([name], options)
  return { path: paths.get(name) ?? 'chromium', environment, unpackedRoots }
}

const switches = [
  // The pages are our own, and the namespaces that the sandbox needs are often not allowed.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Whatever Chromium may think of asking on its own behalf finds nobody.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
]

/** A Chromium without windows, with a new and empty profile, that keeps a record of all its requests. */
export class HeadlessChromium implements AsyncDisposable {
  readonly #browser: Browser
  readonly #directory: string

  private constructor(browser: Browser, directory: string) {
    this.#browser = browser
    this.#directory = directory
  }

  /** Starts it. The profile is removed with it. */
  static async start(program: ChromiumProgram, options?: AbortOptions): Promise<HeadlessChromium> {
    options?.signal?.throwIfAborted()
    const directory = await mkdtemp(join(tmpdir(), 'hushlamp-chromium-'))
    try {
      const fonts = await fontSettings(program.unpackedRoots, directory)
      const environment = Object.entries({ ...program.environment, ...fonts, HOME: directory })
      const browser = await chromium.launch({
        executablePath: program.path,
        headless: true,
        args: [...switches, `--log-net-log=${netLog(directory)}`],
        env: Object.fromEntries(environment.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))
      })
      return new HeadlessChromium(browser, directory)
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  /** An empty page of its own context: nothing is shared with other pages. */
  async page(options?: BrowserContextOptions): Promise<ObservedPage> {
    const context = await this.#browser.newContext(options)
    return ObservedPage.open(context)
  }

  /** Ends it and tells what its pages asked for, by its own account. */
  async end(): Promise<readonly LoggedRequest[]> {
    await this.#browser.close()
    return readNetLog(netLog(this.#directory))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function netLog(directory: string): string {
  return join(directory, 'net-log.json')
}

/** Fonts of unpacked packages are not where the fontconfig library looks for them. */
async function fontSettings(
  roots: readonly string[],
  directory: string
): Promise<NodeJS.ProcessEnv> {
  if (roots.length === 0) return {}
  const file = join(directory, 'fonts.conf')
  const folders = [...roots.map((root) => join(root, 'usr/share/fonts')), '/usr/share/fonts']
  await writeFile(
    file,
    [
      '<?xml version="1.0"?>',
      '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
      '<fontconfig>',
      ...folders.map((folder) => `<dir>${folder}</dir>`),
      `<cachedir>${join(directory, 'fonts')}</cachedir>`,
      '</fontconfig>',
      ''
    ].join('\n')
  )
  return { FONTCONFIG_FILE: file }
}
