import { readdir, readFile } from 'node:fs/promises'
import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { usePgflowStore, useRun } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect, createGate, until, type Gate } from '../support/backend.ts'

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

let gate: Gate
const Wait = new Flow<{ text: string }>({ slug: 'wait' })
  .step({ slug: 'zero' }, async () => {
    await gate.wait()
    return 'zero'
  })
  .step({ slug: 'after', dependsOn: ['zero'] }, () => 'after')

let backend: Backend
let supabase: SupabaseClient
beforeEach(() => {
  gate = createGate()
})

describe('a project that limits the rows of a reply', () => {
  beforeAll(async () => {
    backend = await bootBackend([Wait], { maxRows: 5 })
  })
  afterAll(() => backend.close())
  beforeEach(() => {
    supabase = connect(backend)
  })
  afterEach(async () => {
    gate.open()
    await supabase.removeAllChannels()
  })

  it('cuts the rows of a table, as PostgREST does', async () => {
    await backend.db.exec(`create table public.many as select generate_series(1, 9) as n;
      grant select on public.many to anon;
      notify pgrst, 'reload schema';`)
    // The schema is read anew some time after the notification.
    const lengthOf = async () => (await supabase.from('many').select('n')).data?.length
    await vi.waitFor(async () => expect(await lengthOf()).toBe(5), { timeout: 15_000 })
  })

  it('takes nothing from a list or from many runs read at once', async () => {
    await supabase.auth.signUp({ email: 'ada@example.com', password: 'correct horse' })
    const { store, lists, wrapper } = mountApp(supabase, () => usePgflowStore())
    const started = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.startFlow('wait', { text: String(index) })),
    )
    const ids = started.map(({ run_id }) => run_id).sort()
    const { runs } = await lists.fetchRuns({ pageSize: 20 })
    expect(runs.map(({ run_id }) => run_id).sort()).toEqual(ids)
    store.$reset()
    // Asked for in one turn, they are read by one call.
    await Promise.all(ids.map((id) => store.refreshRun(id)))
    expect(Object.keys(store.runs).sort()).toEqual(ids)
    const seqs = await supabase.schema('pgflow_client').rpc('get_run_seqs', { p_run_ids: ids })
    expect(Object.keys(seqs.data as object).sort()).toEqual(ids)
    for (const id of ids) {
      expect((seqs.data as Record<string, number>)[id]).toBe(store.connections[id]?.seq)
    }
    wrapper.unmount()
  })
})

describe('a migration that is replaced while a run is followed', () => {
  beforeEach(async () => {
    backend = await bootBackend([Wait])
    supabase = connect(backend)
  })
  afterEach(async () => {
    gate.open()
    await supabase.removeAllChannels()
    await backend.close()
  })

  async function liveRun() {
    const app = mountApp(supabase, () => usePgflowStore())
    const { run_id } = await app.store.startFlow('wait', { text: 'a' })
    const view = mountApp(supabase, () => useRun(run_id))
    await until(() => view.result.connection.value.status === 'live')
    return { app, view, run_id }
  }

  it('is followed on over uninstalling and installing, counters lost', async () => {
    const { app, view, run_id } = await liveRun()
    const before = view.result.connection.value.seq ?? 0
    await backend.db.exec(await read('supabase/uninstall.sql'))
    await backend.db.exec(await migration())
    await backend.db.exec(`select pgflow_client.allow_start('wait', 'anon')`)
    gate.open()
    await until(() => view.result.isCompleted.value)
    await until(() => view.result.connection.value.status === 'closed')
    expect(view.result.steps.value.map(({ output }) => output)).toEqual(['zero', 'after'])
    expect(view.result.connection.value.seq).toBeGreaterThan(before)
    expect(view.traced('gap')).toBeGreaterThan(0)
    const seqs = await supabase.schema('pgflow_client').rpc('get_run_seqs', { p_run_ids: [run_id] })
    expect((seqs.data as Record<string, number>)[run_id]).toBe(view.result.connection.value.seq)
    view.wrapper.unmount()
    app.wrapper.unmount()
  })

  it('by an older one is named as what is to be upgraded', async () => {
    const { app, view, run_id } = await liveRun()
    await backend.db.exec(await read('supabase/uninstall.sql'))
    await backend.db.exec(await read('tests/sql/fixtures/first-edition.sql'))
    await expect(app.store.refreshRun(run_id)).rejects.toMatchObject({
      code: 'malformed_reply',
      hint: expect.stringContaining('run the newest') as string,
    })
    view.wrapper.unmount()
    app.wrapper.unmount()
  })

  it('by a newer one names the package', async () => {
    const { app, view, run_id } = await liveRun()
    await backend.db.exec(`
      create or replace function pgflow_client.api_version() returns integer
      language sql immutable set search_path = '' as 'select 3';
      drop function pgflow_client.get_run_with_states(uuid);
      notify pgrst, 'reload schema';`)
    await expect(app.store.refreshRun(run_id)).rejects.toMatchObject({
      code: 'not_migrated',
      hint: expect.stringContaining('upgrade pinia-pgflow') as string,
    })
    view.wrapper.unmount()
    app.wrapper.unmount()
  })
})

async function migration(): Promise<string> {
  const folder = new URL('../../supabase/migrations/', import.meta.url)
  const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.sql')).slice(-1)
  return read(`supabase/migrations/${name}`)
}
