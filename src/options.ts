import { createWarningPrinter } from './warnings.ts'
import { PgflowError } from './errors.ts'
import type { FlowValidation } from './flow-schemas.ts'
import { callSafely } from './model/call-safely.ts'
import { systemScheduler, type Scheduler } from './model/scheduler.ts'
import type { Trace } from './sync/trace.ts'
import type { SyncTimes } from './sync/types.ts'
import { browserPageActivity, type PageActivity } from './sync/page-activity.ts'
import { isSupabaseClient, type AnySupabaseClient } from './transport/any-client.ts'
import type { ApiSchema } from './transport/schemas.ts'
import { createSupabaseTransport } from './transport/supabase-transport.ts'
import type { ListTransport, PgflowTransport, SupabaseConnection } from './transport/types.ts'

/** The options of `createPgflow`. */
export interface PgflowOptions extends SharedOptions {
  /** The client of the project whose database runs the flows, with or without database types. */
  supabase: AnySupabaseClient
  /**
   * The schema of the functions that start and read runs: of this project's migration, or of a
   * plain pgflow (0.4 or newer) on which nothing else is installed. See docs/guides/plain-pgflow.md
   * for the privileges that this needs and for what is missing: lost broadcasts are only found by
   * polling, each run is read by a request of its own, and no run is private.
   * @default 'pgflow_client'
   */
  schema?: ApiSchema
  /**
   * Whether runs are followed on private channels: for a database whose setting `visibility` is
   * `private`. Only the user who started a run can then follow it.
   * @default false
   */
  private?: boolean
}

/** The options that do not depend on the transport. */
export interface SharedOptions extends Partial<SyncTimes> {
  /**
   * How long a start may take before it fails with `timeout`, its retries included, in ms.
   * @default 10_000
   */
  startTimeout?: number
  /**
   * How long the request of one snapshot may take, in ms.
   * @default 10_000
   */
  snapshotTimeout?: number
  /**
   * How long the channel of a run stays open after its last observer has left, in ms: long enough
   * for the next page to take it over.
   * @default 5_000
   */
  gcTime?: number
  /**
   * How long nothing may change in a run that is followed before its connection is `stalled`, in
   * ms. pgflow itself takes up to 105 s to give the task of a dead worker to another.
   * @default 120_000
   */
  stallAfter?: number
  /**
   * The schemas of inputs and outputs, given to `flowSchemas`. An invalid input is refused before
   * the start with `invalid_input`. An invalid output is reported as `invalid_output`, shown in
   * `error`, and kept unchanged.
   */
  flows?: FlowValidation | undefined
  /**
   * The most channels that may be open at once. Runs beyond that are polled until one is free.
   * Supabase allows 100 a connection; some are left for the rest of the app.
   * @default 90
   */
  maxChannels?: number
  /**
   * Called with every failure that no caller waits for, such as a broadcast that could not be
   * parsed or a snapshot that will be requested again. Without it, mistakes in the set-up are
   * printed in development, and nothing is printed in production.
   */
  onError?: (error: PgflowError) => void
  /**
   * Whether this is a server that renders: each run is then read once, without channels, timers and
   * listeners. Pass `false` in a Node script that follows runs live.
   * @default `true` where there is no `window`
   */
  ssr?: boolean
  /**
   * How long a request may delay a page that a server renders, in ms: once for each run and page,
   * and never longer than `snapshotTimeout`. If it takes longer, the browser requests the run
   * again.
   */
  ssrTimeout?: number
  /**
   * Called with each step of the sync: a received event, a gap, a request, a silent channel. In
   * development only; it must not throw.
   */
  trace?: Trace
  /** Time and randomness, for tests and simulations. */
  scheduler?: Scheduler
}

/** The options with all defaults filled in. */
export interface PgflowConfig {
  transport: PgflowTransport
  /** The access to lists, or how to create it once an app shows a list. */
  lists: ListTransport | SupabaseConnection
  scheduler: Scheduler
  pageActivity: PageActivity
  times: SyncTimes
  maxChannels: number
  isServer: boolean
  flows: FlowValidation | undefined
  report: (error: PgflowError) => void
  trace?: Trace | undefined
}

/** The defaults of all times, in ms. */
export const defaultTimes: SyncTimes = {
  startTimeout: 10_000,
  snapshotTimeout: 10_000,
  gcTime: 5_000,
  stallAfter: 120_000,
}

/**
 * Fills in the defaults of the options of `createPgflow`.
 * @throws PgflowError `invalid_options`
 */
export function resolveOptions(options: PgflowOptions): PgflowConfig {
  const { supabase, schema = 'pgflow_client', private: isPrivate = false } = options
  if (!isSupabaseClient(supabase)) {
    throw new PgflowError('invalid_options', 'supabase is not what createClient returns.')
  }
  if (schema === 'pgflow' && isPrivate) {
    throw new PgflowError('invalid_options', 'Plain pgflow has no private runs: leave out private.')
  }
  const scheduler = options.scheduler ?? systemScheduler()
  const connection = { supabase, scheduler, schema, isPrivate }
  const transport = createSupabaseTransport(connection)
  return resolveConfig({ ...options, scheduler }, transport, connection)
}

/**
 * Fills in the other defaults, given the transport.
 * @throws PgflowError `invalid_options`
 */
export function resolveConfig(
  options: SharedOptions,
  transport: PgflowTransport,
  lists: PgflowConfig['lists'],
): PgflowConfig {
  const isProduction = process.env.NODE_ENV === 'production'
  const onError = options.onError ?? (isProduction ? () => {} : createWarningPrinter())
  const isServer = options.ssr ?? typeof window === 'undefined'
  const { ssrTimeout = 3_000, snapshotTimeout = defaultTimes.snapshotTimeout, flows } = options
  // Callers without TypeScript may pass the schemas themselves.
  if (flows && typeof flows.checkOutput !== 'function') {
    throw new PgflowError('invalid_options', 'flows is not what flowSchemas returns.')
  }
  return {
    scheduler: options.scheduler ?? systemScheduler(),
    transport,
    lists,
    pageActivity: browserPageActivity(),
    maxChannels: options.maxChannels ?? 90,
    times: {
      startTimeout: options.startTimeout ?? defaultTimes.startTimeout,
      snapshotTimeout: isServer ? Math.min(ssrTimeout, snapshotTimeout) : snapshotTimeout,
      gcTime: options.gcTime ?? defaultTimes.gcTime,
      stallAfter: options.stallAfter ?? defaultTimes.stallAfter,
    },
    flows,
    isServer,
    report: (error) => callSafely(() => onError(error)),
    trace: options.trace,
  }
}
