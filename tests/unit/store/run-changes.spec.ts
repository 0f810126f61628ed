import { flowSchemas } from 'pinia-pgflow'
import type { PgflowError, RunChange } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { toRaw } from 'vue'
import { RunStateWriter } from '../../../src/store/run-state.ts'
import { createRunTables } from '../../../src/store/run-tables.ts'
import { mountIn } from '../../support/app.ts'

const flows = { wide: { a: {}, b: {}, c: {} }, chain: { a: {}, b: { deps: ['a'] } } }

function summaryOf(change: RunChange): string {
  if (change.kind === 'retry') return 'retry'
  const row = change.kind === 'run' ? change.run : change.step
  const name = change.kind === 'run' ? 'run' : change.step.step_slug
  return `${name} ${change.from} → ${row.status}`
}

/** A run whose message of `a` was lost, and which is told of when the answer is released. */
async function inDoubt(
  flow: 'wide' | 'chain',
  options: Pick<Parameters<typeof createTestPgflow>[0] & object, 'onError' | 'schemas'> = {},
) {
  const pgflow = createTestPgflow({ flows, ...options })
  const app = mountIn(pgflow, () => ({}))
  const run = pgflow.seedRun(flow, {})
  const observation = app.store.observeRun(run.id)
  await pgflow.settled()
  const told: string[] = []
  app.store.onRunChange((change) => told.push(summaryOf(change)))
  const release = pgflow.faults.hangRequest()
  pgflow.faults.dropMessages('a:completed')
  await run.complete('a', 'A')
  return { pgflow, ...app, run, observation, told, release }
}

describe('what has changed is emitted', () => {
  it('no more when the run is removed while it is emitted', async () => {
    const { store, run, told, release, pgflow } = await inDoubt('wide', {
      onError: (error: PgflowError) => {
        if (error.code === 'invalid_output') store.removeRun(run.id)
      },
      schemas: flowSchemas({ wide: { steps: { b: v.number() } } }),
    })
    await run.complete('b', 'no number')
    await release()
    await pgflow.settled()
    expect(store.runById(run.id)).toBeUndefined()
    expect(told).toEqual(['b started → completed'])
  })

  it('once and in order, also where the state was replaced meanwhile', async () => {
    const { run, told, release, pinia } = await inDoubt('chain')
    const { pgflow: state } = pinia.state.value
    Object.assign(state ?? {}, JSON.parse(JSON.stringify(state)))
    await run.complete('b', 'B')
    expect(told).toEqual([])
    await release()
    expect(told).toEqual([
      'b created → completed',
      'a started → completed',
      'run started → completed',
    ])
  })

  it('of what was read after a reset, and of nothing that was held before', async () => {
    const { run, told, release, observation, pgflow, store } = await inDoubt('wide')
    await run.complete('b', 'B')
    observation.release()
    await pgflow.advance(10_000)
    await release()
    store.$reset()
    expect(told).toEqual([])
    await store.startFlow('wide', {}, { runId: run.id })
    await pgflow.settled()
    expect(told).toEqual([
      'run pending → started',
      'a created → completed',
      'b created → completed',
      'c created → started',
    ])
  })
})

describe('a run that is read for the first time', () => {
  const runId = '00000000-0000-4000-8000-000000000001'
  const empty = { error_message: null, started_at: null, completed_at: null, failed_at: null }
  const subscriber = {
    isListening: () => true,
    onChange: () => undefined,
    onOutput: () => undefined,
    onWrite: () => undefined,
  }
  const snapshot = (output: string | { good: number }, seq: number) => ({
    run: {
      run_id: runId,
      flow_slug: 'wide',
      status: 'completed',
      input: {},
      output,
      remaining_steps: 0,
      ...empty,
    },
    steps: [],
    seq,
  })

  it('has no output error of before', () => {
    const tables = createRunTables()
    tables.outputErrors.value[runId] = { code: 'invalid_output', message: '', hint: null }
    new RunStateWriter(tables, subscriber).applySnapshot(snapshot('out', 3), [], null)
    expect(toRaw(tables.outputErrors.value)).toEqual({})
  })

  it('has its outputs replaced whole, also where rows were put there as plain data', () => {
    const tables = createRunTables()
    const writer = new RunStateWriter(tables, subscriber)
    writer.applySnapshot(snapshot('out', 3), [], null)
    const [row] = Object.values(toRaw(tables.runs.value))
    const mark = { __v_isRef: true, value: 1 }
    tables.runs.value = { [runId]: Object.assign({}, row, { output: mark }) }
    tables.runs.value = { ...tables.runs.value }
    writer.applySnapshot(snapshot({ good: 1 }, 4), [], null)
    expect(JSON.stringify(writer.run(runId)?.output)).toBe('{"good":1}')
  })
})
