/** What is known of every failure of one code. */
interface CodeFacts {
  /** What to do about it, where nothing more precise can be said. */
  fix?: string
  /** The same call may succeed a moment later. */
  isTransient?: true
}

const askAgain = 'Starting again with the same run id is safe: the run is started once.'

/**
 * The one table of everything that can go wrong. A code is stable: safe to branch on, to translate
 * and to search for. docs/errors.md has a section for each, with its causes and what to do.
 */
export const errorCodes = {
  /** `app.use(createPgflow(…))` did not run before the store was used. */
  not_installed: { fix: 'Call app.use(createPgflow({ supabase })) after app.use(createPinia()).' },
  /** The options of `createPgflow` contradict each other, or a call got what it cannot take. */
  invalid_options: {},
  /** What cannot be done here: to wait for a run on a server that renders. */
  not_supported: { fix: 'Wait in the browser; in a script in Node, pass ssr: false.' },
  /** No flow of that slug is in the database. */
  flow_not_found: { fix: 'Check the slug, and that the flow was compiled and its migration run.' },
  /** The flow exists, but this role may not start it. */
  flow_not_allowed: { fix: 'The owner of the database allows it: pgflow_client.allow_start(…).' },
  /** The database wants a signed-in user. */
  not_signed_in: { fix: 'Sign in first; an anonymous sign-in will do.' },
  /** The input is not JSON, or not what the flow takes. */
  invalid_input: {},
  /** An output that arrived is not what the schema given for it describes. */
  invalid_output: { fix: 'Deploy the flow and the schemas of the app at the same version.' },
  /** The run id belongs to another start. */
  run_conflict: { fix: 'Start with another run id.' },
  /** There is no such run, or it is not the caller's to see. */
  run_not_found: {
    fix: 'Check the id, and that you are signed in as the user who started the run.',
  },
  /** The run that was waited for failed; the message is that of its step. */
  run_failed: {},
  /** The API does not expose the schema. */
  schema_not_exposed: {},
  /** The RPC is missing in the database. */
  not_migrated: { fix: 'Run the migration that comes with pinia-pgflow.' },
  /** The role lacks a privilege in the database. */
  not_granted: { fix: 'Grant it to the role of the caller, or sign in.' },
  /** The key or token was refused. */
  unauthorized: { fix: 'Check the API key, and sign in again if the session has expired.' },
  /** The project allows only private channels. */
  private_only: {
    fix: "Run select pgflow_realtime.set_visibility('private'), and pass private: true to createPgflow.",
  },
  /** The server asks to slow down, or a limit of the project is reached. */
  rate_limited: { fix: 'It is tried again, less often.', isTransient: true },
  /** More than the server takes. */
  too_large: { fix: 'Put the data into Storage or a table, and pass its name.' },
  /** This device has no network. */
  offline: { fix: askAgain, isTransient: true },
  /** No answer from the server. */
  unreachable: {
    fix: `Check the network and the address of the project. ${askAgain}`,
    isTransient: true,
  },
  /** No answer in time. */
  timeout: { fix: `Check the network. ${askAgain}`, isTransient: true },
  /** The caller's `AbortSignal` fired, or the run was let go of meanwhile. */
  aborted: {},
  /** An answer that is not what the RPC promises. */
  malformed_reply: { fix: 'Run the migration of the same version as the installed package.' },
  /** A broadcast that does not parse; it was not applied. */
  malformed_message: {
    fix: 'Only pgflow and the SQL of pinia-pgflow should send on the topics of runs.',
  },
  /** Realtime dropped the channel; it is joined again. */
  channel_failed: { isTransient: true },
  /** Realtime refused the channel: the policies do not let this user listen. */
  channel_refused: {
    fix: 'Sign in as the user who started the run, or check the policies on realtime.messages.',
    isTransient: true,
  },
  /** Somebody else has a channel of the same name on this client. */
  channel_taken: { fix: 'Give pinia-pgflow a Supabase client of its own.', isTransient: true },
  /** Any other failure that the database reports. */
  server_error: {},
} as const satisfies Record<string, CodeFacts>

/** Why something failed. */
export type PgflowErrorCode = keyof typeof errorCodes

/** What is known of every failure of a code. */
export function factsOf(code: PgflowErrorCode): CodeFacts {
  return errorCodes[code]
}
