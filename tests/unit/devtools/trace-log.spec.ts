import type { TraceRecord } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { TraceLog } from '../../../src/trace-log.ts'

const fetched = (key: string, reason = 'asked'): TraceRecord => ({
  kind: 'fetch',
  key,
  detail: reason,
})
const run = {
  run_id: '00000000-0000-4000-8000-000000000001',
  flow_slug: 'report',
  status: 'started',
  input: { of: 'x' },
  output: null,
  error_message: null,
  remaining_steps: 1,
  started_at: null,
  completed_at: null,
  failed_at: null,
}
const step = { run_id: run.run_id, step_slug: 'list', status: 'created' }
const answer = (key: string, steps: number): TraceRecord => ({
  kind: 'answer',
  key,
  detail: { run, seq: 1, steps: Array.from({ length: steps }, () => ({ ...step })) },
})

describe('a trace log', () => {
  it('keeps the last records of each run or list, and counts what it has dropped', () => {
    const log = new TraceLog({ perKey: 3, total: 100, rows: 1_000 })
    for (const reason of ['1', '2', '3', '4', '5']) log.add(fetched('a', reason))
    log.add(fetched('b'))
    const reasons = log.of('a').map(({ content }) => 'reason' in content && content.reason)
    expect(reasons).toEqual(['3', '4', '5'])
    expect(log.droppedOf('a')).toBe(2)
    expect(log.droppedOf('b')).toBe(0)
    expect(log.of('b')).toHaveLength(1)
  })

  it('keeps the last records of all', () => {
    const log = new TraceLog({ perKey: 100, total: 3, rows: 1_000 })
    for (const key of ['a', 'a', 'b', 'c', 'd']) log.add(fetched(key))
    expect(log.all.map(({ key }) => key)).toEqual(['b', 'c', 'd'])
    // Nothing is left of a run of which no record is.
    expect(log.droppedOf('a')).toBe(0)
  })

  it('keeps fewer records where snapshots are large, and the newest however large it is', () => {
    const log = new TraceLog({ perKey: 100, total: 100, rows: 10 })
    for (const size of [4, 4, 2]) log.add(answer('a', size))
    expect(log.all).toHaveLength(2)
    log.add(answer('a', 500))
    expect(log.all).toHaveLength(1)
    log.add(fetched('a'))
    log.add(fetched('a'))
    expect(log.all).toHaveLength(2)
  })

  it('keeps what a record was about as it was then', () => {
    const log = new TraceLog()
    const record = answer('a', 1)
    log.add(record)
    Object.assign(Reflect.get(Object(record.detail), 'run') as object, { status: 'completed' })
    expect(log.all[0]?.content).toMatchObject({ snapshot: { run: { status: 'started' } } })
  })

  it.each([
    ['the reason of a read', 'joined', { type: 'reason', reason: 'joined' }],
    ['an error', new PgflowError('timeout', 'late'), { type: 'error', error: { code: 'timeout' } }],
    ['rows of a list', { rows: [run], hasMore: true }, { type: 'rows', hasMore: true }],
    [
      'what a list hears',
      { run_id: 'x', seq: 1, run: {}, needsSnapshot: false },
      { type: 'update' },
    ],
    ['nothing', undefined, { type: 'none' }],
    ['no answer', null, { type: 'none' }],
  ])('describes %s', (_name, detail, content) => {
    const log = new TraceLog()
    log.add({ kind: 'answer', key: 'a', detail })
    expect(log.all[0]?.content).toMatchObject(content)
  })

  it('calls listeners until they are removed, and drops everything on clear', () => {
    const log = new TraceLog()
    const heard: string[] = []
    const stop = log.listen(({ key }) => heard.push(key))
    log.add(fetched('a'))
    stop()
    log.add(fetched('b'))
    expect(heard).toEqual(['a'])
    log.clear()
    expect(log.all).toEqual([])
    expect(log.of('b')).toEqual([])
  })
})
