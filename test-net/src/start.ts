import { once } from 'node:events'
import { createServer } from 'node:net'

import { consoleProgress } from './console-progress.ts'
import { aborted } from './stop-signals.ts'
import { TestNet } from './test-net.ts'
import type { TestUser } from './users/test-user.ts'

/** Where users would look for an XMPP server first, and beside it. */
const preferredPorts = [5222, 5223]

/** `npm start`: a whole Hushlamp network on this computer, until Ctrl-C. */
export async function start(options: {
  readonly json: boolean
  readonly signal: AbortSignal
}): Promise<void> {
  const { signal, json } = options
  const begun = performance.now()
  const onProgress = consoleProgress(begun)
  const xmpp = await xmppAddresses()
  await using net = await TestNet.create({ nodes: 3, xmpp, signal, onProgress })
  onProgress({ phase: 'online', text: 'Publishing the onion services of the users' })
  await Promise.all(net.users.map((user) => user.online({ signal })))
  const seconds = (performance.now() - begun) / 1000
  process.stdout.write(json ? `${jsonLine(net, seconds)}\n` : welcome(net, seconds))
  await aborted(signal)
  process.stderr.write('\nStopping …\n')
}

/** The usual port for the first user if nobody has it, the next for the second, else any. */
async function xmppAddresses(): Promise<readonly string[]> {
  const free = await Promise.all(preferredPorts.map(isFree))
  return preferredPorts.map((port, index) => `127.0.0.1:${free[index] === true ? port : 0}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    // Somebody else has it, whoever that is.
    return false
  } finally {
    server.close()
  }
}

function welcome(net: TestNet, seconds: number): string {
  return [
    '',
    `Ready after ${seconds.toFixed(1)} s: a private Tor network, ${net.nodes.length} registry nodes, ${net.users.length} users.`,
    '',
    'Log in as either user with any XMPP client on this computer, or with two of them:',
    '',
    ...net.users.flatMap(loginLines),
    'The two are each other’s contacts: log in as both, and each sees the other come online.',
    'Press Ctrl-C to stop; nothing is left behind.',
    ''
  ].join('\n')
}

function loginLines({ jid, password, xmpp, certificatePath }: TestUser): readonly string[] {
  return [
    `  ${jid}`,
    `    password     ${password}`,
    `    server       ${xmpp.host}, port ${xmpp.port}`,
    `    certificate  ${certificatePath}`,
    `    for example  profanity: /connect ${jid} server ${xmpp.host} port ${xmpp.port} tls trust`,
    ''
  ]
}

function jsonLine(net: TestNet, seconds: number): string {
  const users = net.users.map(({ jid, password, xmpp, certificatePath }) => ({
    jid,
    password,
    ...xmpp,
    certificatePath
  }))
  return JSON.stringify({ ready: true, seconds, nodes: net.nodes.map(({ http }) => http), users })
}
