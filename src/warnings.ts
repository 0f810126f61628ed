import type { PgflowError, PgflowErrorCode } from './errors.ts'

/** What only the developer can mend. The rest passes, and shows in the run's connection. */
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

/** Prints the developer's mistakes, each once, and what is wrong with one run once for that run. */
export function createWarningPrinter(): (error: PgflowError) => void {
  const printed = new Set<string>()
  return ({ code, message, hint, docs, runId }) => {
    // Not by message: who may send on a public channel could say another thing each time.
    const key = ofOneRun.has(code) ? `${code} ${runId ?? ''}` : code
    if (!(ofOneRun.has(code) || ofTheProject.has(code)) || printed.has(key)) return
    printed.add(key)
    const sentences = [message, hint ?? '', `See ${docs}`].filter(Boolean)
    const text = sentences.map((sentence) => sentence.replace(/[.\s]*$/, '.')).join(' ')
    // eslint-disable-next-line no-console -- nobody else would tell the developer
    console.error(`[pinia-pgflow] ${text}`)
  }
}
