import { CliError } from '../errors.ts'

/**
 * The version of a migration that runs after all others: the later of now and one second past the
 * last one, as YYYYMMDDHHMMSS. What comes next in the order of Supabase's CLI is the last one's
 * number plus one where that is no such time.
 * @param last the name of the file that runs last so far
 * @throws CliError when nothing sorts after it
 */
export function nextStamp(now: number, last: string | undefined, suffix: string): string {
  const candidates = [stampOf(new Date(now))]
  const digits = last === undefined ? undefined : /^\d+/.exec(last)?.[0]
  if (digits !== undefined) {
    const time = timeOf(digits)
    if (time !== undefined) candidates.push(stampOf(new Date(time + 1000)))
    candidates.push(String(BigInt(digits) + 1n).padStart(digits.length, '0'))
  }
  const found = candidates.find((stamp) => isAfter(stamp, digits, `${stamp}${suffix}`, last))
  if (found !== undefined) return found
  throw new CliError(
    `No migration can come after ${last ?? ''}: Supabase's CLI runs them in the order of their names.`,
    'Give it a version like those that "supabase migration new" makes (YYYYMMDDHHMMSS), and run this again.',
  )
}

/** Both as a file name and as a version: Supabase sorts one here and the other there. */
function isAfter(stamp: string, digits = '', name: string, last = ''): boolean {
  return stamp > digits && name > last && !stamp.startsWith('-')
}

/** How long a file's version lies in the future, in ms: 0 where it does not, or is no time. */
export function aheadOf(file: string, now: number): number {
  const time = timeOf(/^\d+/.exec(file)?.[0] ?? '')
  return time === undefined ? 0 : Math.max(0, time - now)
}

function stampOf(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:T]/g, '')
}

/** The time of a stamp; undefined if it is another number. */
function timeOf(digits: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits)
  if (!parts) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1)
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(time) || stampOf(new Date(time)) !== digits) return undefined
  return time + 1000 <= Date.UTC(9999, 11, 31, 23, 59, 59) ? time : undefined
}
