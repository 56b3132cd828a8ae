import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { OnProgress } from '@hushlamp/client'

import { resolvePrograms } from '../programs.ts'
import { NetworkNamespace } from '../sandbox/network-namespace.ts'
import type { Report, SupervisedProcess } from '../supervised-process.ts'
import { TestNet } from '../test-net.ts'
import type { StageTime } from '../users/test-user.ts'
import { McabberClient } from './mcabber-client.ts'
import { startSlixmpp } from './slixmpp-client.ts'

/** What came of a {@link tellStory}. */
export interface StoryOutcome {
  readonly stages: readonly StageTime[]
  /** Whether daemons and clients ran in empty network namespaces, and how or why not. */
  readonly sandbox: string
  readonly sandboxed: boolean
}

/** How long each step of the story may take; Tor has bad moments. */
const stepMs = 45_000

/** How many messages make the round trip's figure. */
const pings = 5

/**
 * The whole story with real clients: Alice (slixmpp) and Bob (mcabber in tmux) log in, see each other come online, exchange
 * messages with receipts, and Alice sees Bob leave. Rejects at the first step that fails.
 */
export async function tellStory(options: {
  readonly onProgress: OnProgress
  readonly signal?: AbortSignal
}): Promise<StoryOutcome> {
  const { onProgress, signal } = options
  const abort = signal ? { signal } : {}
  const step = (text: string): void => {
    signal?.throwIfAborted()
    onProgress({ phase: 'story', text })
  }
  const availability = await NetworkNamespace.available()
  const programs = await resolvePrograms(['mcabber', 'tmux', 'python3-slixmpp'], {
    ...abort,
    onProgress
  })
  await using net = await TestNet.create({
    ...abort,
    onProgress,
    nodes: 3,
    sandboxed: availability.available
  })
  const [alice, bob] = [net.user('alice'), net.user('bob')]
  const stages: StageTime[] = [alice, bob].map(({ torBootstrapMs: ms }) => ({
    stage: 'tor-bootstrap',
    ms
  }))

  step('Alice logs in with slixmpp and sees Bob offline')
  await using slixmpp = startSlixmpp(alice, programs)
  const session = await slixmpp.report(isEvent('session'), { ...abort, deadlineMs: stepMs })
  expectThat(includes(session['contacts'], bob.jid), 'Bob is in Alice’s roster')
  expectThat(!isAvailable(slixmpp, bob.jid), 'Bob is offline before he logs in')

  step('Bob logs in with mcabber; each sees the other come online')
  const directory = await mkdtemp(join(tmpdir(), 'hushlamp-mcabber-'))
  await using cleanUp = new AsyncDisposableStack()
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }))
  const begun = performance.now()
  await using mcabber = await McabberClient.start(bob, programs, directory)
  await becomes(slixmpp, bob.jid, true)
  stages.push({ stage: 'first-contact', ms: performance.now() - begun })
  await mcabber.shows(/\[o\] alice@localhost/, stepMs)

  step('Alice writes to Bob and gets receipts')
  for (let ping = 1; ping <= pings; ping++) {
    const id = `ping-${ping}`
    const sent = performance.now()
    slixmpp.command({ do: 'send', to: bob.jid, body: `Hello Bob ${ping}`, id })
    await slixmpp.report((report) => isEvent('receipt')(report) && report['id'] === id, {
      ...abort,
      deadlineMs: stepMs
    })
    stages.push({ stage: 'message-round-trip', ms: performance.now() - sent })
    await mcabber.received(alice.jid, `Hello Bob ${ping}`, stepMs)
  }

  step('Bob writes to Alice, whose daemon is held up, and sees the receipt come once it goes on')
  await mcabber.open(alice.jid)
  alice.daemon.signal('SIGSTOP')
  await mcabber.say(alice.jid, 'Hello Alice')
  await mcabber.shows(/r-> Hello Alice/, stepMs)
  alice.daemon.signal('SIGCONT')
  await mcabber.shows(/--> Hello Alice/, stepMs)
  await slixmpp.report(
    (report) =>
      isEvent('message')(report) &&
      report['sender'] === bob.jid &&
      report['body'] === 'Hello Alice',
    { ...abort, deadlineMs: stepMs }
  )

  step('Bob leaves and Alice sees it')
  await mcabber.quit()
  await becomes(slixmpp, bob.jid, false)
  slixmpp.command({ do: 'quit' })
  await slixmpp.report(isEvent('disconnected'), { ...abort, deadlineMs: stepMs })

  stages.push(...alice.stages, ...bob.stages)
  return {
    stages,
    sandboxed: availability.available,
    sandbox: availability.available
      ? `Both daemons and both clients ran in empty network namespaces (made as ${availability.how}): nothing but unix sockets led out.`
      : `Not in network namespaces: ${availability.reason}`
  }
}

function isEvent(event: string): (report: Report) => boolean {
  return (report) => report['event'] === event
}

/** What the client was told last of a contact. */
function isAvailable(client: SupervisedProcess, jid: string): boolean {
  const last = client.reports.findLast((report) => isPresenceOf(report, jid))
  return last?.['available'] === true
}

async function becomes(client: SupervisedProcess, jid: string, available: boolean): Promise<void> {
  if (isAvailable(client, jid) === available) return
  const seen = client.reports.length
  await client.report(
    (report) =>
      client.reports.indexOf(report) >= seen &&
      isPresenceOf(report, jid) &&
      report['available'] === available,
    { deadlineMs: stepMs }
  )
}

function isPresenceOf(report: Report, jid: string): boolean {
  return report['event'] === 'presence' && report['sender'] === jid
}

function includes(list: unknown, item: string): boolean {
  return Array.isArray(list) && list.includes(item)
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}.`)
}
