import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { OnProgress } from '@hushlamp/client'
import { HushlampError } from '@hushlamp/shared'

import type { TorNode } from './tor-node.ts'
import { initialVotingSeconds } from './torrc.ts'

/** What a client needs in order to know the network without asking it first. */
export const seedFiles = [
  'cached-certs',
  'cached-microdesc-consensus',
  'cached-microdescs.new'
] as const

/** What {@link reachFirstConsensus} works with. */
export interface FirstConsensusInit {
  /** The relays, the authority first. */
  readonly nodes: readonly TorNode[]
  readonly onProgress: OnProgress
  /** Ends the waiting; the error then holds the end of the log of whoever was waited for. */
  readonly signal: AbortSignal
}

/**
 * Brings the relays to agree on a first consensus with all of them in it, and puts the files that clients start from
 * into the folder `into`.
 *
 * The vote is called when the authority knows every relay, not by the clock: a relay that is late would be missing from
 * a vote at a fixed time, and the next one is minutes away. Tor plans its votes anew when the offset is set.
 *
 * Errors: `tor-start-failed`.
 */
export async function reachFirstConsensus(init: FirstConsensusInit, into: string): Promise<void> {
  const { nodes, onProgress, signal } = init
  const [authority] = nodes
  if (authority === undefined) throw new HushlampError('config-invalid', 'A network needs relays.')
  const wait = new Wait(nodes, signal)

  const control = await authority.control({ signal })
  let descriptors = ''
  await wait.until('not all relays made themselves known', authority, async () => {
    const reply = await control.ok('GETINFO desc/all-recent', { signal })
    descriptors = reply.lines.join('\n')
    const known = descriptors.match(/^router /gm)?.length ?? 0
    const text = `${known} of ${nodes.length} relays are known`
    onProgress({ phase: 'relays', fraction: known / nodes.length, text })
    return known >= nodes.length
  })

  const guards = guardFingerprints(descriptors, authority.nickname).join(',')
  await control.ok(
    `SETCONF TestingDirAuthVoteGuard="${guards}" TestingDirAuthVoteGuardIsStrict=1`,
    { signal }
  )
  onProgress({ phase: 'vote', text: 'The authority votes on the consensus' })
  // Tor needs two seconds for the vote and two for its distribution; it cannot be told less.
  const offset = (Math.ceil(Date.now() / 1000) + 5) % initialVotingSeconds
  await control.ok(`SETCONF TestingV3AuthVotingStartOffset=${offset}`, { signal })
  await wait.until('no consensus came', authority, async () => {
    const consensus = await readText(authority, 'cached-microdesc-consensus')
    const listed = consensus.match(/^r /gm)?.length ?? 0
    if (listed > 0 && listed < nodes.length) {
      throw await authority.failure(`the consensus lists ${listed} of ${nodes.length} relays`)
    }
    return listed > 0
  })

  onProgress({ phase: 'directory', text: 'The relays read the consensus' })
  await wait.until('the descriptors of the relays are incomplete', authority, async () => {
    const texts = await Promise.all(seedFiles.map(async (name) => await readText(authority, name)))
    const described = texts.at(-1)?.match(/^onion-key$/gm)?.length ?? 0
    return texts.every((text) => text !== '') && described >= nodes.length
  })
  await mkdir(into, { recursive: true })
  for (const name of seedFiles) await copyFile(join(authority.directory, name), join(into, name))
}

/**
 * The relays that clients may enter by: all but the authority. It is the only one that has served anybody before the vote,
 * so the only one with a bandwidth above zero, and therefore the place where clients always meet: a client whose guard it is
 * could never build a rendezvous circuit.
 */
function guardFingerprints(descriptors: string, authority: string): readonly string[] {
  const entries = [...descriptors.matchAll(/^router (\S+) [^]*?^fingerprint ([0-9A-F ]+)$/gm)]
  return entries
    .filter(([, nickname]) => nickname !== authority)
    .map(([, , fingerprint = '']) => fingerprint.replaceAll(' ', ''))
}

/** Polls until something is the case, as long as all relays run. */
class Wait {
  readonly #nodes: readonly TorNode[]
  readonly #signal: AbortSignal

  constructor(nodes: readonly TorNode[], signal: AbortSignal) {
    this.#nodes = nodes
    this.#signal = signal
  }

  async until(otherwise: string, node: TorNode, isSo: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const ended = this.#nodes.find((one) => one.hasEnded)
      if (ended !== undefined) throw await ended.failure('it ended')
      try {
        if (await isSo()) return
        await sleep(100, undefined, { signal: this.#signal })
      } catch (error) {
        throw this.#signal.aborted ? await node.failure(otherwise, error) : error
      }
    }
  }
}

async function readText(node: TorNode, name: string): Promise<string> {
  return await readFile(join(node.directory, name), 'utf8').catch(() => '')
}
