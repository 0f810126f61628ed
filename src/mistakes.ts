import type { PgflowError, PgflowErrorCode } from './errors.ts'

/** What only the developer can mend. The rest passes, and shows in the run's connection. */
const mistakes = new Set<PgflowErrorCode>([
  'schema_not_exposed',
  'not_migrated',
  'not_granted',
  'private_only',
  'malformed_reply',
  'malformed_message',
  'invalid_output',
])

/** Prints the developer's mistakes, each once however often it shows. */
export function createMistakePrinter(): (error: PgflowError) => void {
  const printed = new Set<string>()
  return ({ code, message, hint, docs }) => {
    if (!mistakes.has(code) || printed.has(message)) return
    printed.add(message)
    const sentences = [message, hint ?? '', `See ${docs}`].filter(Boolean)
    const text = sentences.map((sentence) => sentence.replace(/[.\s]*$/, '.')).join(' ')
    // eslint-disable-next-line no-console -- nobody else would tell the developer
    console.error(`[pinia-pgflow] ${text}`)
  }
}
