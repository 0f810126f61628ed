import { describe, expect, it } from 'vitest'
import type { RunSummary } from '../../../src/model/entities.ts'
import { inFlowOrder } from '../../../src/model/flow-order.ts'
import { applyUpdate, compareRuns, type ListRows } from '../../../src/model/run-list.ts'

const all = { flow: null, status: null }

function run(run_id: string, started_at: string): RunSummary {
  return {
    run_id,
    flow_slug: 'f',
    status: 'started',
    error_message: null,
    remaining_steps: 1,
    started_at,
    completed_at: null,
    failed_at: null,
    seq: 1,
    cursor: `${started_at} ${run_id}`,
  }
}

describe('the order of a list', () => {
  it('is that of the database, whose times leave out zeros at their end', () => {
    const times = ['00:00:01', '00:00:00.123456', '00:00:00.1234', '00:00:00.12', '00:00:00']
    const rows = times.map((time) => run('r', `2026-01-01T${time}+00:00`))
    expect(rows.toReversed().sort(compareRuns)).toEqual(rows)
  })

  it('is by id where times are equal, the greatest first', () => {
    const rows = ['c', 'b', 'a'].map((id) => run(id, '2026-01-01T00:00:00+00:00'))
    expect(rows.toReversed().sort(compareRuns)).toEqual(rows)
  })
})

describe('news of a run', () => {
  const [older, newer] = [run('a', '2026-01-01'), run('b', '2026-01-02')]
  const news = (row: RunSummary, seq: number) => {
    const { cursor: _cursor, ...facts } = row
    return { run_id: row.run_id, seq, run: facts, needsSnapshot: false }
  }
  const ids = ({ rows }: ListRows) => rows.map((row) => row.run_id)

  it('older than the end of what is loaded belong to a later page', () => {
    const loaded = { rows: [newer], hasMore: true }
    expect(ids(applyUpdate(loaded, all, news(older, 2), undefined))).toEqual(['b'])
    const whole = { rows: [newer], hasMore: false }
    expect(ids(applyUpdate(whole, all, news(older, 2), undefined))).toEqual(['b', 'a'])
  })

  it('at the end of what is loaded change it', () => {
    const loaded = { rows: [newer, older], hasMore: true }
    const failed = { ...older, status: 'failed' }
    const { rows } = applyUpdate(loaded, all, news(failed, 2), older)
    expect(rows).toEqual([newer, { ...failed, seq: 2 }])
  })

  it('that are not newer change nothing', () => {
    const loaded = { rows: [newer, older], hasMore: false }
    const failed = { ...older, status: 'failed' }
    expect(applyUpdate(loaded, all, news(failed, 1), older).rows).toEqual(loaded.rows)
  })
})

describe('the steps of a run', () => {
  it('come in the order of the flow, those that it does not know last', () => {
    const step = (step_slug: string) => ({ step_slug, step_type: 'single', deps: [] })
    const shape = { flow_slug: 'f', steps: [step('c'), step('gone'), step('a')] }
    expect(inFlowOrder(['a', 'b', 'c'], shape)).toEqual(['c', 'a', 'b'])
    expect(inFlowOrder(['a', 'b', 'c'], undefined)).toEqual(['a', 'b', 'c'])
  })
})
