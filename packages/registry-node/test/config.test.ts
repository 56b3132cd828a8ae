import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isHushlampError } from '@hushlamp/shared'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { parseConfigFile, readConfigFile, writeConfigFile } from '../src/config/config-file.ts'
import { configFrom } from '../src/config/config.ts'
import {
  defaultSettings,
  mergeSettings,
  readEnvironment,
  settingName,
  settings,
  settingVariable
} from '../src/config/settings.ts'
import type { NodeSettings } from '../src/config/settings.ts'

const dataDir = '/nowhere'
const complete: NodeSettings = {
  http: '0.0.0.0:5851',
  overlay: '[::]:5850',
  admin: 'off',
  bootstrap: ['/ip4/192.0.2.1/tcp/5850', '/dns4/node.example/tcp/5850'],
  advertise: ['http://registry.example:5851'],
  onion: 'on',
  torControl: '/run/tor/control',
  maxBytes: '512MiB',
  maxValueBytes: '1024',
  logLevel: 'debug'
}

function codeOf(act: () => void): string {
  try {
    act()
    return 'none'
  } catch (error) {
    return isHushlampError(error) ? error.code : 'not one of ours'
  }
}

describe('settings of a node', () => {
  it('hold in the order file, environment, command line', () => {
    const merged = mergeSettings(
      defaultSettings,
      parseConfigFile('max-bytes = "1MiB"\nlog-level = "warn"\nhttp = "127.0.0.1:1"'),
      readEnvironment({ HUSHLAMP_NODE_LOG_LEVEL: 'error', HUSHLAMP_NODE_HTTP: '127.0.0.1:2' }),
      { http: '127.0.0.1:3' }
    )
    expect(merged).toMatchObject({ maxBytes: '1MiB', logLevel: 'error', http: '127.0.0.1:3' })
  })

  it('can each stand in the environment and in the file, under names that follow from one table', () => {
    for (const setting of settings) {
      const value = setting.list ? ['a', 'b'] : 'a'
      const shown = setting.list ? 'a, b' : 'a'
      expect(readEnvironment({ [settingVariable(setting)]: shown })).toEqual({
        [setting.name]: value
      })
      expect(parseConfigFile(`${settingName(setting)} = ${JSON.stringify(value)}`)).toEqual({
        [setting.name]: value
      })
    }
  })

  it('survive being written into a file and read again', () => {
    expect(parseConfigFile(writeConfigFile(complete))).toEqual(complete)
    expect(configFrom({ dataDir, ...complete })).toMatchObject({ maxBytes: 512 * 1024 * 1024 })
  })

  it('are all named in a file that sets none, with what holds without them', () => {
    const text = writeConfigFile({})
    expect(parseConfigFile(text)).toEqual({})
    for (const { name, fallback = '' } of settings.filter((each) => each.name !== 'dataDir')) {
      expect(text).toContain(`# ${settingName({ name })} = `)
      expect(text).toContain(fallback)
    }
  })

  it('stand in the README as they are in the table', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const rows = settings.map((setting) => {
      const { argument, list, description, fallback } = setting
      const flag = `\`--${settingName(setting)}\` ${setting.name === 'onion' ? '' : `\`${argument}${list ? '…' : ''}\``}`
      const cells = [
        flag.trim(),
        `\`${settingVariable(setting)}\``,
        description.replaceAll('|', ' or ')
      ]
      return `| ${cells.join(' | ')} | ${fallback === undefined ? '' : `\`${fallback}\``} |`
    })
    const head = '| Option and name in the file | Environment | Meaning | Default |'
    const shown = /<!-- settings -->\n([^]*?)\n<!-- \/settings -->/.exec(readme)?.[1]
    const table = (shown ?? '')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((row) => row.replace(/\s+/g, ' ').trim())
    expect(table.filter((_, i) => i !== 1)).toEqual(
      [head, ...rows].map((row) => row.replace(/\s+/g, ' '))
    )
  })

  it.each([
    ['no TOML', 'http = ', 'line 1'],
    ['an unknown setting', 'htp = "127.0.0.1:1"', 'htp'],
    ['a table', '[http]\nport = 1', 'http'],
    ['a text where a list belongs', 'bootstrap = "/ip4/127.0.0.1/tcp/1"', 'bootstrap'],
    ['numbers in a list', 'bootstrap = [1]', 'bootstrap']
  ])('name what is wrong in a file that holds %s', (_, text, named) => {
    expect(() => parseConfigFile(text)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(named) })
    )
  })

  it('never end in anything but settings or config-invalid, whatever the file holds', () => {
    const line = fc.tuple(
      fc.constantFrom(...settings.map(settingName), 'other'),
      fc.oneof(fc.json(), fc.string())
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const use = (): void => {
          const read = parseConfigFile(
            lines.map(([name, value]) => `${name} = ${value}`).join('\n')
          )
          configFrom({ dataDir, ...read })
        }
        expect(codeOf(use)).toMatch(/^(none|config-invalid)$/)
      })
    )
  })

  it('take metrics and the control port of Tor from this computer alone', () => {
    for (const admin of ['0.0.0.0:5852', 'localhost:5852', '192.0.2.1:5852', '']) {
      expect(() => configFrom({ dataDir, admin })).toThrow(/admin/)
    }
    expect(() => configFrom({ dataDir, torControl: '192.0.2.1:9051' })).toThrow(/tor-control/)
    expect(configFrom({ dataDir, admin: '[::1]:1' }).admin).toEqual({ host: '::1', port: 1 })
  })

  describe('in a file', () => {
    let folder: string
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hushlamp-config-'))
    })
    afterEach(async () => rm(folder, { recursive: true, force: true }))

    it('may be absent, unless the file was named', async () => {
      expect(await readConfigFile(join(folder, 'config.toml'), false)).toEqual({})
      await expect(readConfigFile(join(folder, 'config.toml'), true)).rejects.toMatchObject({
        code: 'config-invalid'
      })
      await writeFile(join(folder, 'config.toml'), 'onion = false\nmax-bytes = 2000000')
      expect(await readConfigFile(join(folder, 'config.toml'), true)).toEqual({
        onion: 'off',
        maxBytes: '2000000'
      })
    })
  })
})
