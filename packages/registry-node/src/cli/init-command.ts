import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { HushlampError } from '@hushlamp/shared'

import { configFileName, readConfigFile, writeConfigFile } from '../config/config-file.ts'
import { configFrom, defaultDataDirectory } from '../config/config.ts'
import { mergeSettings, readEnvironment } from '../config/settings.ts'
import { errorCode } from '../log.ts'
import { loadNodeKey } from '../overlay/node-key.ts'
import { settingsOf } from './settings-options.ts'
import type { SettingsOptions } from './settings-options.ts'

/** Makes the data folder with the node's key and a file of settings; says what to do next. Changes nothing that exists. */
export async function init(options: SettingsOptions): Promise<void> {
  const set = mergeSettings(readEnvironment(process.env), settingsOf(options))
  const dataDir = set.dataDir ?? defaultDataDirectory(process.env)
  configFrom({ ...set, dataDir })
  const file = options.config ?? join(dataDir, configFileName)
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await writeFile(file, writeConfigFile(set), { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    if (errorCode(cause) !== 'EEXIST') {
      throw new HushlampError('storage-failed', `The folder ${dataDir} cannot be made.`, { cause })
    }
    await readConfigFile(file, true)
    process.stdout.write(`The file of settings exists and is left as it is: ${file}\n`)
  }
  await loadNodeKey(join(dataDir, 'node.key'))
  process.stdout.write(
    [
      `The node’s folder is ready: ${dataDir}`,
      `Look through its settings:  ${file}`,
      `Then start it:              hushlamp-node start --data-dir ${dataDir}`,
      ''
    ].join('\n')
  )
}
