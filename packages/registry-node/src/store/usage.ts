/** TTL classes, from the shortest to the longest. */
export const ttlClasses = ['hour', 'day', 'week'] as const

/**
 * In which class a row is reckoned, by the TTL that it asked for when it was admitted: `hour` up to one hour, `day` up to
 * one day, `week` beyond (seven days at most).
 */
export type TtlClass = (typeof ttlClasses)[number]

/** The class of a TTL. */
export function ttlClassOf(ttlSeconds: number): TtlClass {
  if (ttlSeconds <= 3600) return 'hour'
  return ttlSeconds <= 86_400 ? 'day' : 'week'
}

/** Rows, and the bytes that they take on disk before compression, index included. */
export interface RowCount {
  readonly rows: number
  readonly bytes: number
}

/** How much a store holds, expired rows that are not swept yet included. Removes count like puts. */
export interface StoreUsage extends RowCount {
  readonly byClass: Readonly<Record<TtlClass, RowCount>>
}

const nothing: RowCount = { rows: 0, bytes: 0 }

/** The usage of an empty store. */
export const noUsage: StoreUsage = {
  ...nothing,
  byClass: { hour: nothing, day: nothing, week: nothing }
}

/** The usage after `rows` rows of `bytes` bytes in all came to a class; negative numbers where they went. */
export function addUsage(
  usage: StoreUsage,
  ttlClass: TtlClass,
  { rows, bytes }: RowCount
): StoreUsage {
  const before = usage.byClass[ttlClass]
  const after = { rows: before.rows + rows, bytes: before.bytes + bytes }
  return {
    rows: usage.rows + rows,
    bytes: usage.bytes + bytes,
    byClass: { ...usage.byClass, [ttlClass]: after }
  }
}

/** The usage whose parts are the sums of those of two; of their differences with `sign` -1. */
export function sumUsage(a: StoreUsage, b: StoreUsage, sign: 1 | -1 = 1): StoreUsage {
  return ttlClasses.reduce((sum, ttlClass) => {
    const { rows, bytes } = b.byClass[ttlClass]
    return addUsage(sum, ttlClass, { rows: sign * rows, bytes: sign * bytes })
  }, a)
}

/** Whether two usages are the same. */
export function equalUsage(a: StoreUsage, b: StoreUsage): boolean {
  return ttlClasses.every((ttlClass) => {
    const [left, right] = [a.byClass[ttlClass], b.byClass[ttlClass]]
    return left.rows === right.rows && left.bytes === right.bytes
  })
}
