import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { resolveTorBinary, unpackDebianPackages, withUnpackedPackages } from '../src/index.ts'

const isDebian = spawnSync('apt-get', ['--version']).status === 0

describe.skipIf(!isDebian)('the Tor of the distribution', { timeout: 120_000 }, () => {
  let cacheDirectory: string

  beforeAll(() => {
    cacheDirectory = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
  })

  afterAll(() => {
    rmSync(cacheDirectory, { recursive: true, force: true })
  })

  it('is fetched without installing anything, and runs', async () => {
    const unpacked = await unpackDebianPackages(['tor'], { cacheDirectory })
    const tor = spawnSync(join(unpacked.root, 'usr/bin/tor'), ['--version'], {
      env: withUnpackedPackages(process.env, unpacked),
      encoding: 'utf8'
    })
    expect(tor.stdout).toMatch(/^Tor version 0\./)
  })

  it('is what a computer without Tor uses, or else its own', async () => {
    const { path, version, environment } = await resolveTorBinary({ cacheDirectory })
    const tor = spawnSync(path, ['--version'], { env: environment, encoding: 'utf8' })
    expect(tor.stdout).toContain(`Tor version ${version}`)
  })
})
