import { readFile } from 'node:fs/promises'

import { HushlampError } from '@hushlamp/shared'
import { parse, TomlError } from 'smol-toml'

import { errorCode } from '../log.ts'
import { settingName, settings } from './settings.ts'
import type { NodeSettings } from './settings.ts'

/** Name of the file of settings in a data folder. */
export const configFileName = 'config.toml'

/**
 * The settings in a file, or none if there is no such file and `required` is false.
 *
 * @throws HushlampError `config-invalid`, naming the line or the setting
 */
export async function readConfigFile(file: string, required: boolean): Promise<NodeSettings> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' && !required) return {}
    throw new HushlampError('config-invalid', `The file of settings cannot be read: ${file}.`, {
      cause
    })
  }
  return parseConfigFile(text)
}

/**
 * The settings in the text of a file: TOML, named as on the command line.
 *
 * @throws HushlampError `config-invalid`
 */
export function parseConfigFile(text: string): NodeSettings {
  let entries: [string, unknown][]
  try {
    entries = Object.entries(parse(text))
  } catch (cause) {
    const line = cause instanceof TomlError ? ` (line ${cause.line})` : ''
    throw new HushlampError('config-invalid', `The file of settings is not TOML${line}.`, { cause })
  }
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const setting = settings.find((one) => settingName(one) === name)
      if (setting === undefined) {
        throw new HushlampError('config-invalid', `There is no setting ${name}.`)
      }
      const read = setting.list ? texts(value) : plain(value)
      if (read === undefined) {
        const wanted = setting.list ? 'a list of texts' : 'a text or a number'
        throw new HushlampError('config-invalid', `The setting ${name} must be ${wanted}.`)
      }
      return [setting.name, read]
    })
  )
}

function plain(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function texts(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const all: unknown[] = value
  return all.every((one) => typeof one === 'string') ? all : undefined
}

/**
 * A file of settings. Those in `set` are written, all others stand there as comments with what holds without them, so
 * that a better default of a later version is not shut out.
 */
export function writeConfigFile(set: NodeSettings): string {
  const rows = settings
    .filter(({ name }) => name !== 'dataDir')
    .map((setting) => {
      const value = set[setting.name]
      const shown = value ?? (setting.list ? [] : (setting.fallback ?? ''))
      const line = `${settingName(setting)} = ${toml(shown)}`
      return `# ${setting.description}\n${value === undefined ? `# ${line}` : line}\n`
    })
  return [
    '# Settings of this node. The command line and the environment win over them.\n',
    ...rows
  ].join('\n')
}

/** A TOML text or list. JSON's escapes are TOML's as well. */
function toml(value: string | readonly string[]): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : `[${value.map((one) => JSON.stringify(one)).join(', ')}]`
}
