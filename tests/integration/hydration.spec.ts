import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { parse, stringify } from 'devalue'
import { createPinia, type StateTree } from 'pinia'
import { createPgflow, pgflowPayload, usePgflowStore, useRun, type Scheduler } from 'pinia-pgflow'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSSRApp, defineComponent, h, nextTick, Suspense, type Component } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { expectConsole } from '../support/no-warnings.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  async ({ run }) => {
    await fixture.gate.wait()
    return `Hello ${run.name}`
  },
)

const fixture = useBackend([Greet])

afterEach(() => {
  vi.unstubAllGlobals()
  document.body.innerHTML = ''
})

/** Those of the test: the server's and the browser's. */
let clients: SupabaseClient[] = []
beforeEach(() => {
  clients = []
})

function client(): SupabaseClient {
  const made = fixture.client(fixture.recording.fetch)
  clients.push(made)
  return made
}

const startedRun = (name = 'Ada') => fixture.startRun('greet', { name })

async function completedRun(): Promise<string> {
  const runId = await startedRun()
  fixture.gate.open()
  await vi.waitFor(async () => {
    const [row] = await fixture.backend.db.query(
      'select status from pgflow.runs where run_id = $1',
      [runId],
    )
    expect(row).toEqual({ status: 'completed' })
  })
  return runId
}

const Row = defineComponent({
  props: { runId: { type: String, required: true } },
  setup(props) {
    const { run, step } = useRun<typeof Greet>(() => props.runId)
    return () =>
      h('li', `${run.value?.input.name ?? 'nobody'} ${step('hello')?.output ?? 'not yet'}`)
  },
})
/** The same run three times, one of them deeper than the others. */
const Page = defineComponent({
  props: { runId: { type: String, required: true } },
  setup(props) {
    const { run, connection } = useRun<typeof Greet>(() => props.runId)
    return () =>
      h('ul', [
        h('b', run.value?.flow_slug ?? 'none'),
        // The server is never live, so that the browser must not be at first either.
        run.value && h('i', connection.value.status),
        h(Row, { runId: props.runId }),
        h(Row, { runId: props.runId }),
      ])
  },
})

/** What a server makes of a page for one request: as in Node, without a window. */
async function render(page: Component, runId: string, options: { scheduler?: Scheduler } = {}) {
  vi.stubGlobal('window', undefined)
  const supabase = client()
  const pinia = createPinia()
  const plugin = createPgflow({ supabase, ...options })
  const app = createSSRApp(page, { runId }).use(pinia).use(plugin)
  try {
    const html = await renderToString(app)
    return { html, state: JSON.stringify(pinia.state.value), supabase }
  } finally {
    vi.unstubAllGlobals()
  }
}

/** What the browser does with it. */
function hydrate(page: Component, runId: string, { html, state }: { html: string; state: string }) {
  document.body.innerHTML = `<div id="app">${html}</div>`
  const pinia = createPinia()
  pinia.state.value = JSON.parse(state) as Record<string, StateTree>
  const app = createSSRApp(page, { runId })
    .use(pinia)
    .use(createPgflow({ supabase: client() }))
  app.mount('#app')
  return { app, store: usePgflowStore(pinia), text: () => document.body.textContent }
}

describe('a page on a server', () => {
  it('reads a run once, however many components show it', async () => {
    const runId = await startedRun()
    const { html } = await render(Page, runId)
    expect(html).toContain('Ada not yet')
    expect(fixture.recording.calls.map(({ name }) => name)).toEqual(['get_run_with_states'])
  })

  it('waits for `ready` in an async set-up, which then sees the run', async () => {
    const runId = await startedRun()
    const Titled = defineComponent({
      props: { runId: { type: String, required: true } },
      async setup(props) {
        const { run, ready } = useRun<typeof Greet>(() => props.runId)
        await ready
        const title = `Run of ${run.value?.input.name ?? 'nobody'}`
        return () => h('h1', title)
      },
    })
    const Root = defineComponent({
      props: { runId: { type: String, required: true } },
      setup: (props) => () => h(Suspense, null, { default: h(Titled, { runId: props.runId }) }),
    })
    const rendered = await render(Root, runId)
    expect(rendered.html).toContain('Run of Ada')
    const page = hydrate(Root, runId, rendered)
    await until(() => page.store.connections[runId]?.status === 'live')
    expect(page.text()).toBe('Run of Ada')
    page.app.unmount()
  })

  it('fails if its set-up awaits `ready` of a run that is not there, and does not catch [F36]', async () => {
    const runId = crypto.randomUUID()
    const strict = (isCaught: boolean) =>
      defineComponent({
        inheritAttrs: false,
        async setup() {
          const { run, ready } = useRun(runId)
          await (isCaught ? ready.catch(() => undefined) : ready)
          return () => h('h1', run.value?.flow_slug ?? 'no run')
        },
      })
    expectConsole(/Unhandled error during execution of setup function/)
    expect((await render(strict(true), runId)).html).toBe('<h1>no run</h1>')
    await expect(render(strict(false), runId)).rejects.toMatchObject({ code: 'run_not_found' })
  })

  it('shares nothing with one that is rendered at the same time for somebody else', async () => {
    await fixture.backend.db.query(`select pgflow_realtime.set_visibility('private')`)
    try {
      const [ada, bob] = [client(), client()]
      for (const user of [ada, bob]) {
        const email = `${crypto.randomUUID()}@example.com`
        expect((await user.auth.signUp({ email, password: 'a long password' })).error).toBeNull()
      }
      const reply = await ada
        .schema('pgflow_client')
        .rpc('start_flow_with_states', { p_flow_slug: 'greet', p_input: { name: 'Ada' } })
      const [{ run }] = reply.data as [{ run: { run_id: string } }]
      vi.stubGlobal('window', undefined)
      const [hers, his] = await Promise.all(
        [ada, bob].map(async (supabase) => {
          const pinia = createPinia()
          const app = createSSRApp(Row, { runId: run.run_id })
          app.use(pinia).use(createPgflow({ supabase, private: true }))
          return { html: await renderToString(app), state: JSON.stringify(pinia.state.value) }
        }),
      )
      vi.unstubAllGlobals()
      expect(hers?.html).toContain('Ada')
      expect(his?.html).toContain('nobody')
      expect(his?.state).not.toContain('Ada')
    } finally {
      await fixture.backend.db.query(`select pgflow_realtime.set_visibility('public')`)
    }
  })

  it('opens no socket and leaves no timer and no channel [F34]', async () => {
    const runId = await startedRun()
    const pending = new Set<() => void>()
    let made = 0
    const scheduler: Scheduler = {
      now: () => performance.now(),
      random: Math.random,
      after(ms, task) {
        made += 1
        const timer = setTimeout(() => {
          pending.delete(task)
          task()
        }, ms)
        pending.add(task)
        return () => {
          pending.delete(task)
          clearTimeout(timer)
        }
      },
    }
    const { supabase } = await render(Page, runId, { scheduler })
    expect(supabase.getChannels()).toEqual([])
    expect(supabase.realtime.isConnected()).toBe(false)
    expect(fixture.backend.realtime.faults.killSockets()).toBe(0)
    // The deadline of the one read, and no other.
    expect({ made: made > 0, pending: pending.size }).toEqual({ made: true, pending: 0 })
  })
})

describe('the same page in the browser', () => {
  it('shows what the server sent, goes live, and requests no more than a page of its own [F4]', async () => {
    const runId = await startedRun()
    const rendered = await render(Page, runId)
    fixture.recording.calls.length = 0
    const page = hydrate(Page, runId, rendered)
    // Before anything is answered: the markup is the server's.
    expect(document.querySelector('#app')?.innerHTML).toBe(rendered.html)
    await until(() => page.store.connections[runId]?.status === 'live')
    fixture.gate.open()
    await until(() => page.text().includes('Hello Ada'))
    await until(() => page.store.connections[runId]?.status === 'closed')
    // At once, after the join, when replication is ready, and to confirm the end.
    expect(fixture.recording.calls.length).toBeLessThanOrEqual(4)
    page.app.unmount()
  })

  it('requests nothing for a run that had ended on the server', async () => {
    const runId = await completedRun()
    const rendered = await render(Page, runId)
    expect(rendered.html).toContain('Hello Ada')
    fixture.recording.calls.length = 0
    const page = hydrate(Page, runId, rendered)
    await nextTick()
    expect(page.text()).toContain('Hello Ada')
    expect(page.store.connections[runId]?.status).toBe('closed')
    expect(fixture.recording.calls).toEqual([])
    expect(clients.flatMap((made) => made.getChannels())).toEqual([])
    page.app.unmount()
  })

  it('shows a run that the server could not read [F36]', async () => {
    const runId = await startedRun()
    fixture.recording.isDown = true
    const rendered = await render(Page, runId)
    expect(rendered.html).toContain('nobody not yet')
    fixture.recording.isDown = false
    const page = hydrate(Page, runId, rendered)
    await until(() => page.text().includes('Ada'))
    await until(() => page.store.connections[runId]?.status === 'live')
    page.app.unmount()
  })

  it('shows a run whose input has a name that serialisers refuse, over the payload of Nuxt', async () => {
    const [row] = await fixture.backend.db.query<{ run_id: string }>(
      `select run_id from pgflow.start_flow('greet', $1::jsonb)`,
      ['{"name": "Ada", "__proto__": {"isAdmin": true}}'],
    )
    const runId = row?.run_id ?? ''
    const rendered = await render(Page, runId)
    const text = stringify(JSON.parse(rendered.state), { PgflowRow: pgflowPayload.reduce })
    const sent: unknown = parse(text, { PgflowRow: pgflowPayload.revive })
    const page = hydrate(Page, runId, { ...rendered, state: JSON.stringify(sent) })
    expect(document.querySelector('#app')?.innerHTML).toBe(rendered.html)
    await until(() => page.store.connections[runId]?.status === 'live')
    const input = page.store.runById(runId)?.input ?? null
    expect(JSON.stringify(structuredClone(input))).toContain('"__proto__":{"isAdmin":true}')
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined()
    page.app.unmount()
  })
})
