/**
 * Why something failed. A code is stable: safe to branch on, to translate and to search for.
 * docs/errors.md has a section for each, with its causes and what to do.
 */
export type PgflowErrorCode =
  /** `app.use(createPgflow(…))` did not run before the store was used. */
  | 'not_installed'
  /** The options of `createPgflow` contradict each other, or a call got what it cannot take. */
  | 'invalid_options'
  /** What cannot be done here: to wait for a run on a server that renders. */
  | 'not_supported'
  /** No flow of that slug is in the database. */
  | 'flow_not_found'
  /** The flow exists, but this role may not start it. */
  | 'flow_not_allowed'
  /** The database wants a signed-in user. */
  | 'not_signed_in'
  /** The input is not JSON, or not what the flow takes. */
  | 'invalid_input'
  /** An output that arrived is not what the schema given for it describes. */
  | 'invalid_output'
  /** The run id belongs to another start. */
  | 'run_conflict'
  /** There is no such run, or it is not the caller's to see. */
  | 'run_not_found'
  /** The run that was waited for failed; the message is that of its step. */
  | 'run_failed'
  /** The API does not expose the schema. */
  | 'schema_not_exposed'
  /** The RPC is missing in the database. */
  | 'not_migrated'
  /** The role lacks a privilege in the database. */
  | 'not_granted'
  /** The key or token was refused. */
  | 'unauthorized'
  /** The project allows only private channels. */
  | 'private_only'
  /** The server asks to slow down, or a limit of the project is reached. */
  | 'rate_limited'
  /** The database cannot do the call just now: it is overloaded, or others are in the way. */
  | 'server_busy'
  /** More than the server takes. */
  | 'too_large'
  /** This device has no network. */
  | 'offline'
  /** No answer from the server. */
  | 'unreachable'
  /** No answer in time. */
  | 'timeout'
  /** The caller's `AbortSignal` fired, or the run was let go of meanwhile. */
  | 'aborted'
  /** An answer that is not what the RPC promises. */
  | 'malformed_reply'
  /** A broadcast that does not parse; it was not applied. */
  | 'malformed_message'
  /** Realtime dropped the channel; it is joined again. */
  | 'channel_failed'
  /** Realtime refused the channel: the policies do not let this user listen. */
  | 'channel_refused'
  /** Somebody else has a channel of the same name on this client. */
  | 'channel_taken'
  /** Realtime says that it is joined, and sends nothing. */
  | 'realtime_silent'
  /** Any other failure that the database reports. */
  | 'server_error'

/** The same call may succeed a moment later. */
const transientCodes = new Set<PgflowErrorCode>([
  'rate_limited',
  'server_busy',
  'offline',
  'unreachable',
  'timeout',
  'channel_failed',
  'channel_refused',
  'channel_taken',
  'realtime_silent',
])

/** Whether the same call may succeed a moment later. */
export function isTransientCode(code: PgflowErrorCode): boolean {
  return transientCodes.has(code)
}
