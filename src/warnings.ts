import type { PgflowError, PgflowErrorCode } from './errors.ts'

/**
 * Failures that only the developer can fix. Others may pass, and are shown in the run's connection.
 */
const ofTheProject = new Set<PgflowErrorCode>([
  'schema_not_exposed',
  'not_migrated',
  'not_granted',
  'private_only',
])
const ofOneRun = new Set<PgflowErrorCode>([
  'malformed_reply',
  'malformed_message',
  'invalid_output',
])

/** Prints mistakes of the developer, each once; those of one run once for each run. */
export function createWarningPrinter(): (error: PgflowError) => void {
  const printed = new Set<string>()
  return ({ code, message, hint, docs, runId }) => {
    // Not by message: a sender on a public channel could vary it.
    const key = ofOneRun.has(code) ? `${code} ${runId ?? ''}` : code
    if (!(ofOneRun.has(code) || ofTheProject.has(code)) || printed.has(key)) return
    printed.add(key)
    const sentences = [message, hint ?? '', `See ${docs}`].filter(Boolean)
    const text = sentences.map((sentence) => sentence.replace(/[.\s]*$/, '.')).join(' ')
    // eslint-disable-next-line no-console -- nobody else would tell the developer
    console.error(`[pinia-pgflow] ${text}`)
  }
}
