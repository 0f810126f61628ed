/** What is looked at. */
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

/** What was found out about one thing. */
export interface Finding {
  check: Check
  /** `skipped` is what could not be looked at with what was given. */
  status: 'ok' | 'warning' | 'error' | 'skipped'
  /** A stable name of what is wrong; null when nothing is. */
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

/** Something that needs more than what was given. */
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

/** Control characters that came with an answer would do things to the terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is taken out
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
