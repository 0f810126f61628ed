import { Flow } from '@pgflow/dsl'
import { useFlow, type PgflowOptions } from 'pinia-pgflow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect } from '../support/backend.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'
import { noAnswers, type NoAnswer } from '../support/no-answers.ts'
import { bootPlainBackend } from './support/plain-backend.ts'

// Known from supabase/supabase#25820, supabase/supabase-js#1684 and supabase/postgrest-js#646: what
// is between an app and its database answers instead of it, after the work is done.

const Hello = new Flow<{ name: string }>({ slug: 'hello' }).step({ slug: 'a' }, () => 1)

const empty: NoAnswer = { what: 'nothing', status: 200, body: '' }
/** The waits between attempts pass quickly; a request may take as long as it does. */
const quick = { scheduler: fastScheduler(50), startTimeout: 600_000, snapshotTimeout: 600_000 }

/** A client whose next start is done, and answered by somebody else. */
function connectBehind(backend: Backend, { status, body }: NoAnswer) {
  let lost = 1
  return connect(backend, async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const answer = await fetch(input, init)
    if (lost === 0 || !url.includes('start_flow')) return answer
    lost -= 1
    return new Response(body, { status, headers: { 'content-type': 'text/html' } })
  })
}

interface Mode {
  mode: string
  boot: () => Promise<Backend>
  options: Pick<PgflowOptions, 'schema'>
}

describe.each<Mode>([
  { mode: 'this SQL', boot: () => bootBackend([Hello]), options: {} },
  { mode: 'plain pgflow', boot: () => bootPlainBackend([Hello]), options: { schema: 'pgflow' } },
])('a start over $mode that was executed, but whose response is', ({ boot, options }) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await boot()
  })
  afterAll(() => backend.close())
  const runs = async () => (await backend.db.query('select 1 from pgflow.runs')).length

  it.each([...noAnswers, empty])('$what ($status) is repeated: one run', async (noAnswer) => {
    const supabase = connectBehind(backend, noAnswer)
    const before = await runs()
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Hello>('hello'), {
      ...quick,
      ...options,
    })
    const run = await flow.startAsync({ name: 'Ada' })
    expect(run.input).toEqual({ name: 'Ada' })
    expect(flow.error.value).toBeNull()
    expect(await runs()).toBe(before + 1)
    wrapper.unmount()
    await supabase.removeAllChannels()
  })
})
