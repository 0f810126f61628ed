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

/** What `createTestPgflow` takes; times and the rest as `createPgflow`. */
export interface TestPgflowOptions extends Omit<SharedOptions, 'flows'> {
  /**
   * The flows of the database by slug: their steps, or flows of `@pgflow/dsl`, whose handlers do
   * not run. `scriptFlow` says what the steps of such a flow return.
   * @default none: runs that are replayed need none
   */
  flows?: Record<string, TestFlow | AnyFlow> | undefined
  /** What inputs and outputs have to look like, by flow slug: `flows` of `createPgflow`. */
  schemas?: NonNullable<SharedOptions['flows']>
  /** Whether runs are private: who may follow and read one is then who started it. Default: false. */
  private?: boolean
  /** The id of who is signed in; null for nobody. Default: `test-user`. */
  user?: string | null
  /**
   * Workers are there: every run that the app starts is played by the script. With a `pace`, one
   * thing every so many ms. Default: false, workers do what the test says.
   */
  autoPlay?: boolean | { pace: number }
  /**
   * Whether time passes by itself, for demos and Storybook. Default: false, it passes with
   * `advance`. A `scheduler` of your own passes as it likes.
   */
  realTime?: boolean
  /** The most bytes of a broadcast; a larger one is sent without its output. Default: 200,000. */
  maxPayloadBytes?: number
}

/** The plugin for an app in a test, and everything behind it. */
export interface TestPgflow {
  /** Installs it, as `createPgflow` does: after Pinia, one for each test. */
  install: (app: App) => void
  /**
   * The newest run, or that of one flow. Before there is one it stands for the one that is about to
   * be started.
   */
  latestRun: <Flow extends AnyFlow = AnyFlow>(flowSlug?: string) => TestRun<Flow>
  /** The run of an id. */
  run: <Flow extends AnyFlow = AnyFlow>(runId: string) => TestRun<Flow>
  /** All runs, in the order in which they were started. */
  readonly runs: readonly TestRun[]
  /**
   * Puts a run into the database that is there before the app looks, or that somebody else started.
   * @throws PgflowError for an unknown flow or step, or an input that it does not take.
   */
  seedRun: <Flow extends AnyFlow = AnyFlow>(
    flowSlug: string,
    input: FlowInput<Flow>,
    options?: SeedOptions<Flow>,
  ) => TestRun<Flow>
  /**
   * Puts a run into the database that was recorded in an app: Vue devtools export such a recording
   * as JSON. It is the run of whoever is signed in, at the first of its moments; `play()` goes
   * through the others. What the app shows in the end is what it showed when it was exported.
   *
   * @throws PgflowError `invalid_options` for what is not a recording; `run_conflict` for a run that
   * is in the database already.
   * @example
   * const replay = createTestPgflow().replay(recording)
   * await replay.play()
   */
  replay: (recording: unknown) => RunReplay
  /** Somebody signs in, or another one does. */
  signIn: (userId: string) => Promise<void>
  /** Nobody is signed in any more. */
  signOut: () => Promise<void>
  /** The app may start the flow again. */
  allowStart: (flowSlug: string) => void
  /** The app may not start the flow: `flow_not_allowed`. */
  disallowStart: (flowSlug: string) => void
  /**
   * Resolves when nothing is under way: every request is answered, every message has arrived, and
   * the DOM shows it. What waits longer, such as another attempt after a failure, waits for
   * `advance`.
   */
  settled: () => Promise<void>
  /** Lets `ms` pass for the library, and everything happen that is due by then. */
  advance: (ms: number) => Promise<void>
  /** Everything that can go wrong. */
  readonly faults: TestFaults
  /** The requests that the app made, the newest last. */
  readonly requests: readonly TestRequest[]
  /** Failures that no caller was told of, as `onError` gets them. */
  readonly reported: readonly PgflowError[]
  /** What the sync has done, the newest last. */
  readonly traced: readonly TraceRecord[]
  /** The topics of the channels that the app has open. */
  readonly openChannels: readonly string[]
  /** Ends what goes on by itself, with `autoPlay`. Unmounting the app ends everything else. */
  dispose: () => void
}
