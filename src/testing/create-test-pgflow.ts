import type { AnyFlow, FlowInput } from '../flow-types.ts'
import type { Json } from '../model/entities.ts'
import { toJson } from '../model/json.ts'
import { parseRecording } from '../model/run-recording.ts'
import { createRunId, toRunId } from '../model/run-id.ts'
import { runTopic } from '../model/wire.ts'
import { createFaults } from './faults.ts'
import { refusing } from './memory-transport.ts'
import { framesOf } from './replay-frames.ts'
import { ReplayedRun } from './replayed-run.ts'
import type { RunRecord } from './run-record.ts'
import { createRunReplay, type RunReplay } from './run-replay.ts'
import { seed, type SeedOptions } from './seed.ts'
import { createTestRun, type TestRun } from './test-run.ts'
import type { Message } from './rows.ts'
import type { TestPgflow, TestPgflowOptions } from './types.ts'
import { createEnvironment } from './environment.ts'

/**
 * The plugin of `createPgflow` over a database in memory: store, sync and composables are the real
 * ones, and no Supabase is needed. Time stands still unless the test moves it, so tests are
 * instantaneous and the same every time, with fake timers and without.
 *
 * @throws PgflowError `invalid_options` for a flow that is not possible.
 * @example
 * const pgflow = createTestPgflow({
 *   flows: { analyze_text: { words: {}, summary: { deps: ['words'] } } },
 * })
 * const wrapper = mount(App, { global: { plugins: [createPinia(), pgflow] } })
 * await wrapper.find('form').trigger('submit')
 * await pgflow.latestRun().complete('words', ['a', 'b'])
 * expect(wrapper.text()).toContain('2 words')
 */
export function createTestPgflow(options: TestPgflowOptions = {}): TestPgflow {
  const { time, database, channels, session, pageActivity, ...environment } =
    createEnvironment(options)
  const { settled, advance } = time

  const handle = (find: () => RunRecord | undefined): TestRun => createTestRun({ find, settled })
  function become(user: string | null): Promise<void> {
    session.become(user)
    channels.review()
    return settled()
  }
  function latestRun<Flow extends AnyFlow = AnyFlow>(flowSlug?: string): TestRun<Flow>
  function latestRun(flowSlug?: string): TestRun {
    const isOfFlow = ({ run }: RunRecord) => run.flow_slug === (flowSlug ?? run.flow_slug)
    return handle(() => database.runs.filter(isOfFlow).at(-1))
  }
  function run<Flow extends AnyFlow = AnyFlow>(runId: string): TestRun<Flow>
  function run(runId: string): TestRun {
    return handle(() => database.runs.find((record) => record.run.run_id === runId))
  }
  function seedRun<Flow extends AnyFlow = AnyFlow>(
    flowSlug: string,
    input: FlowInput<Flow>,
    given?: SeedOptions<Flow>,
  ): TestRun<Flow>
  function seedRun(flowSlug: string, input: Json, given: SeedOptions = {}): TestRun {
    const { user = session.user() } = given
    const runId = toRunId(given.runId ?? createRunId())
    const record = refusing(() => database.seedRun(flowSlug, toJson(input), runId, user))
    seed(record, given)
    return handle(() => record)
  }
  /** Lets time pass, or waits where it passes by itself. */
  const pass = (ms: number): Promise<void> =>
    options.realTime === true || options.scheduler
      ? new Promise((resolve) => time.after(ms, resolve))
      : advance(ms)
  function replay(recording: unknown): RunReplay {
    const parsed = parseRecording(recording)
    const recorded = new ReplayedRun(framesOf(parsed), session.user())
    refusing(() => database.addReplay(recorded, parsed.flow))
    const topic = runTopic(parsed.final.run.run_id)
    const send = ({ name, payload }: Omit<Message, 'topic'>) =>
      database.send(recorded, { topic, name, payload })
    return createRunReplay({ run: recorded, send, settled, pass })
  }

  return {
    install: environment.install,
    latestRun,
    run,
    seedRun,
    replay,
    get runs() {
      return database.runs.map((record) => handle(() => record))
    },
    signIn: (userId) => become(userId),
    signOut: () => become(null),
    allowStart: (flowSlug) => database.allowStart(flowSlug, true),
    disallowStart: (flowSlug) => database.allowStart(flowSlug, false),
    settled,
    advance,
    faults: createFaults({ channels, requests: environment.faults, pageActivity, settled }),
    requests: environment.requests,
    reported: environment.reported,
    traced: environment.traced,
    get openChannels() {
      return channels.topics
    },
    dispose: () => environment.worker.stop(),
  }
}
