import { PgflowClient } from '@pgflow/client'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore, useRun } from 'pinia-pgflow'
import { createApp, defineComponent, h, reactive, shallowRef, type App } from 'vue'

/** Whose library shows the run. */
export type Library = 'pinia-pgflow' | '@pgflow/client'

/** What the benchmark asks the page to do. */
export interface PaintBench {
  /** Shows the steps of a run; resolves when its events are heard. */
  show: (library: Library, runId: string) => Promise<void>
  /** The time of the first painted frame that has this text, in ms since 1970. */
  paintedAt: (text: string) => Promise<number>
  close: () => void
}

declare global {
  interface Window {
    paint: PaintBench
    project: { url: string; key: string }
  }
}

const slugs = Array.from({ length: 20 }, (_, index) => `step_${index}`)
let leave = () => {}

window.paint = {
  async show(library, runId) {
    const { url, key } = window.project
    const supabase = createClient(url, key, { auth: { persistSession: false } })
    const opened =
      library === 'pinia-pgflow' ? showOurs(supabase, runId) : showTheirs(supabase, runId)
    const app = await opened
    leave = () => {
      app.unmount()
      void supabase.removeAllChannels()
    }
  },
  async paintedAt(text) {
    const isShown = () => document.body.textContent.includes(text)
    await new Promise<void>((resolve) => {
      const observer = new MutationObserver(() => {
        if (!isShown()) return
        observer.disconnect()
        resolve()
      })
      observer.observe(document.body, { childList: true, characterData: true, subtree: true })
    })
    await new Promise(requestAnimationFrame)
    // What is posted in a frame runs when it has been painted.
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => resolve()
      port2.postMessage(null)
    })
    return performance.timeOrigin + performance.now()
  },
  close: () => leave(),
}

interface Row {
  step_slug: string
  status: string
  output: unknown
}

const rowOf = ({ step_slug, status, output }: Row) =>
  h('li', { key: step_slug }, `${step_slug}: ${status} ${JSON.stringify(output)}`)

async function showOurs(supabase: SupabaseClient, runId: string): Promise<App> {
  const pinia = createPinia()
  const app = createApp(
    defineComponent(() => {
      const { steps } = useRun(runId)
      return () => h('ol', steps.value.map(rowOf))
    }),
  )
  app.use(pinia).use(createPgflow({ supabase })).mount(document.body)
  const store = usePgflowStore(pinia)
  while (store.connections[runId]?.status !== 'live') await nextFrame()
  return app
}

/** As one writes it for this client: a reactive object for each step. */
async function showTheirs(supabase: SupabaseClient, runId: string): Promise<App> {
  // Its default, `setTimeout` itself, is refused by browsers when it is called as a field.
  const client = new PgflowClient(supabase, { schedule: window.setTimeout.bind(window) })
  const rows = shallowRef<Row[]>([])
  const app = createApp(defineComponent(() => () => h('ol', rows.value.map(rowOf))))
  app.mount(document.body)
  const run = await client.getRun(runId)
  if (!run) throw new Error('no run')
  rows.value = slugs.map((slug) => {
    const step = run.step(slug)
    const read = () => ({ step_slug: slug, status: step.status, output: step.output as unknown })
    const row: Row = reactive(read())
    step.on('*', () => Object.assign(row, read()))
    return row
  })
  return app
}

const nextFrame = () => new Promise(requestAnimationFrame)
