import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { resolveTorBinary } from '../src/index.ts'
import { installationAdvice } from '../src/tor/tor-binary.ts'

let scratch: string

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true })
})

/** A folder with a program `tor` in it that prints `says`. */
function folderWithTor(name: string, says: string, mode = 0o755): string {
  const folder = join(scratch, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'tor'), `#!/bin/sh\n[ "$1" = --version ] && echo "${says}"\n`)
  chmodSync(join(folder, 'tor'), mode)
  return folder
}

/** No apt in the path, so that nothing is ever downloaded here. */
function resolve(environment: NodeJS.ProcessEnv): ReturnType<typeof resolveTorBinary> {
  return resolveTorBinary({ environment, cacheDirectory: join(scratch, 'cache') })
}

describe.skipIf(process.platform === 'win32')('resolveTorBinary', () => {
  it('takes the first Tor in PATH that runs', async () => {
    const device = join(scratch, 'device')
    mkdirSync(device)
    symlinkSync('/dev/null', join(device, 'tor'))
    const folders = [
      join(scratch, 'missing'),
      device,
      folderWithTor('not-executable', 'Tor version 0.4.8.9.', 0o644),
      folderWithTor('another-program', 'The Onion Ring 3'),
      folderWithTor('too-old', 'Tor version 0.4.5.16.'),
      folderWithTor('good', 'Tor version 0.4.8.9.'),
      folderWithTor('later', 'Tor version 0.4.9.1.')
    ]
    const environment = { PATH: folders.join(':') }
    expect(await resolve(environment)).toEqual({
      path: join(scratch, 'good', 'tor'),
      version: '0.4.8.9',
      environment
    })
  })

  it.each([
    ['Tor version 0.4.8.16.', '0.4.8.16'],
    ['Tor version 0.4.7.1-alpha.', '0.4.7.1-alpha'],
    ['Tor version 0.5.0.1-alpha-dev (git-1234).', '0.5.0.1-alpha-dev'],
    ['Tor version 1.0.0.', '1.0.0']
  ])('reads "%s"', async (says, version) => {
    expect(await resolve({ PATH: folderWithTor('one', says) })).toMatchObject({ version })
  })

  it('prefers TOR_BINARY', async () => {
    const chosen = join(folderWithTor('chosen', 'Tor version 0.4.7.8.'), 'tor')
    const environment = { PATH: folderWithTor('other', 'Tor version 0.4.9.1.'), TOR_BINARY: chosen }
    expect(await resolve(environment)).toMatchObject({ path: chosen, version: '0.4.7.8' })
  })

  it.each([
    ['does not exist', '/nonexistent/tor', /TOR_BINARY/],
    ['is too old', undefined, /0\.4\.5\.16.*0\.4\.6/]
  ])('does not pass over a TOR_BINARY that %s', async (_why, path, message) => {
    const old = join(folderWithTor('old', 'Tor version 0.4.5.16.'), 'tor')
    const environment = {
      PATH: folderWithTor('good', 'Tor version 0.4.9.1.'),
      TOR_BINARY: path ?? old
    }
    await expect(resolve(environment)).rejects.toMatchObject({
      code: 'tor-not-found',
      message: expect.stringMatching(message)
    })
  })

  it('says how to install Tor where there is none and no package can be fetched', async () => {
    await expect(resolve({ PATH: join(scratch, 'empty') })).rejects.toMatchObject({
      code: 'tor-not-found',
      message: expect.stringContaining('TOR_BINARY'),
      cause: { code: 'package-download-failed' }
    })
  })

  it('can be cancelled', async () => {
    const path = folderWithTor('good', 'Tor version 0.4.9.1.')
    const cancelled = resolveTorBinary({ environment: { PATH: path }, signal: AbortSignal.abort() })
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' })
  })
})

describe('installationAdvice', () => {
  it.each([
    ['linux', ['apt-get install tor', 'dnf install tor', 'pacman -S tor']],
    ['darwin', ['brew install tor']],
    ['win32', ['Tor Expert Bundle']],
    ['freebsd', ['package "tor"']]
  ] as const)('tells what to do on %s', (platform, parts) => {
    for (const part of parts) expect(installationAdvice(platform)).toContain(part)
  })
})
