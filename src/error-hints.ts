import type { PgflowErrorCode } from './error-codes.ts'
import { ownValue } from './model/own-value.ts'

const askAgain = 'Starting again with the same run id is safe: the run is started once.'

/**
 * What to do about a failure of each code, unless the failure has a more precise hint. A function,
 * so that bundlers leave it out of production.
 */
export const errorHints = (): Record<PgflowErrorCode, string> => ({
  not_installed: 'Call app.use(createPgflow({ supabase })) after app.use(createPinia()).',
  invalid_options: 'Change what the message names.',
  not_supported: 'Wait in the browser; in a script in Node, pass ssr: false.',
  flow_not_found: 'Check the slug, and that the flow was compiled and its migration run.',
  flow_not_allowed: 'The owner of the database allows it: pgflow_client.allow_start(…).',
  not_signed_in: 'Sign in first; an anonymous sign-in will do.',
  invalid_input:
    'Change what the message names; put what is too large into Storage, and pass its name.',
  invalid_output: 'Deploy the flow and the schemas of the app at the same version.',
  run_conflict: 'Start with another run id.',
  run_not_found: 'Check the id, and that you are signed in as the user who started the run.',
  run_failed: 'Look at its steps: error_message says why one failed.',
  schema_not_exposed: 'Expose the schema in the API settings of the project.',
  not_migrated: 'Run the migration that comes with pinia-pgflow.',
  not_granted: 'Grant it to the role of the caller, or sign in.',
  unauthorized: 'Check the API key, and sign in again if the session has expired.',
  private_only:
    "Run select pgflow_realtime.set_visibility('private'), and pass private: true to createPgflow.",
  rate_limited: 'It is tried again, less often.',
  server_busy: `It is tried again. ${askAgain}`,
  too_large: 'Put the data into Storage or a table, and pass its name.',
  offline: askAgain,
  unreachable: `Check the network and the address of the project. ${askAgain}`,
  timeout: `Check the network. ${askAgain}`,
  aborted: `Nothing. ${askAgain}`,
  malformed_reply: 'Run the migration of the same version as the installed package.',
  malformed_message: 'Only pgflow and the SQL of pinia-pgflow should send on the topics of runs.',
  channel_failed: 'Nothing: it is joined again.',
  channel_refused:
    'Sign in as the user who started the run, or check the policies on realtime.messages.',
  channel_taken: 'Give pinia-pgflow a Supabase client of its own.',
  realtime_silent:
    'Nothing: what is shown is read meanwhile. If it stays, look at the limits and logs of Realtime.',
  server_error: 'Look at the message, and at the logs of the database.',
})

/** The hint for a code. State from elsewhere may have a code that this version lacks. */
export function hintOf(code: PgflowErrorCode): string {
  const hints = errorHints()
  return ownValue(hints, code) ?? hints.server_error
}
