import { rm, stat } from 'node:fs/promises'

import { afterEach, expect, test, vi } from 'vitest'

import { makeSocketDirectory } from '../src/tor/socket-directory.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test.each(['/tmp/a folder', '/tmp/übung', `/tmp/${'x'.repeat(80)}`, '/tmp/"'])(
  'a folder for sockets is elsewhere when Tor could not use one below %s',
  async (temporary) => {
    vi.stubEnv('TMPDIR', temporary)
    const directory = await makeSocketDirectory()
    try {
      expect(directory).toMatch(/^\/tmp\/hushlamp-\w{6}$/)
      expect((await stat(directory)).mode & 0o777).toBe(0o700)
    } finally {
      await rm(directory, { recursive: true })
    }
  }
)
