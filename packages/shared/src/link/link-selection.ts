import type { Machine } from '../ports.ts'
import type { LinkEnd } from './link-machine.ts'

/** More links with one contact at a time than this make the oldest give way. */
export const maxLinksPerContact = 3

/** What happens to the links with one contact. `L` names a link; the machine hands it back, it never looks into it. */
export type LinkSelectionEvent<L> =
  | {
      readonly type: 'established'
      readonly link: L
      /** Whether we began it. */
      readonly outgoing: boolean
      /** Monotonic milliseconds at which its handshake began here. */
      readonly begunAtMs: number
    }
  | { readonly type: 'ended'; readonly link: L; readonly reason: LinkEnd }

/** What is to be done, in order. */
export type LinkSelectionEffect<L> =
  /** From now on the contact is spoken to over this link. */
  | { readonly type: 'use'; readonly link: L }
  /** The link is to be closed without a word: another one has taken its place. Its end need not be reported. */
  | { readonly type: 'drop'; readonly link: L }
  /** No link is left: the contact has logged out (`peer-bye`), or the last link broke. */
  | { readonly type: 'gone'; readonly reason: LinkEnd }

interface Established<L> {
  readonly link: L
  readonly outgoing: boolean
  readonly begunAtMs: number
  readonly establishedAtMs: number
}

/**
 * Which of several established links with one contact stays. The side with the lower fingerprint decides, and it alone:
 * if both sides decided, each could drop the link that the other one keeps. The other side uses the newest that it has and
 * waits for those that were not chosen to be dropped. `now` is monotonic milliseconds.
 */
export class LinkSelection<L> implements Machine<LinkSelectionEvent<L>, LinkSelectionEffect<L>> {
  readonly #decides: boolean
  /** In the order in which they were established; the last is in use. */
  #links: readonly Established<L>[] = []

  constructor(init: {
    /** Whether our fingerprint is the lower one. */
    readonly decides: boolean
  }) {
    this.#decides = init.decides
  }

  /** The link over which the contact is spoken to; undefined where there is none. */
  get inUse(): L | undefined {
    return this.#links.at(-1)?.link
  }

  step(event: LinkSelectionEvent<L>, nowMs: number): readonly LinkSelectionEffect<L>[] {
    if (event.type === 'ended') return this.#end(event.link, event.reason)
    const { link, outgoing, begunAtMs } = event
    return this.#add({ link, outgoing, begunAtMs, establishedAtMs: nowMs })
  }

  #add(added: Established<L>): readonly LinkSelectionEffect<L>[] {
    const current = this.#links.at(-1)
    if (this.#decides && current && !choosesNew(current, added))
      return [{ type: 'drop', link: added.link }]
    const kept = this.#decides ? [] : this.#links.slice(1 - maxLinksPerContact)
    const dropped = this.#links.slice(0, this.#links.length - kept.length)
    this.#links = [...kept, added]
    return [...drops(dropped), { type: 'use', link: added.link }]
  }

  #end(link: L, reason: LinkEnd): readonly LinkSelectionEffect<L>[] {
    const ended = this.#links.find((each) => each.link === link)
    if (!ended) return []
    const others = this.#links.filter((each) => each !== ended)
    const left = reason === 'peer-bye' ? others.filter((each) => follows(ended, each)) : others
    const before = this.inUse
    this.#links = left
    const dropped = drops(others.filter((each) => !left.includes(each)))
    const next = this.inUse
    if (next === undefined) return [{ type: 'gone', reason }, ...dropped]
    return next === before ? dropped : [{ type: 'use', link: next }, ...dropped]
  }
}

/**
 * In the eyes of the deciding side: if the handshakes overlapped, the link that it has begun itself stays; otherwise the
 * newer one, because a peer that comes back after a crash knows nothing of the old.
 */
function choosesNew<L>(current: Established<L>, added: Established<L>): boolean {
  return follows(current, added) || current.outgoing === added.outgoing || added.outgoing
}

/**
 * Whether `later` was begun only when `earlier` was established. Nobody dials while linked, so the one who did had lost
 * or left the earlier link: a logout that arrives late on it belongs to a former life and does not concern the later.
 */
function follows<L>(earlier: Established<L>, later: Established<L>): boolean {
  return later.begunAtMs > earlier.establishedAtMs
}

function drops<L>(links: readonly Established<L>[]): readonly LinkSelectionEffect<L>[] {
  return links.map(({ link }) => ({ type: 'drop', link }))
}
