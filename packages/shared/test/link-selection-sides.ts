import { LinkSelection } from '@hushlamp/shared'
import type { LinkEnd } from '@hushlamp/shared'

/** The two sides of a pair; `decider` has the lower fingerprint. */
export type Side = 'decider' | 'follower'

type End = 'absent' | 'pending' | 'open' | 'closed'

interface Link {
  readonly initiator: Side
  readonly ends: Record<Side, End>
  readonly begunAtMs: Record<Side, number>
  /** What is on its way to each side, in order. */
  readonly inbox: Record<Side, Message[]>
}

type Message = 'message-1' | 'message-2' | 'confirmation' | 'closed' | 'bye'

/** One thing that the surroundings do. `pick` chooses among the links it can happen to. */
export type Move =
  | { readonly type: 'dial' | 'crash' | 'log-out'; readonly side: Side }
  | { readonly type: 'deliver' | 'lose' | 'break'; readonly pick: number }

const other: Readonly<Record<Side, Side>> = { decider: 'follower', follower: 'decider' }
const sides: readonly Side[] = ['decider', 'follower']

/**
 * Two sides that select links, and the network between them: every link is a handshake of three messages on streams
 * that keep their order, though not among each other. Each side's clock starts elsewhere.
 */
export class TwoSides {
  readonly #links: Link[] = []
  readonly #selections: Record<Side, LinkSelection<Link>> = newSelections()
  #moments = 0
  /** What each side was told, for finding out whether a contact seemed to be away in between. */
  readonly gone: Record<Side, LinkEnd[]> = { decider: [], follower: [] }
  /** Of how many links each side has made use. */
  readonly used: Record<Side, number> = { decider: 0, follower: 0 }

  move(move: Move): void {
    this.#moments++
    switch (move.type) {
      case 'dial':
        this.#dial(move.side)
        break
      case 'crash':
        this.#crash(move.side)
        break
      case 'log-out':
        this.#logOut(move.side)
        break
      case 'deliver':
        this.#onOneWithMessages(move.pick, (link, side) => this.#deliver(link, side))
        break
      case 'lose':
        // A stream never leaves out the middle: who loses one message loses all that follow.
        this.#onOneWithMessages(move.pick, (link, side) => link.inbox[side].splice(0))
        break
      case 'break': {
        const link = this.#links[move.pick % Math.max(1, this.#links.length)]
        if (link) for (const side of sides) this.#endedHere(link, side, 'disconnected')
      }
    }
  }

  /** Everything on its way arrives; whoever waits in vain then takes its link for dead, as silence has it. */
  settle(): void {
    for (;;) {
      this.#moments++
      const waiting = this.#withMessages()[0]
      if (waiting) {
        this.#deliver(waiting.link, waiting.side)
        continue
      }
      const stale = this.#links
        .flatMap((link) => sides.map((side) => ({ link, side })))
        .find(
          ({ link, side }) =>
            (link.ends[side] === 'open' || link.ends[side] === 'pending') &&
            link.ends[other[side]] !== 'open'
        )
      if (!stale) return
      this.#endedHere(stale.link, stale.side, 'silence')
    }
  }

  /** Numbers of the links that each side uses, and of those that are open on any side. */
  get state(): {
    readonly decider: number | undefined
    readonly follower: number | undefined
    readonly open: readonly number[]
  } {
    const number = (side: Side): number | undefined => {
      const { inUse } = this.#selections[side]
      return inUse && this.#links.indexOf(inUse)
    }
    const open = this.#links
      .filter((link) => sides.some((side) => link.ends[side] === 'open'))
      .map((link) => this.#links.indexOf(link))
    return { decider: number('decider'), follower: number('follower'), open }
  }

  /** Open links that a side keeps. */
  openAt(side: Side): number {
    return this.#links.filter((link) => link.ends[side] === 'open').length
  }

  /** A side dials only while it has no link and no attempt of its own under way, as the client does. */
  #dial(side: Side): void {
    const busy = this.#links.some(
      (link) => link.initiator === side && link.ends[side] === 'pending'
    )
    if (busy || this.#selections[side].inUse !== undefined) return
    const link: Link = {
      initiator: side,
      ends: { decider: 'absent', follower: 'absent' },
      begunAtMs: { decider: 0, follower: 0 },
      inbox: { decider: [], follower: [] }
    }
    this.#links.push(link)
    this.#begin(link, side)
    link.inbox[other[side]].push('message-1')
  }

  #begin(link: Link, side: Side): void {
    link.ends[side] = 'pending'
    link.begunAtMs[side] = this.#nowMs(side)
  }

  #deliver(link: Link, side: Side): void {
    const message = link.inbox[side].shift()
    if (message === undefined) return
    if (message === 'message-1') {
      if (link.ends[side] !== 'absent') return
      this.#begin(link, side)
      link.inbox[other[side]].push('message-2')
      return
    }
    if (message === 'closed' || message === 'bye') {
      this.#endedHere(link, side, message === 'bye' ? 'peer-bye' : 'disconnected')
      return
    }
    if (link.ends[side] !== 'pending') return
    link.ends[side] = 'open'
    if (message === 'message-2') link.inbox[other[side]].push('confirmation')
    this.#step(side, {
      type: 'established',
      link,
      outgoing: link.initiator === side,
      begunAtMs: link.begunAtMs[side]
    })
  }

  #step(side: Side, event: Parameters<LinkSelection<Link>['step']>[0]): void {
    for (const effect of this.#selections[side].step(event, this.#nowMs(side))) {
      if (effect.type === 'drop') this.#endedHere(effect.link, side, 'disconnected')
      if (effect.type === 'gone') this.gone[side].push(effect.reason)
      if (effect.type === 'use') this.used[side]++
    }
  }

  #endedHere(link: Link, side: Side, reason: LinkEnd): void {
    const end = link.ends[side]
    if (end === 'closed' || end === 'absent') return
    link.ends[side] = 'closed'
    link.inbox[side] = []
    link.inbox[other[side]].push('closed')
    if (end === 'open') this.#step(side, { type: 'ended', link, reason })
  }

  /** Everything the side knew is lost; the peer is told, or not if that message is lost too. */
  #crash(side: Side): void {
    this.#forgetAll(side, 'closed')
  }

  #logOut(side: Side): void {
    this.#forgetAll(side, 'bye')
  }

  #forgetAll(side: Side, last: Message): void {
    this.#selections[side] = newSelections()[side]
    for (const link of this.#links) {
      if (link.ends[side] === 'closed') continue
      // A stream that had not arrived yet finds nobody.
      link.ends[side] = 'closed'
      link.inbox[side] = []
      link.inbox[other[side]].push(last)
    }
  }

  #withMessages(): readonly { readonly link: Link; readonly side: Side }[] {
    return this.#links.flatMap((link) =>
      sides.filter((side) => link.inbox[side].length > 0).map((side) => ({ link, side }))
    )
  }

  #onOneWithMessages(pick: number, act: (link: Link, side: Side) => void): void {
    const waiting = this.#withMessages()
    const chosen = waiting[pick % Math.max(1, waiting.length)]
    if (chosen) act(chosen.link, chosen.side)
  }

  #nowMs(side: Side): number {
    return this.#moments + (side === 'decider' ? 1_000_000 : 0)
  }
}

function newSelections(): Record<Side, LinkSelection<Link>> {
  return {
    decider: new LinkSelection<Link>({ decides: true }),
    follower: new LinkSelection<Link>({ decides: false })
  }
}
