import { LinkMachine, concat, derivePairKeys, epochAt } from '@hushlamp/shared'
import type {
  EpochKeys,
  Identity,
  LinkEffect,
  LinkEvent,
  Payload,
  PublicIdentity
} from '@hushlamp/shared'
import { seededRandom, testIdentity, testSecret } from '@hushlamp/shared/test-inputs'

/** Both ends of a link. */
export interface LinkEnds {
  readonly initiator: LinkMachine<string>
  readonly responder: LinkMachine<string>
}

/** What a step answered. */
export type Effects = readonly LinkEffect<string>[]

export const alice: Identity = testIdentity('alice')
export const bob: Identity = testIdentity('bob')
export const onionKey: Uint8Array = testSecret('onion')
const random = seededRandom('link')
const greeting = (): Payload => ({ kind: 'presence', available: true })

/** Keys of the direction responder → initiator, as the responder derives them. */
export function keysFor(responder: Identity, initiator: PublicIdentity, epochShift = 0): EpochKeys {
  const pair = derivePairKeys(responder, initiator, 'own-to-peer')
  if (!pair) throw new Error('unusable test key')
  return pair.epochKeys(epochAt(1_800_000_000, pair.offsetSeconds) + epochShift)
}

/** Alice dials Bob: both ends before anything has arrived. */
export function linkPair(options: { readonly known?: boolean } = {}): {
  readonly initiator: LinkMachine<string>
  readonly responder: LinkMachine<string>
  readonly firstBytes: Uint8Array
} {
  const keys = keysFor(bob, alice)
  const started = LinkMachine.initiate(
    { random },
    { own: alice, onionKey, candidate: { contact: 'bob', peer: bob, keys }, greeting },
    0
  )
  const candidates = options.known === false ? [] : [{ contact: 'alice', peer: alice, keys }]
  const responder = LinkMachine.respond(
    { random },
    { own: bob, onionKey, candidates: () => candidates, greeting },
    0
  )
  if (!started) throw new Error('unusable test key')
  return { initiator: started.machine, responder, firstBytes: started.firstBytes }
}

/** The event that bytes have arrived. */
export const received = (bytes: Uint8Array): LinkEvent => ({ type: 'received', bytes })
/** All bytes that a step wrote. */
export const written = (effects: Effects): Uint8Array =>
  concat(...effects.flatMap((effect) => (effect.type === 'write' ? [effect.bytes] : [])))
/** The kinds of what a step did. */
export const types = (effects: Effects): string[] => effects.map((effect) => effect.type)

/** An established link. */
export function open(): LinkEnds {
  const { initiator, responder, firstBytes } = linkPair()
  const answer = responder.step(received(firstBytes), 0)
  const confirmation = initiator.step(received(written(answer)), 0)
  const opened = responder.step(received(written(confirmation)), 0)
  initiator.step(received(written(opened)), 0)
  return { initiator, responder }
}

/** The bytes with one bit of one byte changed. */
export function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const copy = bytes.slice()
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}
