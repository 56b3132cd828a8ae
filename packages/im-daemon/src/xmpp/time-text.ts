import type { UnixSeconds } from '@hushlamp/shared'

/** 9999-12-31T23:59:59Z: the last moment that ISO 8601 writes with four digits. */
const lastMoment = 253_402_300_799

/** A moment in UTC as XEP-0082 writes it, such as `2026-11-23T14:02:00Z`; undefined for a moment out of range. */
export function dateTime(at: UnixSeconds): string | undefined {
  if (!(at >= 0 && at <= lastMoment)) return undefined
  return new Date(Math.floor(at) * 1000).toISOString().replace('.000Z', 'Z')
}

/** The offset of a time zone as XEP-0082 writes it, such as `+01:00`. */
export function zoneOffset(minutes: number): string {
  const hours = Math.floor(Math.abs(minutes) / 60)
  const rest = Math.abs(minutes) % 60
  return `${minutes < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(rest)}`
}

/** Time of day as people read it, `14:02`, with the date in front unless it is the day of `now`. */
export function localTime(
  at: UnixSeconds,
  now: UnixSeconds,
  utcOffsetMinutes: (at: UnixSeconds) => number
): string | undefined {
  const local = dateTime(at + utcOffsetMinutes(at) * 60)
  const today = dateTime(now + utcOffsetMinutes(now) * 60)
  if (local === undefined) return undefined
  const time = local.slice(11, 16)
  return local.slice(0, 10) === today?.slice(0, 10) ? time : `${local.slice(0, 10)} ${time}`
}

function twoDigits(number: number): string {
  return String(Math.floor(number)).padStart(2, '0')
}
