import type { App } from 'vue'
import type { PgflowError } from '../errors.ts'
import type { AnyFlow, FlowInput } from '../flow-types.ts'
import type { SharedOptions } from '../options.ts'
import type { TraceRecord } from '../sync/trace.ts'
import type { TestFlow } from './definition.ts'
import type { TestFaults } from './faults.ts'
import type { TestRequest } from './memory-transport.ts'
import type { RunReplay } from './run-replay.ts'
import type { SeedOptions } from './seed.ts'
import type { TestRun } from './test-run.ts'

/** The options of `createTestPgflow`; times and the others as in `createPgflow`. */
export interface TestPgflowOptions extends Omit<SharedOptions, 'flows'> {
  /**
   * The flows of the database by slug: their steps, or flows of `@pgflow/dsl`, whose handlers do
   * not run. `scriptFlow` sets what the steps of such a flow return.
   * @default none: runs that are replayed need none
   */
  flows?: Record<string, TestFlow | AnyFlow> | undefined
  /** The schemas of inputs and outputs, from `flowSchemas`: `flows` of `createPgflow`. */
  schemas?: NonNullable<SharedOptions['flows']>
  /**
   * Whether runs are private: only the user who started one may read and follow it. Default: false.
   */
  private?: boolean
  /** The id of the signed-in user; null for nobody. Default: `test-user`. */
  user?: string | null
  /**
   * Whether workers play every run that the app starts by the script. With a `pace`, one action
   * every so many ms. Default: false, workers act only when the test calls for it.
   */
  autoPlay?: boolean | { pace: number }
  /**
   * Whether real time is used, for demos and Storybook. Default: false, time passes with `advance`.
   * With a `scheduler` of your own, it passes as that decides.
   */
  realTime?: boolean
  /** The most bytes of a broadcast; a larger one is sent without its output. Default: 200,000. */
  maxPayloadBytes?: number
}

/** The plugin for an app in a test, with the database behind it. */
export interface TestPgflow {
  /** Installs it, like `createPgflow`: after Pinia, one for each test. */
  install: (app: App) => void
  /**
   * The newest run, or that of one flow. If there is none yet, it stands for the next one that is
   * started.
   */
  latestRun: <Flow extends AnyFlow = AnyFlow>(flowSlug?: string) => TestRun<Flow>
  /** The run of an id. */
  run: <Flow extends AnyFlow = AnyFlow>(runId: string) => TestRun<Flow>
  /** All runs, in the order in which they were started. */
  readonly runs: readonly TestRun[]
  /**
   * Inserts a run into the database that exists before the app starts, or that another user
   * started.
   * @throws PgflowError for an unknown flow or step, or an invalid input.
   */
  seedRun: <Flow extends AnyFlow = AnyFlow>(
    flowSlug: string,
    input: FlowInput<Flow>,
    options?: SeedOptions<Flow>,
  ) => TestRun<Flow>
  /**
   * Inserts a run into the database that was recorded in an app; Vue devtools export such a
   * recording as JSON. The run belongs to the signed-in user, and is at its first moment; `play()`
   * goes through the others. At the end, the app shows what was shown when the run was exported.
   *
   * @throws PgflowError `invalid_options` if it is not a recording; `run_conflict` if the run is in
   *   the
   * database already.
   * @example
   * const replay = createTestPgflow().replay(recording)
   * await replay.play()
   */
  replay: (recording: unknown) => RunReplay
  /** Signs a user in, also in place of another one. */
  signIn: (userId: string) => Promise<void>
  /** Signs the user out. */
  signOut: () => Promise<void>
  /** The app may start the flow again. */
  allowStart: (flowSlug: string) => void
  /** The app may not start the flow: `flow_not_allowed`. */
  disallowStart: (flowSlug: string) => void
  /**
   * Resolves when nothing is under way: every request has its response, every message has arrived,
   * and the DOM shows it. Longer waits, such as that for a retry, need `advance`.
   */
  settled: () => Promise<void>
  /** Advances the library's time by `ms`, and runs everything that is due by then. */
  advance: (ms: number) => Promise<void>
  /** Faults between the app and the database. */
  readonly faults: TestFaults
  /** The requests that the app made, the newest last. */
  readonly requests: readonly TestRequest[]
  /** Failures that no caller has received, as passed to `onError`. */
  readonly reported: readonly PgflowError[]
  /** The steps of the sync, the newest last. */
  readonly traced: readonly TraceRecord[]
  /** The topics of the channels that the app has open. */
  readonly openChannels: readonly string[]
  /** Stops what runs by itself, with `autoPlay`. Unmounting the app stops everything else. */
  dispose: () => void
}
