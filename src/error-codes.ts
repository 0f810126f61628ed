/**
 * Why something failed. A code is stable: safe to branch on, to translate and to search for.
 * docs/errors.md has a section for each, with its causes and what to do.
 */
export type PgflowErrorCode =
  /** `app.use(createPgflow(…))` did not run before the store was used. */
  | 'not_installed'
  /** The options of `createPgflow` contradict each other, or an argument of a call is not valid. */
  | 'invalid_options'
  /** Not possible here, such as waiting for a run on a server that renders. */
  | 'not_supported'
  /** No flow of that slug is in the database. */
  | 'flow_not_found'
  /** The flow exists, but this role may not start it. */
  | 'flow_not_allowed'
  /** The database requires a signed-in user. */
  | 'not_signed_in'
  /** The input is not JSON, or does not match the flow. */
  | 'invalid_input'
  /** An output does not match the schema given for it. */
  | 'invalid_output'
  /** The run id belongs to another start. */
  | 'run_conflict'
  /** There is no such run, or the caller may not read it. */
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
  /**
   * The database cannot execute the call at present: it is overloaded, or other calls are in the
   * way.
   */
  | 'server_busy'
  /** The request is larger than the server accepts. */
  | 'too_large'
  /** This device is offline. */
  | 'offline'
  /** The server did not respond. */
  | 'unreachable'
  /** The server did not respond in time. */
  | 'timeout'
  /** The caller's `AbortSignal` fired, or the run is not followed any more. */
  | 'aborted'
  /** A response does not have the form that the RPC promises. */
  | 'malformed_reply'
  /** A broadcast could not be parsed; it was not applied. */
  | 'malformed_message'
  /** Realtime dropped the channel; it is joined again. */
  | 'channel_failed'
  /** Realtime refused the channel: the policies do not let this user listen. */
  | 'channel_refused'
  /** Another library has a channel of the same name on this client. */
  | 'channel_taken'
  /** The channel is joined, but silent: broadcasts are lost. */
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
