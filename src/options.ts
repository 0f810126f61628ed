import type { SupabaseClient } from '@supabase/supabase-js'
import { getActivePinia, type Pinia } from 'pinia'
import { PgflowError } from './errors.ts'
import { systemScheduler, type Scheduler } from './model/scheduler.ts'
import type { SyncTimes } from './sync/types.ts'
import { browserSurroundings, type Surroundings } from './sync/wake.ts'
import { createSupabaseTransport } from './transport/supabase-transport.ts'
import type { PgflowTransport } from './transport/types.ts'

/** What `createPgflow` takes. */
export interface PgflowOptions extends SharedOptions {
  /** The client of the project whose database runs the flows. */
  supabase: SupabaseClient
  /**
   * Whether runs are followed on private channels: for a database whose setting `visibility` is
   * `private`. Only the user who started a run can then follow it.
   * @default false
   */
  private?: boolean
}

/** What can be chosen whatever the way to the database is. */
export interface SharedOptions extends Partial<SyncTimes> {
  /**
   * How long a start may take before it fails with `timeout`, its repetitions included, in ms.
   * @default 10_000
   */
  startTimeout?: number
  /**
   * How long one snapshot may take, in ms.
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
   * How long nothing may change in a run that is followed before its connection says `stalled`, in
   * ms. pgflow itself takes up to 105 s to give the task of a dead worker to another.
   * @default 120_000
   */
  stallAfter?: number
  /**
   * The most channels that may be open at once. Runs past that are polled until one is free.
   * Supabase allows 100 a connection; some are left for the rest of the app.
   * @default 90
   */
  maxChannels?: number
  /**
   * Told of every failure that no caller is waiting for, such as a broadcast that does not parse
   * or a snapshot that will be asked again. Without it, only mistakes in the set-up are printed.
   */
  onError?: (error: PgflowError) => void
  /**
   * Whether this is a server that renders: runs are then read once, and no channel, timer or
   * listener is made. Say `false` for a script in Node that follows runs live.
   * @default `true` where there is no `window`
   */
  ssr?: boolean
  /** Time and chance, for tests and simulations. */
  scheduler?: Scheduler
}

/** The options with everything decided. */
export interface PgflowConfig {
  transport: PgflowTransport
  scheduler: Scheduler
  surroundings: Surroundings
  times: SyncTimes
  maxChannels: number
  isServer: boolean
  report: (error: PgflowError) => void
}

/** The defaults of all times, in ms. */
export const defaultTimes: SyncTimes = {
  startTimeout: 10_000,
  snapshotTimeout: 10_000,
  gcTime: 5_000,
  stallAfter: 120_000,
}

/** Decides everything that the options of `createPgflow` leave open. */
export function resolveOptions(options: PgflowOptions): PgflowConfig {
  const scheduler = options.scheduler ?? systemScheduler()
  const transport = createSupabaseTransport(options.supabase, scheduler, options.private ?? false)
  return resolveConfig({ ...options, scheduler }, transport)
}

/** Decides everything else, given the way to the database. */
export function resolveConfig(options: SharedOptions, transport: PgflowTransport): PgflowConfig {
  return {
    scheduler: options.scheduler ?? systemScheduler(),
    transport,
    surroundings: browserSurroundings(),
    maxChannels: options.maxChannels ?? 90,
    times: {
      startTimeout: options.startTimeout ?? defaultTimes.startTimeout,
      snapshotTimeout: options.snapshotTimeout ?? defaultTimes.snapshotTimeout,
      gcTime: options.gcTime ?? defaultTimes.gcTime,
      stallAfter: options.stallAfter ?? defaultTimes.stallAfter,
    },
    isServer: options.ssr ?? typeof window === 'undefined',
    report: guarded(options.onError ?? printMistakes),
  }
}

/** What `createPgflow` leaves for the store of one Pinia. */
interface Installation {
  config: PgflowConfig
  /** Mounted apps that share it. */
  apps: number
  /** Set by the store once it exists: leaves all channels. */
  stop: () => void
}

const installations = new WeakMap<Pinia, Installation>()

/**
 * Hands the configuration to the store of `pinia`; apps that share a Pinia share the configuration
 * of the first. The returned function takes the app out; with the last, every channel is left.
 */
export function installConfig(pinia: Pinia, config: PgflowConfig): () => void {
  const installation = installations.get(pinia) ?? { config, apps: 0, stop: () => {} }
  installations.set(pinia, installation)
  if (installation.apps === 0) installation.config = config
  installation.apps += 1
  return () => {
    installation.apps -= 1
    if (installation.apps === 0) installation.stop()
  }
}

/**
 * The installation of the active Pinia.
 * @throws PgflowError `not_installed`
 */
export function useInstallation(): Installation {
  const pinia = getActivePinia()
  const installation = pinia && installations.get(pinia)
  if (installation) return installation
  throw new PgflowError('not_installed', 'pinia-pgflow is not installed in this app.')
}

/** What the app's own handler throws surfaces as its error and stops nothing here. */
function guarded(report: (error: PgflowError) => void): (error: PgflowError) => void {
  return (error) => {
    try {
      report(error)
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown
      })
    }
  }
}

/** Only what the developer has to mend; the rest shows in the run's connection. */
function printMistakes(error: PgflowError): void {
  const isMistake =
    error.code === 'schema_not_exposed' ||
    error.code === 'not_migrated' ||
    error.code === 'not_granted' ||
    error.code === 'private_only' ||
    error.code === 'malformed_reply' ||
    error.code === 'malformed_message'
  // eslint-disable-next-line no-console -- nobody else would tell the developer
  if (isMistake) console.error(`[pinia-pgflow] ${error.message} ${error.hint ?? ''}`.trim())
}
