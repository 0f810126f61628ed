/** A time of a row in ms since 1970; null where there is none, or it is none. */
export function timeOf(text: string | null | undefined): number | null {
  const time = text ? Date.parse(text) : NaN
  return Number.isNaN(time) ? null : time
}

/**
 * A duration for people: `340 ms`, `4.2 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`.
 * @param ms - below 0 counts as 0.
 */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms))
  if (whole < 1000) return `${whole} ms`
  if (whole < 9_950) return `${(whole / 1000).toFixed(1)} s`
  const seconds = Math.round(whole / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${twoDigits(minutes % 60)} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/**
 * For how long something has been running, for people.
 * @param ms - by two clocks, so that it may be below 0.
 */
export function runningText(ms: number): string {
  return ms < 1000 ? 'just started' : formatDuration(ms)
}

const twoDigits = (value: number) => String(value).padStart(2, '0')
