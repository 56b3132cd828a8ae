import { maxConfigurableValueBytes, maxValueBytes } from '@hushlamp/shared'

/** Settings as texts, as they come from a file, the environment or the command line. */
export interface NodeSettings {
  readonly dataDir?: string | undefined
  readonly http?: string | undefined
  readonly overlay?: string | undefined
  readonly admin?: string | undefined
  readonly bootstrap?: readonly string[] | undefined
  readonly advertise?: readonly string[] | undefined
  readonly onion?: string | undefined
  readonly torControl?: string | undefined
  readonly maxBytes?: string | undefined
  readonly maxValueBytes?: string | undefined
  readonly logLevel?: string | undefined
}

/** One row of the table of settings: command line, environment, file and documentation all come from it. */
export interface Setting {
  readonly name: keyof NodeSettings
  /** What stands behind the flag, in angle brackets. */
  readonly argument: string
  /** A list takes several values. */
  readonly list: boolean
  /** One sentence without a full stop, for `--help`, for the file that `init` writes and for the documents. */
  readonly description: string
  /** What holds where nothing is set, as a text of the same form; undefined where that is worth no text. */
  readonly fallback: string | undefined
}

const one = (
  name: keyof NodeSettings,
  argument: string,
  description: string,
  fallback?: string
): Setting => ({ name, argument, list: false, description, fallback })
const several = (name: keyof NodeSettings, argument: string, description: string): Setting => ({
  name,
  argument,
  list: true,
  description,
  fallback: undefined
})

/** Every setting of a node, in the order in which they are shown. */
export const settings: readonly Setting[] = [
  one('dataDir', 'dir', 'folder of the keys and of the data (default: the XDG data folder)'),
  one('http', 'host:port', 'address of the HTTP interface', '127.0.0.1:5851'),
  one('overlay', 'ip:port', 'address for other nodes', '127.0.0.1:5850'),
  one('admin', 'ip:port', 'loopback address of the metrics, or off', '127.0.0.1:5852'),
  several('bootstrap', 'multiaddr', 'nodes of the network to join (default: a new network)'),
  several('advertise', 'url', 'HTTP addresses for others to use (default: that of http)'),
  one(
    'onion',
    'mode',
    'be an onion service too: auto (if a Tor is found), on (or else do not start), off',
    'auto'
  ),
  one(
    'torControl',
    'address',
    'path or host:port of the control port of Tor (default: /run/tor/control, 127.0.0.1:9051)'
  ),
  one('maxBytes', 'n', 'most bytes to store, like 512MiB', '1GiB'),
  one(
    'maxValueBytes',
    'n',
    `greatest length of a value, up to ${maxConfigurableValueBytes}, the same in a whole network`,
    String(maxValueBytes)
  ),
  one('logLevel', 'level', 'silent, error, warn, info or debug', 'info')
]

/** The name of a setting on the command line, without its hyphens, and in the file: `max-bytes`. */
export function settingName({ name }: Pick<Setting, 'name'>): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The name of a setting in the environment: `HUSHLAMP_NODE_MAX_BYTES`. */
export function settingVariable(setting: Pick<Setting, 'name'>): string {
  return `HUSHLAMP_NODE_${settingName(setting).replaceAll('-', '_').toUpperCase()}`
}

/** What holds where nothing is set. */
export const defaultSettings: NodeSettings = Object.fromEntries(
  settings.flatMap(({ name, fallback }) => (fallback === undefined ? [] : [[name, fallback]]))
)

type Environment = Readonly<Record<string, string | undefined>>

/** The settings in the environment. Lists are separated by commas or white space; an empty text sets nothing. */
export function readEnvironment(environment: Environment): NodeSettings {
  return Object.fromEntries(
    settings.flatMap((setting) => {
      const text = environment[settingVariable(setting)]
      if (text === undefined || text === '') return []
      return [[setting.name, setting.list ? text.split(/[\s,]+/).filter(Boolean) : text]]
    })
  )
}

/** Settings of which the later ones win, where they are set. */
export function mergeSettings(...all: readonly NodeSettings[]): NodeSettings {
  const set = all.map((some) =>
    Object.fromEntries(Object.entries(some).filter(([, value]) => value !== undefined))
  )
  return set.reduce<NodeSettings>((merged, some) => ({ ...merged, ...some }), {})
}
