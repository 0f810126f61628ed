import './document.ts'
import { PgflowClient } from '@pgflow/client'
import { useRun } from 'pinia-pgflow'
import { REALTIME_SUBSCRIBE_STATES } from '@supabase/supabase-js'
import {
  createApp,
  defineComponent,
  h,
  markRaw,
  nextTick,
  reactive,
  shallowRef,
  type PropType,
} from 'vue'
import { noFindings, type Benchmark } from '../benchmark.ts'
import { compare, computed } from '../harness.ts'
import { openLoopback, type Loopback } from './loopback.ts'
import { mountPage } from './page.ts'
import { completion, runIdOf, slugOf, snapshotOf } from './rows.ts'

const slugs = Array.from({ length: 200 }, (_, index) => slugOf(index))

/** What a row shows of a step. */
interface Shown {
  step_slug: string
  status: string
  output: unknown
}

/** What the glue uses of the client's run. */
interface TheirRun {
  step: (
    slug: string,
  ) => Omit<Shown, 'step_slug'> & { on: (event: '*', call: () => void) => unknown }
}

/** A page with a list of all steps. */
interface Page {
  loopback: Loopback
  text: () => string
  close: () => void
}

export const benchmark: Benchmark = {
  name: 'apply-client',
  about:
    `One broadcast in a list of ${slugs.length} steps, a component each, from the frame in ` +
    'supabase-js to the rendered page: with @pgflow/client and what one writes around it to show ' +
    'it in Vue, either a list made anew for each event or a reactive object for each step. The ' +
    'floor is the same frame through supabase-js, one write into a reactive row, and the render: ' +
    'nothing is checked, merged or counted. Times are those of the processor, for one broadcast.',
  async run(rounds) {
    const findings = noFindings()
    const [ours, list, objects, floor] = [
      'pinia-pgflow',
      '@pgflow/client, a list',
      '@pgflow/client, objects',
      'the floor',
    ]
    findings.comparisons['a list of steps'] = await compare(
      [
        { name: ours, measure: () => measure(openOurs, '') },
        { name: list, measure: () => measure((runId) => openTheirs(runId, glueList), 'step:') },
        {
          name: objects,
          measure: () => measure((runId) => openTheirs(runId, glueObjects), 'step:'),
        },
        { name: floor, measure: () => measure(openFloor, '') },
      ],
      rounds(25),
      [
        { of: list, to: ours, figure: '≥ 2' },
        { of: objects, to: ours, figure: '≥ 1' },
        { of: ours, to: floor, figure: '≤ 1.25' },
      ],
    )
    return findings
  },
}

let rounds = 0

/** Every step of a new run completes, one after the other. */
async function measure(open: (runId: string) => Promise<Page>, prefix: string): Promise<number> {
  const runId = runIdOf(rounds++)
  const { loopback, text, close } = await open(runId)
  const time = await computed(async () => {
    for (const [index, slug] of slugs.entries()) {
      const payload = completion(runId, slug, index + 2, `done with ${slug}`)
      loopback.broadcast(`pgflow:run:${runId}`, `${prefix}${slug}:completed`, payload)
      await nextTick()
    }
  })
  if (!slugs.every((slug) => text().includes(`done with ${slug}`)))
    throw new Error('Not all shown.')
  close()
  return time / slugs.length
}

const Row = defineComponent({
  props: { step: { type: Object as PropType<Shown>, required: true } },
  setup: (props) => () =>
    h('li', [props.step.step_slug, props.step.status, JSON.stringify(props.step.output)]),
})

const rowsOf = (steps: readonly Shown[]) =>
  steps.map((step) => h(Row, { key: step.step_slug, step }))

async function openOurs(runId: string): Promise<Page> {
  const loopback = openLoopback(() => [snapshotOf(runId, slugs.length, 1)])
  const root = defineComponent(() => {
    const { steps } = useRun(runId)
    return () => rowsOf(steps.value)
  })
  const page = mountPage(loopback, root)
  page.mount()
  await until(() => page.store.connections[runId]?.status === 'live')
  return { loopback, text: page.text, close: page.unmount }
}

/** The least that shows a broadcast: what comes is written into the row of its step. */
async function openFloor(runId: string): Promise<Page> {
  const loopback = openLoopback(() => [])
  const rows = reactive(
    slugs.map((slug): Shown => ({ step_slug: slug, status: 'started', output: null })),
  )
  const bySlug = new Map(rows.map((row) => [row.step_slug, row]))
  const channel = loopback.supabase.channel(`pgflow:run:${runId}`)
  channel.on('broadcast', { event: '*' }, ({ payload }: { payload: Shown }) => {
    const row = bySlug.get(payload.step_slug)
    if (!row) return
    row.status = payload.status
    row.output = markRaw(Object(payload.output))
  })
  await new Promise<void>((resolve) => {
    channel.subscribe((status) => {
      if (status === REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) resolve()
    })
  })
  const app = createApp(defineComponent(() => () => rowsOf(rows)))
  const element = document.createElement('div')
  app.mount(element)
  return { loopback, text: () => element.textContent, close: () => app.unmount() }
}

async function openTheirs(
  runId: string,
  glue: (run: TheirRun) => () => readonly Shown[],
): Promise<Page> {
  const { log } = console
  // It tells the console what its channels do.
  console.log = () => {}
  const loopback = openLoopback(() => snapshotOf(runId, slugs.length, 1))
  const client = new PgflowClient(loopback.supabase, { realtimeStabilizationDelayMs: 0 })
  const run: TheirRun | null = await client.getRun(runId)
  if (!run) throw new Error('no run')
  const steps = glue(run)
  const app = createApp(defineComponent(() => () => rowsOf(steps())))
  const element = document.createElement('div')
  app.mount(element)
  return {
    loopback,
    text: () => element.textContent,
    close: () => {
      app.unmount()
      client.disposeAll()
      console.log = log
    },
  }
}

function shown(run: TheirRun, slug: string): Shown {
  const { status, output } = run.step(slug)
  return { step_slug: slug, status, output }
}

/** The short way: whatever happens, look at everything. */
function glueList(run: TheirRun): () => readonly Shown[] {
  const read = () => slugs.map((slug) => shown(run, slug))
  const steps = shallowRef(read())
  for (const slug of slugs) run.step(slug).on('*', () => (steps.value = read()))
  return () => steps.value
}

/** With more care: each event writes the one step it is about. */
function glueObjects(run: TheirRun): () => readonly Shown[] {
  const steps = reactive(slugs.map((slug) => shown(run, slug)))
  for (const [index, slug] of slugs.entries()) {
    run.step(slug).on('*', () => {
      const row = steps[index]
      if (row) Object.assign(row, shown(run, slug))
    })
  }
  return () => steps
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
  await nextTick()
}
