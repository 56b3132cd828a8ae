import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { defaultCacheDirectory } from '../src/index.ts'

describe.skipIf(process.platform === 'win32')('defaultCacheDirectory', () => {
  let home: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
  })

  afterEach(() => {
    rmSync(home, { recursive: true, force: true })
  })

  it('is the cache folder of the user, for nobody else', async () => {
    const directory = await defaultCacheDirectory({ HOME: home })
    expect(directory).toBe(join(home, '.cache/hushlamp'))
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it('follows XDG_CACHE_HOME where that is a full path', async () => {
    const XDG_CACHE_HOME = join(home, 'elsewhere')
    expect(await defaultCacheDirectory({ HOME: home, XDG_CACHE_HOME })).toBe(
      join(XDG_CACHE_HOME, 'hushlamp')
    )
    expect(await defaultCacheDirectory({ HOME: home, XDG_CACHE_HOME: 'relative' })).toBe(
      join(home, '.cache/hushlamp')
    )
  })

  it('is a folder of our own among the temporary ones where there is no home', async () => {
    const directory = await defaultCacheDirectory({ HOME: '/dev/null' })
    expect(directory.startsWith(join(tmpdir(), 'hushlamp-cache-'))).toBe(true)
    expect(statSync(directory).mode & 0o022).toBe(0)
  })

  it('is never a folder that others could have put programs into', async () => {
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = home
    try {
      const planted = join(home, `hushlamp-cache-${process.getuid?.() ?? 'user'}`)
      mkdirSync(planted)
      chmodSync(planted, 0o777)
      await expect(defaultCacheDirectory({ HOME: '/dev/null' })).rejects.toMatchObject({
        code: 'storage-failed'
      })
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })
})
