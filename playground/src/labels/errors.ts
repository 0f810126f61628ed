import type { PgflowErrorCode, PlainError } from 'pinia-pgflow'

/** A failure in words for the person in front of the page. */
export interface Explanation {
  title: string
  /** What to do. */
  advice: string
}

const explanations: Record<PgflowErrorCode, Explanation> = {
  not_installed: {
    title: 'This page is not set up correctly.',
    advice: 'The plugin of pinia-pgflow is missing in main.ts.',
  },
  invalid_options: {
    title: 'This page is not set up correctly.',
    advice: 'Look at the options of createPgflow in main.ts.',
  },
  not_supported: {
    title: 'That cannot be done here.',
    advice: 'Wait for the run in the browser.',
  },
  flow_not_found: {
    title: 'The database does not know this flow.',
    advice: 'Its migration has not been run. Compile the flow, run its migration, and try again.',
  },
  flow_not_allowed: {
    title: 'You may not start this flow.',
    advice: 'The owner of the database can allow it with pgflow_client.allow_start.',
  },
  not_signed_in: {
    title: 'You need to be signed in for this.',
    advice: 'Sign in and try again.',
  },
  invalid_input: {
    title: 'The flow does not take this input.',
    advice: 'Change the text and start again.',
  },
  invalid_output: {
    title: 'The flow returned something else than this page expects.',
    advice: 'Deploy the flow and the page at the same version.',
  },
  run_conflict: {
    title: 'This run was started before with another text.',
    advice: 'Start again: it becomes a run of its own.',
  },
  run_not_found: {
    title: 'There is no such run, or it is not yours.',
    advice:
      'The embedded database forgets everything when it restarts, and a private run is shown only ' +
      'to who started it.',
  },
  run_failed: {
    title: 'The run failed.',
    advice: 'Look at its steps for the one that failed, mend the cause and start again.',
  },
  schema_not_exposed: {
    title: 'The project does not offer what this page needs.',
    advice: 'Add pgflow_client to the exposed schemas in the API settings of the project.',
  },
  not_migrated: {
    title: 'The database is not prepared for this page.',
    advice: 'Run the migration that comes with pinia-pgflow.',
  },
  not_granted: {
    title: 'The database does not let you do that.',
    advice: 'Sign in, or grant it to your role in the database.',
  },
  private_only: {
    title: 'The project allows only private channels.',
    advice: 'Make the runs private: pgflow_realtime.set_visibility, and private: true in main.ts.',
  },
  unauthorized: {
    title: 'The server does not accept the token or the key of this page.',
    advice:
      'Reload the page or sign in again. In a project of your own, check VITE_SUPABASE_ANON_KEY.',
  },
  rate_limited: {
    title: 'The server is busy.',
    advice: 'Wait a moment, then try again.',
  },
  server_busy: {
    title: 'The database is busy.',
    advice: 'It is tried again by itself.',
  },
  too_large: {
    title: 'This is more than the server takes.',
    advice: 'Shorten the text and start again.',
  },
  offline: {
    title: 'You are offline.',
    advice: 'It goes on by itself when the network is back.',
  },
  unreachable: {
    title: 'The server does not answer.',
    advice: 'Check that it is running and that you are online, then try again.',
  },
  timeout: {
    title: 'The server takes too long to answer.',
    advice: 'Check that it is running and that you are online, then try again.',
  },
  aborted: {
    title: 'The start was stopped.',
    advice: 'Start again whenever you like.',
  },
  malformed_reply: {
    title: 'The server answered something unexpected.',
    advice: 'Its migration may be of another version than this page. Update both.',
  },
  malformed_message: {
    title: 'A message could not be read and was left out.',
    advice: 'The state is read from the database instead; there is nothing to do.',
  },
  channel_refused: {
    title: 'The server refuses the live connection.',
    advice: 'The run is read from the database instead. Sign in again, or check who may listen.',
  },
  channel_taken: {
    title: 'Another part of the page uses this channel.',
    advice: 'The run is read from the database instead. Give pinia-pgflow a client of its own.',
  },
  realtime_silent: {
    title: 'The live connection has gone quiet.',
    advice: 'The run is read from the database instead; there is nothing to do.',
  },
  channel_failed: {
    title: 'The live connection was interrupted.',
    advice: 'It reconnects by itself and then catches up. The run is not affected.',
  },
  server_error: {
    title: 'Something went wrong on the server.',
    advice: 'Try again. If it happens again, look at the details and the log of the server.',
  },
}

/** Puts an error into words; one that this page does not know is shown as it came. */
export function explain({ code, message, hint }: PlainError): Explanation {
  return isKnown(code)
    ? explanations[code]
    : { title: message, advice: hint ?? 'Try again in a moment.' }
}

/** Whether trying again is worth a button: otherwise something else has to change first. */
export function isWorthRetrying({ code }: PlainError): boolean {
  return code !== 'invalid_input' && code !== 'malformed_message'
}

function isKnown(code: string): code is PgflowErrorCode {
  return Object.hasOwn(explanations, code)
}
