import { join } from 'node:path'

import { Option } from 'commander'
import type { Command } from 'commander'

import { configFileName, readConfigFile } from '../config/config-file.ts'
import { configFrom, defaultDataDirectory } from '../config/config.ts'
import type { RegistryNodeConfig } from '../config/config.ts'
import {
  defaultSettings,
  mergeSettings,
  readEnvironment,
  settingName,
  settings
} from '../config/settings.ts'
import type { NodeSettings } from '../config/settings.ts'

/** What Commander makes of the options of {@link addSettings}. */
export type SettingsOptions = Omit<NodeSettings, 'onion'> & {
  readonly onion?: boolean | undefined
  readonly config?: string | undefined
}

/** Adds an option for each setting, or for those that are named. */
export function addSettings(command: Command, names?: readonly (keyof NodeSettings)[]): Command {
  for (const setting of settings) {
    const { name, argument, list, description, fallback } = setting
    if (names !== undefined && !names.includes(name)) continue
    const flag = `--${settingName(setting)}`
    if (name === 'onion') {
      command.option(
        flag,
        'be an onion service too, or else do not start (default: if a Tor is found)'
      )
      command.option(`--no-${settingName(setting)}`, 'be no onion service')
      continue
    }
    const text = fallback === undefined ? description : `${description} (default: ${fallback})`
    command.addOption(new Option(`${flag} <${argument}${list ? '...' : ''}>`, text))
  }
  return command.option(
    '--config <file>',
    `file of settings (default: ${configFileName} in the data folder)`
  )
}

/**
 * The settings as they hold: those of the command line before those of the environment, those of the file, and those
 * that hold where nothing is set.
 *
 * @throws HushlampError `config-invalid`
 */
export async function gatherSettings(options: SettingsOptions): Promise<NodeSettings> {
  const outside = mergeSettings(readEnvironment(process.env), settingsOf(options))
  const dataDir = outside.dataDir ?? defaultDataDirectory(process.env)
  const { config } = options
  const file = config ?? join(dataDir, configFileName)
  return mergeSettings(
    defaultSettings,
    { dataDir },
    await readConfigFile(file, config !== undefined),
    outside
  )
}

/** {@link gatherSettings}, checked. */
export async function gatherConfig(options: SettingsOptions): Promise<RegistryNodeConfig> {
  return configFrom(await gatherSettings(options))
}

/** The settings among options, with the two flags of `onion` made one. */
export function settingsOf({ onion, ...options }: SettingsOptions): NodeSettings {
  const names = new Set<string>(settings.map(({ name }) => name))
  const set = Object.entries(options).filter(([name]) => names.has(name))
  const mode = onion === undefined ? {} : { onion: onion ? 'on' : 'off' }
  return { ...Object.fromEntries(set), ...mode }
}
