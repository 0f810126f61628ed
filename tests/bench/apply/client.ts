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

/** A page with a list of all steps of one run after the other. */
interface Page {
  loopback: Loopback
  text: () => string
  /** Shows another run; resolves when it is heard. */
  show: (runId: string) => Promise<void>
}

export const benchmark: Benchmark = {
  name: 'apply-client',
  about:
    `One broadcast in a list of ${slugs.length} steps, a component each, from the frame in ` +
    'supabase-js to the rendered page: with @pgflow/client and what one writes around it to show ' +
    'it in Vue, either a list made anew for each event or a reactive object for each step. The ' +
    'floor is the same frame through supabase-js, one write into a reactive row, and the render: ' +
    'nothing is checked, merged or counted. Each has one page, which shows four new runs in each ' +
    'round. Times are those of the processor, for one broadcast.',
  async run(rounds) {
    const findings = noFindings()
    const [ours, list, objects, floor] = [
      'pinia-pgflow',
      '@pgflow/client, a list',
      '@pgflow/client, objects',
      'the floor',
    ]
    const pages = {
      ours: openOurs(),
      list: openTheirs(glueList),
      objects: openTheirs(glueObjects),
      floor: openFloor(),
    }
    // @pgflow/client tells the console what its channels do.
    const { log } = console
    console.log = () => {}
    findings.comparisons['a row of a step written'] = await compare(
      [
        { name: ours, measure: () => measure(pages.ours, '') },
        { name: objects, measure: () => measure(pages.objects, 'step:') },
        { name: floor, measure: () => measure(pages.floor, '') },
      ],
      rounds(120),
      [
        { of: objects, to: ours, figure: '≥ 1' },
        { of: ours, to: floor, figure: '≤ 1.25' },
      ],
    )
    // On its own: what it leaves to be collected would be counted with whatever comes next.
    findings.comparisons['the list made anew'] = await compare(
      [
        { name: ours, measure: () => measure(pages.ours, '') },
        { name: list, measure: () => measure(pages.list, 'step:') },
      ],
      rounds(10),
      [{ of: list, to: ours, figure: '≥ 2' }],
    )
    console.log = log
    return findings
  },
}

let runs = 0

/** Few, and many rounds: what else the machine does then meets all variants alike. */
const runsARound = 4

async function measure(page: Page, prefix: string): Promise<number> {
  let time = 0
  for (let run = 0; run < runsARound; run += 1) time += await measureRun(page, prefix)
  return time / runsARound
}

/** Every step of a new run completes, one after the other. */
async function measureRun({ loopback, text, show }: Page, prefix: string): Promise<number> {
  const runId = runIdOf(runs++)
  await show(runId)
  const time = await computed(async () => {
    for (const [index, slug] of slugs.entries()) {
      const payload = completion(runId, slug, index + 2, `done with ${slug}`)
      loopback.broadcast(`pgflow:run:${runId}`, `${prefix}${slug}:completed`, payload)
      await nextTick()
    }
  })
  if (!slugs.every((slug) => text().includes(`done with ${slug}`)))
    throw new Error('Not all shown.')
  return time / slugs.length
}

const Row = defineComponent({
  props: { step: { type: Object as PropType<Shown>, required: true } },
  setup: (props) => () =>
    h('li', [props.step.step_slug, props.step.status, JSON.stringify(props.step.output)]),
})

const rowsOf = (steps: readonly Shown[]) =>
  steps.map((step) => h(Row, { key: step.step_slug, step }))

function openOurs(): Page {
  const loopback = openLoopback((name, { p_run_id: id }) =>
    name === 'get_run_seqs' ? {} : [snapshotOf(String(id), slugs.length, 1)],
  )
  const shownId = shallowRef<string>()
  const root = defineComponent(() => {
    const { steps } = useRun(shownId)
    return () => rowsOf(steps.value)
  })
  const { store, mount, text } = mountPage(loopback, root)
  mount()
  return {
    loopback,
    text,
    async show(runId) {
      // Whoever is done with a run lets go of it.
      if (shownId.value !== undefined) store.removeRun(shownId.value)
      shownId.value = runId
      await until(() => store.connections[runId]?.status === 'live')
    },
  }
}

/** The least that shows a broadcast: what comes is written into the row of its step. */
function openFloor(): Page {
  const loopback = openLoopback(() => [])
  const { steps, text } = mountRows()
  return {
    loopback,
    text,
    async show(runId) {
      await loopback.supabase.removeAllChannels()
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
      steps.value = () => rows
      await nextTick()
    },
  }
}

function openTheirs(glue: (run: TheirRun) => () => readonly Shown[]): Page {
  const loopback = openLoopback((_name, { run_id: id }) => snapshotOf(String(id), slugs.length, 1))
  const client = new PgflowClient(loopback.supabase, { realtimeStabilizationDelayMs: 0 })
  const { steps, text } = mountRows()
  let last: string | undefined
  return {
    loopback,
    text,
    async show(runId) {
      const run: TheirRun | null = await client.getRun(runId)
      if (!run) throw new Error('no run')
      if (last !== undefined) client.dispose(last)
      last = runId
      steps.value = glue(run)
      await nextTick()
    },
  }
}

/** A page of rows, which come from a function. */
function mountRows() {
  const steps = shallowRef<() => readonly Shown[]>(() => [])
  const app = createApp(defineComponent(() => () => rowsOf(steps.value())))
  const element = document.createElement('div')
  app.mount(element)
  return { steps, text: () => element.textContent }
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
