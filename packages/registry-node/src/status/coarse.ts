/*
 * Figures for strangers. Whoever looks at exact ones again and again sees when a node is used, down to single requests;
 * coarse ones still tell an operator what he wants to know. Exact ones are for him alone, among the metrics.
 */

/** A number rounded up to two digits, and to whole steps of `step`. Nothing stays nothing. */
export function coarseCount(count: number, step: number): number {
  if (count <= 0) return 0
  const digit = 10 ** Math.max(Math.floor(Math.log10(count)) - 1, 0)
  const unit = Math.max(step, digit)
  return Math.ceil(count / unit) * unit
}

/** A rate per second rounded to tenths, from ten on to two digits. */
export function coarseRate(perSecond: number): number {
  return perSecond < 10 ? Math.round(perSecond * 10) / 10 : Number(perSecond.toPrecision(2))
}

/** A duration rounded to two digits. */
export function coarseSeconds(seconds: number): number {
  return Number(seconds.toPrecision(2))
}

/** How long a node has been up, rounded down: to ten minutes, from a day on to hours, from a month on to days. */
export function coarseUptime(seconds: number): number {
  const day = 86_400
  const unit = seconds < day ? 600 : seconds < 30 * day ? 3600 : day
  return Math.floor(seconds / unit) * unit
}
