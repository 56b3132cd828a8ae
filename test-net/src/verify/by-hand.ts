/**
 * Starts both programs as people do who have read `--help`: every folder and address named, a Tor and a node of the user's
 * choice. Prints what held, line by line, and fails at the first thing that does not.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { TorProcess } from '@hushlamp/client'
import type { LocalAddress } from '@hushlamp/client'

import { hushlamp, hushlampNode } from '../programs-of-ours.ts'
import { SupervisedProcess, runToEnd } from '../supervised-process.ts'
import { PrivateTorNetwork } from '../tor-network/private-tor-network.ts'
import { freePorts } from '../tor-network/free-ports.ts'

const address = (where: LocalAddress): string =>
  'path' in where ? where.path : `${where.host}:${where.port}`

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function status(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

async function byHand(): Promise<void> {
  await using resources = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-by-hand-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const network = resources.use(await PrivateTorNetwork.create())
  const torFolder = join(directory, 'tor')
  await network.seedClient(torFolder)
  const { binary } = network
  const torrc = network.clientTorrc()
  const tor = resources.use(await TorProcess.start({}, { dataDirectory: torFolder, binary, torrc }))

  const [http = 0, overlay = 0, xmpp = 0] = await freePorts(3, '127.0.0.1')
  const registry = `http://127.0.0.1:${http}`
  const nodeFlags = {
    '--data-dir': join(directory, 'node'),
    '--http': `127.0.0.1:${http}`,
    '--overlay': `127.0.0.1:${overlay}`,
    '--admin': 'off'
  }
  const nodeCommand = hushlampNode(
    'start',
    '--json',
    '--no-onion',
    ...Object.entries(nodeFlags).flat()
  )
  await using node = new SupervisedProcess({ label: 'hushlamp-node', command: nodeCommand })
  await node.report(({ ready }) => ready === true)
  const ready = await status(`${registry}/readyz`)
  if (ready !== 200) throw new Error(`/readyz of the node answers ${ready}`)
  say(`hushlamp-node runs on the addresses it was given; /readyz answers ${ready}`)

  const me = join(directory, 'me')
  await runToEnd('hushlamp init', hushlamp('init', '--data-dir', me, '--name', 'By Hand'))
  const daemonFlags = {
    '--data-dir': me,
    '--xmpp': `127.0.0.1:${xmpp}`,
    '--tor-control': address(tor.controlAddress),
    '--tor-socks': address(tor.socks),
    '--registry': registry
  }
  const command = hushlamp('start', '--json', ...Object.entries(daemonFlags).flat())
  await using daemon = new SupervisedProcess({ label: 'hushlamp', command })
  const report = await daemon.report((each) => each['ready'] === true)
  await daemon.report(({ state }) => state === 'online')
  say(`hushlamp takes XMPP clients at ${String(report['xmpp'])} and is online`)
  for (const program of [daemon, node]) await program.stop()
  say('both ended on SIGTERM')
}

await byHand()
