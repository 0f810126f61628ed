/* eslint-disable -- as the examples have it */
// GENERATED from the examples in doc comments by scripts/build-examples.ts: change those, then run
// "npm run examples".

import { it } from 'vitest'
import {
  AnalyzeText,
  App,
  computed,
  createApp,
  createClient,
  createPinia,
  expect,
  failure,
  key,
  lists,
  mount,
  notify,
  pgflow,
  pinia,
  props,
  recording,
  run,
  runId,
  showRetry,
  startAsync,
  step,
  supabase,
  text,
  toRaw,
  url,
  v,
} from './support/prelude.ts'
import {
  PgflowError,
  createPgflow,
  durationOf,
  flowSchemas,
  isTerminal,
  pgflowPayload,
  taskProgressOf,
  useFlow,
  usePgflowListStore,
  usePgflowStatus,
  usePgflowStore,
  useRun,
  useRuns,
  useStep,
} from 'pinia-pgflow'
import { createTestPgflow, scriptFlow } from 'pinia-pgflow/testing'
import { parse, stringify } from 'devalue'

it('createPgflow', () => {
  const app = createApp(App)
  app.use(createPinia())
  app.use(createPgflow({ supabase: createClient(url, key) }))
  void [app]
})

it('pgflowPayload', () => {
  const text = stringify(toRaw(pinia.state.value), { PgflowRow: pgflowPayload.reduce })
  const state = parse(text, { PgflowRow: pgflowPayload.revive })
  void [text, state]
})

it('usePgflowStore', async () => {
  const pgflow = usePgflowStore()
  const run = await pgflow.startFlow('analyze_text', { text })
  const { release } = pgflow.observeRun(run.run_id)
  void [pgflow, run, release]
})

it('usePgflowStore().runById', () => {
  const status = pgflow.runById(runId)?.status ?? 'unknown'
  void [status]
})

it('usePgflowStore().stepOf', () => {
  const output = pgflow.stepOf(runId, 'summary')?.output
  void [output]
})

it('usePgflowStore().stepsOf', () => {
  const failed = pgflow.stepsOf(runId).filter((step) => step.status === 'failed')
  void [failed]
})

it('usePgflowStore().retryOf', () => {
  const reason = pgflow.retryOf(runId, 'words')?.error_message
  void [reason]
})

it('usePgflowStore().progressOfRun', () => {
  const { done, total } = pgflow.progressOfRun(runId)
  void [done, total]
})

it('usePgflowStore().flowBySlug', () => {
  const deps = pgflow.flowBySlug('analyze_text')?.steps.map((step) => step.deps)
  void [deps]
})

it('usePgflowStore().startFlow', async () => {
  const run = await pgflow.startFlow('analyze_text', { text: 'Hello' })
  void [run]
})

it('usePgflowStore().observeRun', async () => {
  const { ready, release } = pgflow.observeRun(runId)
  await ready
  void [ready, release]
})

it('usePgflowStore().fetchFlow', async () => {
  const { steps } = await pgflow.fetchFlow('analyze_text')
  void [steps]
})

it('usePgflowStore().refreshRun', async () => {
  await pgflow.refreshRun(runId)
})

it('usePgflowStore().waitForRun', async () => {
  const { output } = await pgflow.waitForRun(runId, { timeout: 60_000 })
  void [output]
})

it('usePgflowStore().removeRun', () => {
  pgflow.removeRun(runId)
})

it('usePgflowStore().onRunChange', () => {
  pgflow.onRunChange((change) => {
    if (change.kind === 'run' && change.run.status === 'failed') notify(change.run.error_message)
  })
})

it('usePgflowListStore', () => {
  const lists = usePgflowListStore()
  const { ready, release } = lists.observeRuns({ flow: 'analyze_text' })
  void [lists, ready, release]
})

it('usePgflowListStore().runsOf', () => {
  const running = lists.runsOf({ status: 'started' }).length
  void [running]
})

it('usePgflowListStore().observeRuns', async () => {
  const { ready, loadMore, release } = lists.observeRuns({ flow: 'analyze_text' })
  await ready
  void [ready, loadMore, release]
})

it('usePgflowListStore().fetchRuns', async () => {
  const first = await lists.fetchRuns({ flow: 'analyze_text', pageSize: 50 })
  const second = await lists.fetchRuns({ flow: 'analyze_text', pageSize: 50 }, first.cursor)
  void [first, second]
})

it('useFlow', async () => {
  const { start, steps, status, error } = useFlow<typeof AnalyzeText>('analyze_text')
  const run = await start({ text: 'Hello' })
  void [start, steps, status, error, run]
})

it('useRun', () => {
  const { run, steps, connection } = useRun<typeof AnalyzeText>(() => props.runId)
  void [run, steps, connection]
})

it('useRuns', () => {
  const { runs, loadMore, hasMore } = useRuns({ flow: 'analyze_text', status: 'started' })
  void [runs, loadMore, hasMore]
})

it('usePgflowStatus', () => {
  const status = usePgflowStatus()
  const label = computed(() => status.value.reason ?? status.value.status)
  void [status, label]
})

it('useStep', () => {
  const { step } = useStep<typeof AnalyzeText, 'summary'>(() => props.runId, 'summary')
  void [step]
})

it('PgflowError', async () => {
  try {
    await startAsync({ text })
  } catch (error) {
    if (error instanceof PgflowError && error.code === 'unreachable') showRetry(error.runId)
  }
})

it('PgflowError.prototype.toJSON', () => {
  const { code, message, hint } = failure.toJSON()
  void [code, message, hint]
})

it('PgflowError.prototype.about', () => {
  throw failure.about(runId)
})

it('isTerminal', () => {
  const isBusy = !isTerminal(run.status)
  void [isBusy]
})

it('RunHooks', () => {
  useFlow('analyze_text', {
    onCompleted: (run) => notify(`${run.flow_slug} is done`),
    onFailed: (run) => notify(run.error_message),
  })
})

it('flowSchemas', () => {
  createPgflow({
    supabase,
    flows: flowSchemas({ analyze_text: { input: v.object({ text: v.string() }) } }),
  })
})

it('FlowSchemas', () => {
  const flows = flowSchemas({
    analyze_text: {
      input: v.object({ text: v.pipe(v.string(), v.minLength(1)) }),
      steps: { words: v.array(v.string()) },
    },
  })
  void [flows]
})

it('durationOf', () => {
  const seconds = (durationOf(run) ?? 0) / 1000
  void [seconds]
})

it('taskProgressOf', () => {
  const { done, total } = taskProgressOf(step)
  void [done, total]
})

it('createTestPgflow', async () => {
  const pgflow = createTestPgflow({
    flows: { analyze_text: { words: {}, summary: { deps: ['words'] } } },
  })
  const wrapper = mount(App, { global: { plugins: [createPinia(), pgflow] } })
  await wrapper.find('form').trigger('submit')
  await pgflow.latestRun().complete('words', ['a', 'b'])
  expect(wrapper.text()).toContain('2 words')
  void [pgflow, wrapper]
})

it('scriptFlow', () => {
  const pgflow = createTestPgflow({
    flows: { analyze_text: scriptFlow(AnalyzeText, { words: { output: ['a', 'b'] } }) },
  })
  void [pgflow]
})

it('TestFaults', async () => {
  const { faults, advance } = createTestPgflow({ flows: { f: { only: {} } } })
  faults.dropMessages('only:completed')
  await faults.killSocket()
  await advance(1_000)
  void [faults, advance]
})

it('RunReplay', async () => {
  const pgflow = createTestPgflow()
  const replay = pgflow.replay(recording)
  const wrapper = mount(App, { global: { plugins: [createPinia(), pgflow] } })
  await replay.play()
  void [pgflow, replay, wrapper]
})

it('TestRun', async () => {
  const testPgflow = createTestPgflow({ flows: { analyze_text: AnalyzeText } })
  const seeded = testPgflow.seedRun<typeof AnalyzeText>('analyze_text', { text: 'a bb' })
  await seeded.complete('words', ['a', 'bb'])
  await seeded.play()
  void [testPgflow, seeded]
})
