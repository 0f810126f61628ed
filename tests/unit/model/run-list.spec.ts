import { describe, expect, it } from 'vitest'
import type { RunSummary } from '../../../src/model/entities.ts'
import { inFlowOrder } from '../../../src/model/flow-order.ts'
import {
  applyUpdate,
  compareRuns,
  inSeqOrder,
  isOutdated,
  mergeSummary,
  newerSummary,
  type ListRows,
} from '../../../src/model/run-list.ts'

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

describe('updates of a run', () => {
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

describe('what is held of a run', () => {
  const known = run('a', '2026-01-01')
  const news = (seq: number | null, patch = {}) => ({
    run_id: 'a',
    seq,
    run: patch,
    needsSnapshot: false,
  })

  it('stays the same object when nothing is new', () => {
    expect(mergeSummary(known, news(1, { status: 'failed' }))).toBe(known)
    expect(mergeSummary(known, news(null, { status: 'started', failed_at: undefined }))).toBe(known)
  })

  it('becomes what is newer, except its flow', () => {
    const update = news(2, { status: 'failed', flow_slug: 'g', failed_at: '2026-01-02' })
    const failed = { ...known, status: 'failed', failed_at: '2026-01-02' }
    expect(mergeSummary(known, update)).toEqual({ ...failed, seq: 2 })
    expect(mergeSummary(known, { ...update, seq: null })).toEqual(failed)
  })

  it('begins with an update that contains its position', () => {
    const place = { flow_slug: 'f', status: 'failed', started_at: '2026-01-01' }
    const rest = { error_message: 'x', remaining_steps: 1, completed_at: 'c', failed_at: 'd' }
    const nothing = {
      error_message: null,
      remaining_steps: null,
      completed_at: null,
      failed_at: null,
    }
    const more = { run_id: 'a', seq: 3, cursor: null }
    expect(mergeSummary(undefined, news(3, { ...place, ...rest }))).toEqual({
      ...place,
      ...rest,
      ...more,
    })
    expect(mergeSummary(undefined, news(3, place))).toEqual({ ...place, ...nothing, ...more })
    for (const field of ['flow_slug', 'status', 'started_at']) {
      const without = Object.entries(place).filter(([name]) => name !== field)
      expect(mergeSummary(undefined, news(3, Object.fromEntries(without)))).toBeUndefined()
    }
  })

  it('is the newer of the held and the read one, at the position that was read', () => {
    const read = { ...known, status: 'failed', seq: 0, cursor: 'new' }
    expect(newerSummary(undefined, read)).toBe(read)
    expect(newerSummary(known, read)).toEqual({ ...known, cursor: 'new' })
    expect(newerSummary(known, { ...read, cursor: known.cursor })).toBe(known)
    expect(newerSummary(known, { ...known })).toBe(known)
    for (const seq of [1, 2, null]) {
      const later = { ...read, seq }
      expect(newerSummary(known, later)).toBe(later)
      expect(newerSummary({ ...known, seq: null }, later)).toBe(later)
    }
  })

  it('is outdated only where both are counted', () => {
    const pairs: [number | null, number | null][] = [
      [1, 1],
      [0, 1],
      [2, 1],
      [null, 1],
      [0, null],
      [null, null],
    ]
    expect(pairs.map(([seq, held]) => isOutdated(seq, held))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it('is applied in the order in which it happened', () => {
    const updates = [3, null, 1, 2].map((seq) => news(seq))
    expect(inSeqOrder(updates).map(({ seq }) => seq)).toEqual([null, 1, 2, 3])
  })
})

describe('the steps of a run', () => {
  it('come in the order of the flow, unknown ones last', () => {
    const step = (step_slug: string) => ({ step_slug, step_type: 'single', deps: [] })
    const shape = { flow_slug: 'f', steps: [step('c'), step('gone'), step('a')] }
    expect(inFlowOrder(['a', 'b', 'c'], shape)).toEqual(['c', 'a', 'b'])
    expect(inFlowOrder(['a', 'b', 'c'], undefined)).toEqual(['a', 'b', 'c'])
  })
})
