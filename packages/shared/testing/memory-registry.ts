import {
  checkGet,
  checkPut,
  checkRemove,
  defaultLimits,
  hasRoom,
  hex,
  HushlampError,
  isLive,
  mergeRow,
  mergeRows,
  pageOf,
  resultCode,
  rowFromPut,
  rowFromRemove,
  rowPosition
} from '../src/index.ts'
import type {
  AbortOptions,
  Clock,
  GetRequest,
  GetResult,
  PutRequest,
  Registry,
  RegistryLimits,
  RegistryRow,
  RemoveRequest,
  ResultCode
} from '../src/index.ts'

/** The registry as simply as it can be: for tests, and the measure of every other implementation. */
export class MemoryRegistry implements Registry {
  readonly #clock: Clock
  readonly #limits: RegistryLimits
  readonly #keys = new Map<string, Map<string, RegistryRow>>()

  constructor(components: { clock: Clock }, init: { limits?: RegistryLimits } = {}) {
    this.#clock = components.clock
    this.#limits = init.limits ?? defaultLimits
  }

  async put(request: PutRequest, options?: AbortOptions): Promise<ResultCode> {
    throwIfAborted(options)
    checkPut(request, this.#limits)
    return this.#apply(request.key, rowFromPut(request, this.#clock.unixSeconds()))
  }

  async get(request: GetRequest, options?: AbortOptions): Promise<GetResult> {
    throwIfAborted(options)
    checkGet(request)
    const now = this.#clock.unixSeconds()
    const rows = this.#keys.get(hex(request.key))?.values() ?? []
    return pageOf(mergeRows([rows], now), request, now)
  }

  async remove(request: RemoveRequest, options?: AbortOptions): Promise<ResultCode> {
    throwIfAborted(options)
    checkRemove(request)
    return this.#apply(request.key, rowFromRemove(request, this.#clock.unixSeconds()))
  }

  /** How many keys hold anything that has not expired. */
  get size(): number {
    const now = this.#clock.unixSeconds()
    return [...this.#keys.values()].filter((rows) =>
      [...rows.values()].some((row) => isLive(row, now))
    ).length
  }

  #apply(key: Uint8Array, incoming: RegistryRow): ResultCode {
    const now = this.#clock.unixSeconds()
    const name = hex(key)
    const rows = this.#keys.get(name) ?? new Map<string, RegistryRow>()
    for (const [position, row] of rows) {
      if (!isLive(row, now)) rows.delete(position)
    }
    const position = hex(rowPosition(incoming))
    const existing = rows.get(position)
    if (existing === undefined && !hasRoom(rows.values(), incoming, now)) {
      return resultCode.overCapacity
    }
    const merged = mergeRow(existing, incoming, now)
    if (merged !== undefined) rows.set(position, merged)
    this.#keys.set(name, rows)
    return resultCode.ok
  }
}

function throwIfAborted(options?: AbortOptions): void {
  if (options?.signal?.aborted === true) {
    throw new HushlampError('aborted', undefined, { cause: options.signal.reason })
  }
}
