import fc from 'fast-check'
import type { PgflowStep, TraceKind } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { nextTick, watchEffect } from 'vue'
import { noFaults } from '../../playground/backend/faults/state.ts'
import { compareRun } from '../../playground/src/faults/compare.ts'
import { describeDetail } from '../../playground/src/faults/describe-detail.ts'
import { chosen, countFaults, switchGroups } from '../../playground/src/faults/switches.ts'
import { createTraceLog } from '../../playground/src/faults/trace-log.ts'
import { readTrueRun } from '../../playground/src/faults/true-run.ts'

describe('a record of the trace as text', () => {
  it.each([
    ['joined', 'joined'],
    [undefined, ''],
    [null, ''],
    [new Error('No answer'), 'No answer'],
    [Object.assign(new Error('No answer'), { code: 'timeout' }), 'timeout: No answer'],
    [{ run: { status: 'started' }, steps: [], seq: 3 }, 'run started, seq 3'],
    [{ type: 'run:started', run: {}, step: null, seq: 1 }, 'run:started, seq 1'],
    [{ type: 'step:completed', step: { slug: 'clean' }, seq: 4 }, 'step:completed clean, seq 4'],
    [{ type: 'step:completed', step: { slug: 5 }, seq: null }, 'step:completed'],
    ['x'.repeat(200), `${'x'.repeat(159)}…`],
  ])('of %j is %j', (detail, text) => {
    expect(describeDetail(detail)).toBe(text)
  })

  it('never throws', () => {
    const hostile = {
      get run() {
        throw new Error('a getter')
      },
    }
    expect(describeDetail(hostile)).toBe('')
    fc.assert(fc.property(fc.anything(), (detail) => typeof describeDetail(detail) === 'string'))
  })
})

describe('the log of the trace', () => {
  const record = (kind: TraceKind, key = 'a') => ({ kind, key, detail: undefined })

  it('keeps the last records, the newest first, and shows a flood once', async () => {
    const log = createTraceLog(3)
    const shown: number[] = []
    watchEffect(() => {
      shown.push(log.entries.value.length)
    })
    for (const kind of ['fetch', 'answer', 'joined', 'event'] as const) log.trace(record(kind))
    // Shown in the first, and rendered in the second.
    await nextTick()
    await nextTick()
    expect(log.entries.value.map(({ kind }) => kind)).toEqual(['event', 'joined', 'answer'])
    expect(shown).toEqual([0, 3])
    log.clear()
    expect(log.entries.value).toEqual([])
  })

  it('may be written to from an effect, which does not run again for that', async () => {
    const log = createTraceLog()
    let runs = 0
    watchEffect(() => {
      runs += 1
      log.trace(record('fetch'))
    })
    await nextTick()
    await nextTick()
    expect(runs).toBe(1)
  })
})

describe('the run as the database has it', () => {
  it('is read from the reply of its function, with its steps', () => {
    const step = { step_slug: 'a', status: 'started', initial_tasks: 3, remaining_tasks: 2 }
    expect(readTrueRun([{ run: { status: 'started' }, steps: [step], seq: 2 }])).toEqual({
      status: 'started',
      seq: 2,
      steps: [{ slug: 'a', status: 'started', tasks: 3, remaining: 2 }],
    })
  })

  it('is null for whatever else comes', () => {
    for (const reply of [
      null,
      [],
      {},
      '',
      [null],
      [{ run: {} }],
      { run: { status: 1 }, steps: [] },
    ]) {
      expect(readTrueRun(reply)).toBeNull()
    }
    fc.assert(fc.property(fc.anything(), (reply) => void readTrueRun(reply)))
  })
})

describe('the store beside the database', () => {
  it('shows the progress of a map step, and rows that only one side has', () => {
    const step: PgflowStep = {
      run_id: '',
      step_slug: 'rows',
      step_index: 0,
      status: 'started',
      output: null,
      error_message: null,
      initial_tasks: 300,
      remaining_tasks: 120,
      started_at: null,
      completed_at: null,
      failed_at: null,
      skipped_at: null,
      skip_reason: null,
    }
    const truth = {
      status: 'started',
      seq: 9,
      steps: [
        { slug: 'rows', status: 'started', tasks: 300, remaining: 100 },
        { slug: 'report', status: 'created', tasks: 1, remaining: null },
      ],
    }
    expect(compareRun(null, [step], truth)).toEqual([
      { slug: null, shown: '–', truth: 'started', isSame: false },
      { slug: 'rows', shown: 'started, 180 of 300', truth: 'started, 200 of 300', isSame: false },
      { slug: 'report', shown: '–', truth: 'created', isSame: false },
    ])
  })
})

describe('the switches of the panel', () => {
  const all = switchGroups.flatMap(({ switches }) => switches)

  it('are those of the backend, each once', () => {
    expect(all.map(({ key }) => key).sort()).toEqual(Object.keys(noFaults).sort())
  })

  it('begin with the state without faults, and each choice is distinct', () => {
    expect(countFaults(noFaults)).toBe(0)
    for (const each of all) {
      each.choices.forEach(({ patch }, index) => {
        expect(Object.keys(patch)).toEqual([each.key])
        expect(chosen(each, { ...noFaults, ...patch })).toBe(index)
      })
    }
    expect(countFaults({ ...noFaults, delayMs: 7, offline: true })).toBe(2)
  })
})
