import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { createPgflow } from 'pinia-pgflow'
import { h, type Component } from 'vue'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noFaults } from '../../../playground/backend/faults/state.ts'
import type { Backend } from '../../../playground/backend/index.ts'
import { createFaultTools, FaultNotice, FaultPanel } from '../../../playground/src/faults/index.ts'
import { bootBackend, connect, createGate, until } from '../../support/backend.ts'

let backend: Backend
let supabase: SupabaseClient
let app: VueWrapper
let first = createGate()
let second = createGate()

const Two = new Flow<{ name: string }>({ slug: 'two', maxAttempts: 1 })
  .step({ slug: 'first' }, async () => {
    await first.wait()
    return 1
  })
  .step({ slug: 'second', dependsOn: ['first'] }, async () => {
    await second.wait()
    return 2
  })

beforeAll(async () => {
  backend = await bootBackend([Two])
})
afterAll(() => backend.close())
beforeEach(() => {
  ;[first, second] = [createGate(), createGate()]
  supabase = connect(backend)
})
afterEach(async () => {
  first.open()
  second.open()
  backend.faults.reset()
  app.unmount()
  await supabase.removeAllChannels()
})

function mountPanel(runId: string | null = null, component: Component = FaultPanel) {
  const faults = createFaultTools({
    url: backend.url,
    anonKey: backend.anonKey,
    auth: supabase.auth,
    truthInterval: 20,
  })
  const pgflow = createPgflow({ supabase, trace: faults.trace, onError: () => {} })
  const root = () => h(component, component === FaultPanel ? { runId } : {})
  app = mount(root, { global: { plugins: [createPinia(), pgflow, faults] } })
  return faults
}

async function startRun(): Promise<string> {
  const [row] = await backend.db.query<{ run_id: string }>(
    `select run_id from pgflow.start_flow('two', '{"name": "Ada"}')`,
  )
  return row?.run_id ?? ''
}

const part = (name: string) => app.find(`[data-part="${name}"]`).text()
const differences = () => app.find('[data-differences]').attributes('data-differences')
const select = (key: string) => app.find<HTMLSelectElement>(`[data-switch="${key}"]`)
const kinds = () => app.findAll('[data-kind]').map((row) => row.attributes('data-kind'))
const cells = (row: string) =>
  app
    .find(`[data-row="${row}"]`)
    .findAll('td')
    .map((cell) => cell.text())

/** The panel has its first answers. */
async function shown(): Promise<void> {
  await until(() => app.findAll('[data-switch]').length > 0)
}

describe('the fault panel', () => {
  it('has every switch of the backend, shows what is on, and resets all at once', async () => {
    mountPanel()
    await shown()
    const keys = app.findAll('[data-switch]').map((each) => each.attributes('data-switch'))
    expect(keys.sort()).toEqual(Object.keys(noFaults).sort())
    expect(part('faults')).toBe('Nothing is wrong.')

    for (const key of keys) await select(key ?? '').setValue('1')
    await until(() => part('faults') === `${keys.length} faults are on.`)
    const { state } = backend.faults
    const unchanged = Object.entries(noFaults).filter(([key, value]) => Reflect.get(state, key) === value) // prettier-ignore
    expect(unchanged).toEqual([])

    await app.find('[data-action="reset"]').trigger('click')
    await until(() => part('faults') === 'Nothing is wrong.')
    expect(backend.faults.state).toEqual(noFaults)
    expect(select('offline').element.value).toBe('0')
  })

  it('resets nothing when it is left, and shows what is on when it comes back', async () => {
    mountPanel()
    await shown()
    await select('dropShare').setValue('2')
    await until(() => part('faults') === '1 fault is on.')
    app.unmount()
    expect(backend.faults.state.dropShare).toBe(1)
    mountPanel()
    await until(() => app.find('[data-part="faults"]').text() === '1 fault is on.')
    expect(select('dropShare').element.value).toBe('2')
  })

  it('shows what was switched elsewhere once its page is looked at again', async () => {
    mountPanel()
    await shown()
    backend.faults.set({ delayMs: 1234 })
    window.dispatchEvent(new Event('focus'))
    await until(() => part('faults') === '1 fault is on.')
    // Something that the panel does not offer.
    expect(select('delayMs').element.selectedOptions[0]?.textContent.trim()).toBe('1234')
  })

  it('shows when the backend is gone', async () => {
    const gone = await bootBackend([], { database: { level: 'pgflow' } })
    const faults = createFaultTools({ ...gone, auth: supabase.auth })
    app = mount(() => h(FaultPanel), {
      global: { plugins: [createPinia(), createPgflow({ supabase }), faults] },
    })
    await shown()
    await gone.close()
    await app.find('[data-action="kill-sockets"]').trigger('click')
    await until(() => app.find('[role="alert"]').exists())
    expect(app.find('[role="alert"]').text()).toContain('does not answer')
  })

  it('is not there with a real project', () => {
    app = mount(() => h(FaultPanel), {
      global: { plugins: [createPinia(), createPgflow({ supabase })] },
    })
    expect(app.find('section').exists()).toBe(false)
    expect(app.text()).toBe('')
  })
})

describe('a run that is watched in the panel', () => {
  it('differs from the database while messages are lost without an error, and heals', async () => {
    mountPanel(await startRun())
    await shown()
    await until(() => part('verdict').includes('The connection is live'))
    await until(() => differences() === '0')
    expect(cells('run')).toEqual(['started', 'started'])
    const rows = app.findAll('[data-row]').map((row) => row.attributes('data-row'))
    expect(rows).toEqual(['run', 'first', 'second'])

    await select('replicationLost').setValue('1')
    await until(() => backend.faults.state.replicationLost)
    first.open()
    await until(() => differences() !== '0')
    expect(cells('first')[1]).toMatch(/^completed/)
    expect(app.find('[data-row="first"]').text()).toContain('differs')

    await until(() => kinds().includes('silent'))
    await until(() => differences() === '0')
    expect(part('verdict')).toContain('The connection is polling: realtime_silent')
    expect(kinds()).toEqual(
      expect.arrayContaining(['joined', 'fetch', 'answer', 'probe', 'silent']),
    )
    expect(app.findAll('[data-kind="answer"]').at(-1)?.text()).toContain('run started')

    await app.find('[data-action="reset"]').trigger('click')
    await until(() => !backend.faults.state.replicationLost)
    second.open()
    await until(() => cells('run').join() === 'completed,completed')
    await until(() => part('verdict').includes('The connection is closed'))
  })

  it('comes back when its socket is killed', async () => {
    mountPanel(await startRun())
    await shown()
    await until(() => part('verdict').includes('The connection is live'))
    await app.find('[data-action="kill-sockets"]').trigger('click')
    await until(() => kinds().includes('left'))
    await until(() => kinds().filter((kind) => kind === 'joined').length === 2)
    await until(() => part('verdict').includes('The connection is live'))
  })

  it('is read past the faults: also without a network the database is shown', async () => {
    const runId = await startRun()
    mountPanel(runId)
    await shown()
    await until(() => part('verdict').includes('The connection is live'))
    await select('offline').setValue('1')
    await until(() => backend.faults.state.offline)
    first.open()
    await until(() => cells('first').join() !== 'started,started')
    expect(cells('first')[1]).toMatch(/^completed/)
    expect(cells('first')[0]).toBe('started')
    await select('offline').setValue('0')
    await until(() => differences() === '0')
  })

  it('that is not in the database is shown as missing', async () => {
    mountPanel(crypto.randomUUID())
    await shown()
    await until(() => part('verdict').includes('The database does not have this run.'))
    expect(cells('run')[1]).toMatch(/^–/)
  })
})

describe('the notice of faults', () => {
  it('is there on every page while something is switched on', async () => {
    const faults = mountPanel(null, FaultNotice)
    await until(() => faults.state.value !== null)
    expect(app.text()).toBe('')
    await faults.set({ reorder: true, delayMs: 1_000 })
    await flushPromises()
    expect(app.text()).toContain('2 faults are on')
    await app.find('button').trigger('click')
    await until(() => app.text() === '')
    expect(backend.faults.state).toEqual(noFaults)
  })
})
