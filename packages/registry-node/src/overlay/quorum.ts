import { compareBytes } from '@hushlamp/shared'

/** How many of the closest nodes hold a key. */
export const replicas = 8

/** How many holders must have acknowledged a put: more than half of them. */
export const writeQuorum = 5

/** How many holders a get asks at least: every set of them meets every write quorum. */
export const readQuorum: number = replicas - writeQuorum + 1

/** A node that may hold a key. */
export interface Candidate {
  readonly id: string
  /** XOR of the hashes of node and key. */
  readonly distance: Uint8Array
  /** Whether this node has answered us before, or is ourselves: others are only hearsay. */
  readonly proven: boolean
  /** This node itself, which costs nothing to ask. */
  readonly local?: true
}

/** What an operation learns. */
export type QuorumEvent<Answer> =
  /** Begin with these candidates; `lost` are nodes that failed a short time ago. */
  | {
      readonly kind: 'start'
      readonly candidates: readonly Candidate[]
      readonly lost: readonly Candidate[]
    }
  /** A node answered and named the closest nodes that it knows. */
  | {
      readonly kind: 'answered'
      readonly id: string
      readonly answer: Answer
      readonly closer: readonly Candidate[]
    }
  /** A node gave no answer, or one that is not worth anything. */
  | { readonly kind: 'failed'; readonly id: string }
  /** A node takes longer than usual: go on without waiting for it. */
  | { readonly kind: 'slow'; readonly id: string }
  /** The time for the whole operation is over. */
  | { readonly kind: 'deadline' }

/** What an operation wants. */
export type QuorumEffect<Answer> =
  | { readonly kind: 'ask'; readonly id: string }
  /** Once per operation. A put goes on asking behind it, so that all holders get the row. */
  | { readonly kind: 'done'; readonly outcome: QuorumOutcome<Answer> }

/** How an operation ended. */
export interface QuorumOutcome<Answer> {
  /** All answers, from the closest node to the farthest. */
  readonly answers: readonly Answer[]
  /** How many holders there should be: those that are alive and those known that failed, at most {@link replicas}. */
  readonly holders: number
}

/** When an operation has enough. */
export interface QuorumPolicy<Answer> {
  /**
   * How many of the closest nodes are to be asked, those that failed or are slow not counted.
   *
   * @param answers - of the closest nodes so far
   */
  width(answers: readonly Answer[]): number
  /**
   * Decides after each answer.
   *
   * @param answers - of the closest nodes
   * @param alive - how many of the closest nodes may be expected to answer, these included; at most {@link replicas}
   */
  enough(answers: readonly Answer[], alive: number): boolean
  /** Whether to ask on when it has enough, as puts do. */
  readonly persist: boolean
}

type State<Answer> =
  | { kind: 'new' | 'asked' | 'slow' | 'failed' }
  | { kind: 'answered'; answer: Answer }

interface Entry<Answer> {
  readonly candidate: Candidate
  state: State<Answer>
}

/** Named nodes cost memory and requests: no answer can make an operation spend more than this. */
const maxCandidates = 128
const maxAsked = 3 * replicas

/**
 * One operation on one key, as a pure state machine: asks the closest nodes of the own table, lets every answer correct
 * the set, goes on to the next nodes past those that fail or are slow, and knows when it has enough. An operation that
 * does not get enough ends when nobody is left to wait for.
 */
export class QuorumMachine<Answer> {
  readonly #policy: QuorumPolicy<Answer>
  readonly #entries = new Map<string, Entry<Answer>>()
  /** The same, from the closest to the farthest. */
  readonly #sorted: Entry<Answer>[] = []
  #asked = 0
  #done = false
  #over = false

  constructor(policy: QuorumPolicy<Answer>) {
    this.#policy = policy
  }

  /** Takes one event and answers with what is to be done, in order. Events that make no sense are ignored. */
  step(event: QuorumEvent<Answer>): readonly QuorumEffect<Answer>[] {
    if (this.#over) return []
    switch (event.kind) {
      case 'start':
        this.#add(event.candidates)
        for (const candidate of event.lost) this.#insert(candidate, { kind: 'failed' })
        break
      case 'answered':
        if (!this.#settle(event.id, { kind: 'answered', answer: event.answer })) return []
        this.#add(event.closer.slice(0, replicas))
        break
      case 'failed':
      case 'slow':
        if (!this.#settle(event.id, { kind: event.kind })) return []
        break
      case 'deadline':
        this.#over = true
        return this.#done ? [] : [this.#finish()]
      default:
        return event satisfies never
    }
    return this.#proceed()
  }

  /** Whether nothing is left to be done or to be waited for. */
  get over(): boolean {
    return this.#over
  }

  #add(candidates: readonly Candidate[]): void {
    for (const candidate of candidates) {
      if (this.#entries.size >= maxCandidates) return
      this.#insert(candidate, { kind: 'new' })
    }
  }

  #insert(candidate: Candidate, state: State<Answer>): void {
    if (this.#entries.has(candidate.id)) return
    const entry: Entry<Answer> = { candidate, state }
    this.#entries.set(candidate.id, entry)
    const { distance } = candidate
    const after = this.#sorted.findIndex(
      (other) => compareBytes(other.candidate.distance, distance) > 0
    )
    this.#sorted.splice(after === -1 ? this.#sorted.length : after, 0, entry)
  }

  #settle(id: string, state: State<Answer>): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    const now = entry.state.kind
    const waiting = now === 'asked' || now === 'slow'
    if (!waiting || (state.kind === 'slow' && now === 'slow')) return false
    entry.state = state
    return true
  }

  #proceed(): readonly QuorumEffect<Answer>[] {
    const effects: QuorumEffect<Answer>[] = []
    const ring = this.#sorted
      .filter(({ state }) => state.kind !== 'failed' && state.kind !== 'slow')
      .slice(0, replicas)
    const answers = answersOf(ring)
    let missing = this.#policy.width(answers)
    for (const { state } of ring) if (state.kind !== 'new') missing--
    for (const entry of localFirst(ring)) {
      if (missing <= 0) break
      if (entry.state.kind !== 'new') continue
      if (this.#asked >= maxAsked) {
        entry.state = { kind: 'failed' }
        continue
      }
      this.#asked++
      missing--
      entry.state = { kind: 'asked' }
      effects.push({ kind: 'ask', id: entry.candidate.id })
    }
    const expected = this.#sorted.filter(
      ({ state, candidate }) =>
        state.kind === 'asked' ||
        state.kind === 'answered' ||
        (state.kind === 'slow' && candidate.proven)
    )
    const waiting = expected.some(({ state }) => state.kind !== 'answered')
    const enough = this.#policy.enough(answers, Math.min(replicas, expected.length))
    if (!this.#done && (enough || !waiting)) effects.push(this.#finish())
    if (!waiting || (this.#done && !this.#policy.persist)) this.#over = true
    return effects
  }

  #finish(): QuorumEffect<Answer> {
    this.#done = true
    const holders = this.#sorted.filter(
      ({ state, candidate }) => state.kind === 'answered' || candidate.proven
    )
    return {
      kind: 'done',
      outcome: { answers: answersOf(this.#sorted), holders: Math.min(replicas, holders.length) }
    }
  }
}

function localFirst<Answer>(ring: readonly Entry<Answer>[]): readonly Entry<Answer>[] {
  const local = ring.find(({ candidate }) => candidate.local)
  return local === undefined ? ring : [local, ...ring.filter((entry) => entry !== local)]
}

function answersOf<Answer>(entries: readonly Entry<Answer>[]): Answer[] {
  return entries.flatMap(({ state }) => (state.kind === 'answered' ? [state.answer] : []))
}
