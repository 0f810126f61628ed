/** The areas that are checked. */
export type Check =
  | 'reachable'
  | 'key'
  | 'exposed'
  | 'installed'
  | 'version'
  | 'functions'
  | 'flows'
  | 'sending'
  | 'owner'
  | 'partition'
  | 'rows'
  | 'clock'
  | 'realtime'
  | 'problems'
  | 'database'

/** The result of one check. */
export interface Finding {
  check: Check
  /** `skipped` is a check that was not possible with the given options. */
  status: 'ok' | 'warning' | 'error' | 'skipped'
  /** A stable name of the problem; null if there is none. */
  cause: string | null
  message: string
  /** What to do about it. */
  fix: string | null
}

/** All is well with this. */
export function ok(check: Check, message: string): Finding {
  return { check, status: 'ok', cause: null, message, fix: null }
}

/** Something that keeps the project from working. */
export function error(check: Check, cause: string, message: string, fix: string): Finding {
  return { check, status: 'error', cause, message, fix }
}

/** Something that works, and not as well as it could. */
export function warning(check: Check, cause: string, message: string, fix: string): Finding {
  return { check, status: 'warning', cause, message, fix }
}

/** A check that needs more options than were given. */
export function skipped(check: Check, cause: string, message: string, fix: string): Finding {
  return { check, status: 'skipped', cause, message, fix }
}

const marks = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ', skipped: 'skipped' }

/** The findings as text for people. */
export function toText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, status, message, fix }) => [
    `${marks[status]}  ${check.padEnd(9)}  ${oneLine(message)}`,
    ...(fix === null ? [] : [`${' '.repeat(20)}Fix: ${oneLine(fix)}`]),
  ])
  return [...lines, '', summaryOf(findings)].join('\n')
}

/** Removes control characters of a response, which could act on the terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 1000)
}

/** The findings for programs. */
export function toJson(findings: readonly Finding[]): string {
  const ok = isWell(findings)
  return JSON.stringify({ ok, ...countsOf(findings), findings }, null, 2)
}

/** Whether nothing keeps the project from working. */
export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'error')
}

function countsOf(findings: readonly Finding[]) {
  const count = (wanted: Finding['status']) =>
    findings.filter(({ status }) => status === wanted).length
  return { errors: count('error'), warnings: count('warning'), skipped: count('skipped') }
}

function summaryOf(findings: readonly Finding[]): string {
  const { errors, warnings, skipped: left } = countsOf(findings)
  const parts = [
    errors > 0 && `${errors} ${errors === 1 ? 'error' : 'errors'}`,
    warnings > 0 && `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    left > 0 && `${left} not looked at`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? 'All is well.' : `${parts.join(', ')}.`
}
