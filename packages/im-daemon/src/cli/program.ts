import { readFileSync } from 'node:fs'

import { isHushlampError } from '@hushlamp/shared'
import { Command, CommanderError } from 'commander'

import { readEnv } from '../config.ts'
import type { DaemonSettings } from '../config.ts'
import { addContact, listContacts } from './contacts-command.ts'
import { initFolder, printCertificate } from './identity-commands.ts'
import { startDaemon } from './start-command.ts'

/** What the program ends with. */
const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

const examples = `
Examples:
  Make an identity, and a file for the people you want to talk to:
    $ hushlamp init --name "Alice Example"
    $ hushlamp certificate > alice.asc

  Take a friend's certificate, got from the friend in person or by a way you trust:
    $ hushlamp contacts add bob.asc --alias bob

  Go online with a Tor of its own, through one or more registry nodes:
    $ hushlamp start --registry http://registry.example:5851

  The same with a Tor that runs already:
    $ hushlamp start --registry http://registry.example:5851 \\
        --tor-control /run/tor/control --tor-socks /run/tor/socks

Then log in with any XMPP client on this computer; "start" prints address and password.

Every option can also be set in the environment: HUSHLAMP_DATA_DIR, HUSHLAMP_XMPP, HUSHLAMP_REGISTRY
and so on. Hushlamp reaches the outside through Tor only, asks no name server and logs nothing about
you or your contacts.`

const dataDirFlag = '--data-dir <dir>'
const dataDirHelp = 'folder of identity, contacts and messages (default: XDG data folder)'

/** Runs the command line and answers with the exit code: 0 for a clean end, 1 for a failure, 2 for wrong usage. */
export async function runCli(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return report(error)
  }
}

function program(): Command {
  const root = new Command('hushlamp')
    .description(
      'Instant messaging in which only your current contacts can learn that you are online.'
    )
    .version(programVersion())
    .exitOverride()
    .addHelpText('after', examples)
  root
    .command('init')
    .description('make an identity')
    .option(dataDirFlag, dataDirHelp)
    .option('--name <name>', 'name in your certificate, seen by your contacts', '')
    .option('--account <name>', 'your own XMPP address will be NAME@localhost', 'me')
    .option('--json', 'print one line of JSON')
    .action(async (options: { name: string; account: string } & Common) => {
      await initFolder(withEnvironment(options), options)
    })
  root
    .command('certificate')
    .description('print your certificate, for those who are to become your contacts')
    .option(dataDirFlag, dataDirHelp)
    .action(async (options: Common) => {
      await printCertificate(withEnvironment(options))
    })
  addContactsCommand(root)
  root
    .command('start')
    .description('go online and let XMPP clients log in, until SIGINT or SIGTERM')
    .option(dataDirFlag, dataDirHelp)
    .option(
      '--xmpp <host:port>',
      'where XMPP clients log in; PORT 0: any free one (default: 127.0.0.1:5222)'
    )
    .option(
      '--tor-control <path|ip:port>',
      'control port of a Tor that runs already (default: start one)'
    )
    .option('--tor-socks <path|ip:port>', 'its SOCKS port (default: the one it tells of)')
    .option('--registry <url...>', 'registry nodes, http://HOST:PORT, reached through Tor')
    .option('--timings', 'print how long each step took, without saying with whom')
    .option('--json', 'print reports as lines of JSON')
    .action(async (options: { timings?: boolean } & DaemonSettings & Common) => {
      await startDaemon(withEnvironment(options), {
        version: programVersion(),
        json: options.json === true,
        timings: options.timings === true
      })
    })
  return root
}

interface Common extends DaemonSettings {
  readonly json?: boolean
}

function addContactsCommand(root: Command): void {
  const contacts = root.command('contacts').description('list or add contacts while not online')
  contacts
    .command('list', { isDefault: true })
    .description('list contacts with their fingerprints')
    .option(dataDirFlag, dataDirHelp)
    .option('--json', 'print one line of JSON')
    .action(async (options: Common) => {
      await listContacts(withEnvironment(options), { json: options.json === true })
    })
  contacts
    .command('add <certificate-file>')
    .description("accept a friend's certificate; the friend has to accept yours as well")
    .option(dataDirFlag, dataDirHelp)
    .option('--alias <alias>', 'how you call the contact (default: made of the name)')
    .option('--json', 'print one line of JSON')
    .action(async (file: string, options: { alias?: string } & Common) => {
      await addContact(withEnvironment(options), file, {
        json: options.json === true,
        ...(options.alias === undefined ? {} : { alias: options.alias })
      })
    })
}

/** Flags go before the environment. */
function withEnvironment(options: DaemonSettings): DaemonSettings {
  return { ...readEnv(process.env), ...options }
}

function report(error: unknown): number {
  if (isHushlampError(error)) {
    process.stderr.write(`hushlamp: ${error.message} [${error.code}]\n`)
    return error.code === 'config-invalid' ? exitCodes.usage : exitCodes.failed
  }
  const kind = error instanceof Error ? error.name : 'unknown'
  process.stderr.write(`hushlamp: an error that should not happen: ${kind}\n`)
  return exitCodes.failed
}

function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const manifest: unknown = JSON.parse(text)
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isManifest ? String(manifest.version) : 'unknown'
}
