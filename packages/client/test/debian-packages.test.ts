import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { unpackDebianPackages, withUnpackedPackages } from '../src/index.ts'
import type { Progress } from '../src/index.ts'

const isDebian = spawnSync('apt-get', ['--version']).status === 0
let scratch: string

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true })
})

/** A package of our own, with a script as its program. */
interface SamplePackage {
  readonly name: string
  readonly version?: string
  readonly depends?: string
}

/** A repository in a folder: what apt is told of instead of the sources of the machine. */
function makeRepository(packages: readonly SamplePackage[]): void {
  const repository = join(scratch, 'repository')
  mkdirSync(repository, { recursive: true })
  const index = packages.map(({ name, version = '1.0', depends }) => {
    const tree = join(scratch, 'source', name)
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
    mkdirSync(join(tree, 'usr/bin'), { recursive: true })
    mkdirSync(join(tree, 'usr/lib/x86_64-linux-gnu'), { recursive: true })
    writeFileSync(join(tree, 'usr/bin', name), `#!/bin/sh\necho ${name} ${version}\n`)
    chmodSync(join(tree, 'usr/bin', name), 0o755)
    const control = [
      `Package: ${name}`,
      `Version: ${version}`,
      'Architecture: all',
      'Maintainer: nobody <nobody@example.invalid>',
      ...(depends === undefined ? [] : [`Depends: ${depends}`]),
      'Description: a sample'
    ]
    writeFileSync(join(tree, 'DEBIAN/control'), `${control.join('\n')}\n`)
    const file = `${name}_${version}_all.deb`
    execFileSync('dpkg-deb', ['--root-owner-group', '-b', tree, join(repository, file)])
    const bytes = readFileSync(join(repository, file))
    const sum = createHash('sha256').update(bytes).digest('hex')
    return [...control, `Filename: ./${file}`, `Size: ${bytes.length}`, `SHA256: ${sum}`].join('\n')
  })
  writeFileSync(join(repository, 'Packages'), `${index.join('\n\n')}\n`)
}

/** The environment of a machine whose only source is our repository, and which has what `status` says. */
function machine(status = ''): NodeJS.ProcessEnv {
  const path = join(scratch, 'machine')
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'status'), status)
  writeFileSync(join(path, 'sources.list'), `deb [trusted=yes] file:${scratch}/repository ./\n`)
  writeFileSync(
    join(path, 'apt.conf'),
    `Dir::State::status "${path}/status";
Dir::Etc::SourceList "${path}/sources.list";
Dir::Etc::SourceParts "/dev/null";
`
  )
  return { ...process.env, APT_CONFIG: join(path, 'apt.conf') }
}

function installed(name: string): string {
  return `Package: ${name}\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\n\n`
}

const run = (path: string): string => execFileSync(path, { encoding: 'utf8' })

describe.skipIf(!isDebian)('unpackDebianPackages', () => {
  it('unpacks a package with what it depends on, and changes nothing of the system', async () => {
    makeRepository([{ name: 'lamp', depends: 'oil' }, { name: 'oil' }, { name: 'bystander' }])
    const seen: Progress[] = []
    const { root, environment } = await unpackDebianPackages(['lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment: machine(),
      onProgress: (progress) => seen.push(progress)
    })
    expect(readdirSync(join(root, 'usr/bin')).sort()).toEqual(['lamp', 'oil'])
    expect(run(join(root, 'usr/bin/lamp'))).toBe('lamp 1.0\n')
    expect(environment['PATH']).toEqual([join(root, 'usr/bin')])
    expect(environment['LD_LIBRARY_PATH']).toContain(join(root, 'usr/lib/x86_64-linux-gnu'))
    expect(seen.map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(['index', 'resolve', 'download', 'unpack'])
    )
    expect(existsSync('/usr/bin/lamp')).toBe(false)
  })

  it('needs neither apt nor a network the second time', async () => {
    makeRepository([{ name: 'lamp' }])
    const cacheDirectory = join(scratch, 'cache')
    const first = await unpackDebianPackages(['lamp'], { cacheDirectory, environment: machine() })
    const phases: string[] = []
    const second = await unpackDebianPackages(['lamp'], {
      cacheDirectory,
      environment: { PATH: '/nonexistent' },
      onProgress: ({ phase }) => phases.push(phase)
    })
    expect(second).toEqual(first)
    expect(phases).toEqual([])
  })

  it('fetches a named package that the system claims to have, but not what it has otherwise', async () => {
    makeRepository([{ name: 'lamp', depends: 'oil' }, { name: 'oil' }])
    const { root } = await unpackDebianPackages(['lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment: machine(installed('lamp') + installed('oil'))
    })
    expect(readdirSync(join(root, 'usr/bin'))).toEqual(['lamp'])
  })

  it('works on a system whose own packages are at odds with each other', async () => {
    makeRepository([{ name: 'lamp', depends: 'oil' }, { name: 'oil' }])
    const broken = installed('torn').replace('\n\n', '\nDepends: nowhere\n\n')
    const { root } = await unpackDebianPackages(['lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment: machine(installed('oil') + broken)
    })
    expect(readdirSync(join(root, 'usr/bin'))).toContain('lamp')
  })

  it('reads the index anew when a package has been replaced by a newer one', async () => {
    makeRepository([{ name: 'lamp' }, { name: 'oil' }])
    const cacheDirectory = join(scratch, 'cache')
    await unpackDebianPackages(['oil'], { cacheDirectory, environment: machine() })
    rmSync(join(scratch, 'repository'), { recursive: true })
    makeRepository([{ name: 'lamp', version: '2.0' }])
    const { root } = await unpackDebianPackages(['lamp'], {
      cacheDirectory,
      environment: machine()
    })
    expect(run(join(root, 'usr/bin/lamp'))).toBe('lamp 2.0\n')
  })

  it('renews an old package, and goes on with it where that fails', async () => {
    makeRepository([{ name: 'lamp' }])
    const options = {
      cacheDirectory: join(scratch, 'cache'),
      environment: machine(),
      renewAfterSeconds: 0
    }
    const old = await unpackDebianPackages(['lamp'], options)
    rmSync(join(scratch, 'repository'), { recursive: true })
    expect(await unpackDebianPackages(['lamp'], options)).toEqual(old)
    makeRepository([{ name: 'lamp', version: '2.0' }])
    const renewed = await unpackDebianPackages(['lamp'], options)
    expect(run(join(renewed.root, 'usr/bin/lamp'))).toBe('lamp 2.0\n')
    expect(run(join(old.root, 'usr/bin/lamp'))).toBe('lamp 1.0\n')
  })

  it('does the work once when several ask at the same time', async () => {
    makeRepository([{ name: 'lamp' }])
    const environment = machine()
    let downloads = 0
    const asked = Array.from({ length: 4 }, () =>
      unpackDebianPackages(['lamp'], {
        cacheDirectory: join(scratch, 'cache'),
        environment,
        onProgress: ({ phase }) => {
          if (phase === 'unpack') downloads += 1
        }
      })
    )
    const roots = (await Promise.all(asked)).map(({ root }) => root)
    expect(new Set(roots).size).toBe(1)
    expect(downloads).toBe(1)
  })

  it('leaves nothing half-done behind when it is broken off', async () => {
    makeRepository([{ name: 'lamp' }])
    const cacheDirectory = join(scratch, 'cache')
    const environment = machine()
    const abort = new AbortController()
    const broken = unpackDebianPackages(['lamp'], {
      cacheDirectory,
      environment,
      signal: abort.signal,
      onProgress: ({ phase }) => phase === 'download' && abort.abort()
    })
    await expect(broken).rejects.toMatchObject({ code: 'aborted' })
    const { root } = await unpackDebianPackages(['lamp'], { cacheDirectory, environment })
    expect(run(join(root, 'usr/bin/lamp'))).toBe('lamp 1.0\n')
    expect(readdirSync(join(root, '..')).sort()).toEqual([
      'current.json',
      expect.stringMatching(/^tree-/)
    ])
  })

  it('is not held up by a source of the machine that does not answer', async () => {
    makeRepository([{ name: 'lamp' }])
    const environment = machine()
    const sources = join(scratch, 'machine/sources.list')
    const missing = `deb [trusted=yes] file:${scratch}/no-such-repository ./\n`
    writeFileSync(sources, missing + readFileSync(sources, 'utf8'))
    const { root } = await unpackDebianPackages(['lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment
    })
    expect(run(join(root, 'usr/bin/lamp'))).toBe('lamp 1.0\n')
  })

  it('says without naming a host that the index could not be read', async () => {
    makeRepository([{ name: 'lamp' }])
    const environment = machine()
    rmSync(join(scratch, 'repository'), { recursive: true })
    const asked = unpackDebianPackages(['lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment
    })
    const messages: string[] = []
    let error = await asked.catch((thrown: unknown) => thrown)
    for (; error instanceof Error; error = error.cause) messages.push(error.message)
    expect(messages[0]).toMatch(/^lamp could not be fetched because the index/)
    expect(messages.at(-1)).toContain('Failed to fetch (source)')
    expect(messages.join('\n')).not.toContain('file:')
  })

  it('names the package that does not exist', async () => {
    makeRepository([{ name: 'lamp' }])
    const asked = unpackDebianPackages(['no-such-lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment: machine()
    })
    await expect(asked).rejects.toMatchObject({
      code: 'package-download-failed',
      message: expect.stringContaining('no-such-lamp')
    })
  })
})

describe('unpackDebianPackages without apt', () => {
  it('says that this is not Debian', async () => {
    const asked = unpackDebianPackages(['lamp'], {
      cacheDirectory: join(scratch, 'cache'),
      environment: { PATH: '/nonexistent' }
    })
    await expect(asked).rejects.toMatchObject({ code: 'package-download-failed' })
  })

  it.each([[[]], [['--option']], [['../escape']]])('refuses %j as names', async (names) => {
    const asked = unpackDebianPackages(names, { cacheDirectory: join(scratch, 'cache') })
    await expect(asked).rejects.toMatchObject({ code: 'package-download-failed' })
  })
})

describe('withUnpackedPackages', () => {
  const unpacked = {
    root: '/r',
    environment: { PATH: ['/r/usr/bin'], LD_LIBRARY_PATH: ['/r/lib'], TERMINFO_DIRS: ['/r/t'] }
  }

  it('puts the folders in front and keeps everything else', () => {
    const merged = withUnpackedPackages({ PATH: '/bin', HOME: '/h' }, unpacked)
    expect(merged).toMatchObject({ PATH: '/r/usr/bin:/bin', HOME: '/h' })
  })

  it('keeps what the system assumes where a list is not set, and never adds the working folder', () => {
    const merged = withUnpackedPackages({}, unpacked)
    expect(merged['PATH']).toBe('/r/usr/bin:/usr/local/bin:/usr/bin:/bin')
    expect(merged['LD_LIBRARY_PATH']).toBe('/r/lib')
    expect(merged['TERMINFO_DIRS']).toBe('/r/t:')
  })

  it('lets the first of several packages come first', () => {
    const other = { root: '/s', environment: { PATH: ['/s/usr/bin'] } }
    const merged = withUnpackedPackages({ PATH: '/bin' }, unpacked, other)
    expect(merged['PATH']).toBe('/r/usr/bin:/s/usr/bin:/bin')
  })
})
