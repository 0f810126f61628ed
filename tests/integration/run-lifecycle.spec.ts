import { Flow } from '@pgflow/dsl'
import { useFlow, useRun, type PgflowStep } from 'pinia-pgflow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watch } from 'vue'
import { mountApp } from '../support/app.ts'
import { connect, createGate, until, type Gate } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const gates = new Map<string, Gate>()
const gateOf = (slug: string): Gate => {
  const gate = gates.get(slug) ?? createGate()
  gates.set(slug, gate)
  return gate
}

const Greet = new Flow<{ name: string }>({ slug: 'greet', maxAttempts: 1 })
  .step({ slug: 'clean' }, async ({ run }) => {
    await gateOf('clean').wait()
    return { name: run.name.trim() }
  })
  .step({ slug: 'upper', dependsOn: ['clean'] }, ({ clean }) => clean.name.toUpperCase())
  .step({ slug: 'letters', dependsOn: ['clean'] }, async ({ clean }) => {
    await gateOf('letters').wait()
    return clean.name.length
  })
  .step({ slug: 'report', dependsOn: ['upper', 'letters'] }, ({ upper, letters }) => ({
    text: `${upper} has ${letters} letters`,
  }))

const Fragile = new Flow<{ name: string }>({ slug: 'fragile', maxAttempts: 2, baseDelay: 1 })
  .step({ slug: 'first' }, ({ run }) => run.name)
  .step({ slug: 'second', dependsOn: ['first'] }, (): string => {
    throw new Error('the mill is closed')
  })

const fixture = useBackend([Greet, Fragile])

beforeEach(() => {
  gates.clear()
})

afterEach(() => {
  for (const gate of gates.values()) gate.open()
})

/** The database's own answer, to compare the store with. */
async function truth(runId: string) {
  const rows = await fixture.backend.db.query<{ run: object; steps: PgflowStep[]; seq: string }>(
    'select * from pgflow_client.get_run_with_states($1)',
    [runId],
  )
  const row = rows[0]
  if (!row) throw new Error('no such run')
  // As the store has them: in the order of the flow.
  const steps = row.steps.sort((a, b) => (a.step_index ?? 0) - (b.step_index ?? 0))
  return { run: row.run, steps, seq: Number(row.seq) }
}

const rowsOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('a run from start to end', () => {
  it('streams every step into the component and ends equal to the database [C4]', async () => {
    const {
      result: flow,
      store,
      reported,
      traced,
      wrapper,
    } = mountApp(fixture.supabase, () => {
      const flow = useFlow<typeof Greet>('greet')
      const seen: string[] = []
      watch(
        () => flow.steps.value.map((step) => `${step.step_slug} ${step.status}`),
        (now) => seen.push(...now.filter((line) => !seen.includes(line))),
        { flush: 'sync' },
      )
      return { ...flow, seen }
    })
    expect(flow.status.value).toBe('idle')

    const starting = flow.startAsync({ name: ' Ada ' })
    expect(flow.isPending.value).toBe(true)
    expect(flow.status.value).toBe('pending')
    const run = await starting
    expect(run).toMatchObject({ flow_slug: 'greet', status: 'started', input: { name: ' Ada ' } })
    expect(flow.isPending.value).toBe(false)
    expect(flow.steps.value.map((step) => step.step_slug)).toEqual([
      'clean',
      'upper',
      'letters',
      'report',
    ])
    await until(() => flow.connection.value.status === 'live')

    gateOf('clean').open()
    await gateOf('letters').reached
    await until(() => flow.step('upper')?.status === 'completed')
    expect(flow.step('upper')?.output).toBe('ADA')
    expect(flow.step('letters')?.status).toBe('started')
    expect(flow.progress.value).toMatchObject({ total: 4, done: 2, fraction: 0.5 })

    gateOf('letters').open()
    await until(() => flow.status.value === 'completed')
    expect(flow.run.value?.output).toEqual({ report: { text: 'ADA has 3 letters' } })
    // The first step is started in the transaction that creates the run.
    const statuses = ['started', 'completed']
    expect(flow.seen).toEqual(
      expect.arrayContaining([
        ...statuses.map((status) => `clean ${status}`),
        ...['upper', 'letters', 'report'].flatMap((slug) =>
          ['created', ...statuses].map((status) => `${slug} ${status}`),
        ),
      ]),
    )

    await until(() => flow.connection.value.status === 'closed')
    const { run: row, steps, seq } = await truth(run.run_id)
    expect(row).toMatchObject({ ...(rowsOf(flow.run.value) as object) })
    expect(steps).toMatchObject(rowsOf(flow.steps.value) as object[])
    expect(flow.connection.value).toMatchObject({ seq, error: null })
    expect(traced('gap')).toBe(0)
    expect(flow.progress.value.fraction).toBe(1)
    expect(reported).toEqual([])
    expect(fixture.supabase.getChannels()).toEqual([])
    expect(JSON.parse(JSON.stringify(store.$state))).toEqual(store.$state)
    wrapper.unmount()
  })

  it('ends as failed with the error of the step, after its retries', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof Fragile>('fragile'),
    )
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    await until(() => flow.status.value === 'failed')
    expect(flow.step('first')).toMatchObject({ status: 'completed', output: 'Ada' })
    expect(flow.step('second')).toMatchObject({
      status: 'failed',
      error_message: 'the mill is closed',
    })
    expect(flow.run.value?.error_message).toBe('the mill is closed')
    expect(flow.error.value).toBeNull()
    await until(() => flow.connection.value.status === 'closed')
    const { run, steps } = await truth(run_id)
    expect(run).toMatchObject(rowsOf(flow.run.value) as object)
    expect(steps).toMatchObject(rowsOf(flow.steps.value) as object[])
    wrapper.unmount()
  })

  it('comes out right when the socket dies in the middle and events are lost [C1]', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof Greet>('greet'),
    )
    const { run_id } = await flow.startAsync({ name: 'Grace' })
    await until(() => flow.connection.value.status === 'live')

    fixture.backend.realtime.faults.loseReplication()
    fixture.backend.realtime.faults.killSockets()
    await until(() => flow.connection.value.status === 'offline')
    gateOf('clean').open()
    await gateOf('letters').reached
    fixture.backend.realtime.faults.restoreReplication()
    gateOf('letters').open()

    await until(() => flow.status.value === 'completed')
    await until(() => flow.connection.value.status === 'closed')
    const { run, steps, seq } = await truth(run_id)
    expect(run).toMatchObject(rowsOf(flow.run.value) as object)
    expect(steps).toMatchObject(rowsOf(flow.steps.value) as object[])
    expect(flow.connection.value.seq).toBe(seq)
    wrapper.unmount()
  })

  it('notices a single lost broadcast by its seq and reads the run again', async () => {
    const {
      result: flow,
      traced,
      wrapper,
    } = mountApp(fixture.supabase, () => useFlow<typeof Greet>('greet'))
    await flow.startAsync({ name: 'Grace' })
    await until(() => flow.connection.value.status === 'live')
    const undo = fixture.backend.realtime.faults.tamper((broadcast, deliver) => {
      if (broadcast.event !== 'clean:completed') deliver(broadcast)
    })
    gateOf('clean').open()
    await until(() => flow.step('clean')?.status === 'completed')
    undo()
    expect(flow.step('clean')?.output).toEqual({ name: 'Grace' })
    expect(traced('gap')).toBeGreaterThan(0)
    gateOf('letters').open()
    await until(() => flow.status.value === 'completed')
    wrapper.unmount()
  })

  it('shows a run to a second component, over the same channel, until both have left [C11] [F24]', async () => {
    const first = mountApp(fixture.supabase, () => useFlow<typeof Greet>('greet'), { gcTime: 0 })
    const { run_id } = await first.result.startAsync({ name: 'Ada' })
    const other = connect(fixture.backend)
    const second = mountApp(
      other,
      () => ({ one: useRun<typeof Greet>(run_id), two: useRun<typeof Greet>(() => run_id) }),
      { gcTime: 0 },
    )
    await second.result.one.ready
    expect(second.result.one.run.value).toMatchObject({ status: 'started', flow_slug: 'greet' })
    await until(() => second.result.two.connection.value.status === 'live')
    expect(other.getChannels()).toHaveLength(1)
    gateOf('clean').open()
    await until(() => second.result.two.step('clean')?.status === 'completed')
    second.wrapper.unmount()
    await until(() => other.getChannels().length === 0)
    expect(first.result.connection.value.status).toBe('live')
    first.wrapper.unmount()
    await other.removeAllChannels()
  })
})
