import { useRun, type PgflowStep } from 'pinia-pgflow'
import { defineComponent, h, nextTick, onUpdated, type Component, type PropType } from 'vue'
import { noFindings, type Benchmark } from '../benchmark.ts'
import { compare, computed } from '../harness.ts'
import { openLoopback } from './loopback.ts'
import { mountPage } from './page.ts'
import { completion, runIdOf, slugOf, snapshotOf } from './rows.ts'

/** Enough of them that one is worth timing. */
const eventsARound = 300

export const benchmark: Benchmark = {
  name: 'apply',
  about:
    'One broadcast, from the frame in supabase-js to the rendered component that shows its step. ' +
    'Times are those of the processor, for one broadcast.',
  async run(rounds) {
    const findings = noFindings()
    findings.comparisons['runs held'] = await compare(
      [await showOne('10 runs', 10, 20), await showOne('10,000 runs', 10_000, 20)],
      rounds(40),
      [{ of: '10,000 runs', to: '10 runs', figure: '≤ 1.3' }],
    )
    findings.comparisons['steps of the run'] = await compare(
      [await showOne('10 steps', 1, 10), await showOne('10,000 steps', 1, 10_000)],
      rounds(40),
      [{ of: '10,000 steps', to: '10 steps', figure: '≤ 1.3' }],
    )
    findings.facts['components rendered for a change, in a list of 100 steps'] =
      await countRenders('by row')
    findings.facts['the same, where each component looks its step up'] =
      await countRenders('by slug')
    return findings
  },
}

/** A page that holds this many runs and shows one step of one of them. */
async function showOne(name: string, runs: number, steps: number) {
  const page = await openPage(runs, steps, (runId) =>
    defineComponent(() => {
      const { step } = useRun(runId)
      return () => h('p', JSON.stringify(step(slugOf(5))?.output ?? null))
    }),
  )
  const measure = async () => {
    const time = await computed(async () => {
      for (let event = 0; event < eventsARound; event += 1) await page.change(slugOf(5))
    })
    if (!page.text().includes(page.latest())) throw new Error('The page shows something else.')
    return time / eventsARound
  }
  return { name, measure }
}

/** How many components render again when one of 100 steps changes: the most of 100 changes. */
async function countRenders(how: 'by row' | 'by slug'): Promise<number> {
  const slugs = Array.from({ length: 100 }, (_, index) => slugOf(index))
  let renders = 0
  let most = 0
  const count = () => (renders += 1)
  const Step = defineComponent({
    props: { output: { type: Function as PropType<() => unknown>, required: true } },
    setup(props) {
      onUpdated(count)
      return () => h('li', JSON.stringify(props.output()))
    },
  })
  // Made once for each row, as a template's handlers are: a new function would be a new prop.
  const getters = new WeakMap<PgflowStep, () => unknown>()
  const rowOf = (step: PgflowStep) => {
    const output = getters.get(step) ?? (() => step.output)
    getters.set(step, output)
    return h(Step, { key: step.step_slug, output })
  }
  const page = await openPage(1, slugs.length, (runId) =>
    defineComponent(() => {
      const run = useRun(runId)
      onUpdated(count)
      const lookups = slugs.map((slug) => ({ key: slug, output: () => run.step(slug)?.output }))
      return how === 'by slug'
        ? () => lookups.map((props) => h(Step, props))
        : () => run.steps.value.map(rowOf)
    }),
  )
  for (const slug of slugs) {
    renders = 0
    await page.change(slug)
    if (!page.text().includes(page.latest())) throw new Error('The change is not shown.')
    most = Math.max(most, renders)
  }
  page.unmount()
  return most
}

/** A page on a database of started runs; the first run is shown, the others only held. */
async function openPage(runs: number, steps: number, show: (runId: string) => Component) {
  const shown = runIdOf(0)
  let seq = 1
  const loopback = openLoopback((_name, { p_run_ids: ids, p_run_id: id }) => {
    const wanted = Array.isArray(ids) ? ids : [id]
    return wanted.map((each) =>
      snapshotOf(String(each), each === shown ? steps : 3, each === shown ? seq : 1),
    )
  })
  const page = mountPage(loopback, show(shown))
  page.mount()
  const ids = Array.from({ length: runs }, (_, index) => runIdOf(index))
  await Promise.all(ids.map((id) => page.store.refreshRun(id)))
  while (page.store.connections[shown]?.status !== 'live') await nextTurn()
  await nextTick()
  return {
    ...page,
    latest: () => `change ${seq}`,
    change: (slug: string) => {
      seq += 1
      const payload = completion(shown, slug, seq, `change ${seq}`)
      loopback.broadcast(`pgflow:run:${shown}`, `${slug}:completed`, payload)
      return nextTick()
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}
