import { describe, expect, it } from 'vitest'
import {
  parsePlainFlowShape,
  parsePlainRunSummaries,
  parsePlainSnapshot,
} from '../../../src/model/plain-wire.ts'

const runId = '00000001-abcd-4abc-8abc-abcdefabcdef'
const times = { started_at: null, completed_at: null, failed_at: null }
const run = {
  run_id: runId,
  flow_slug: 'f',
  status: 'completed',
  input: {},
  remaining_steps: 0,
  ...times,
}
const step = (step_slug: string, more = {}) => ({
  run_id: runId,
  step_slug,
  status: 'completed',
  remaining_tasks: 0,
  ...times,
  ...more,
})

function outputsOf(reply: unknown) {
  const parsed = parsePlainSnapshot(reply)
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value.steps.map((row) => ('output' in row ? row.output : 'absent'))
}

describe('outputs of plain pgflow', () => {
  it('of the last steps is in that of the run: also null, false, 0 and an empty text', () => {
    const output = { a: null, b: false, c: 0, d: '' }
    const steps = ['a', 'b', 'c', 'd', 'e'].map((slug) => step(slug))
    expect(outputsOf({ run: { ...run, output }, steps })).toEqual([null, false, 0, '', 'absent'])
  })

  it('of a step itself counts, also false and 0', () => {
    const output = { a: 1, b: 1 }
    const steps = [step('a', { output: false }), step('b', { output: 0 })]
    expect(outputsOf({ run: { ...run, output }, steps })).toEqual([false, 0])
  })

  it('of a step that is not completed is nothing', () => {
    const steps = [step('a', { status: 'failed', output: 1 })]
    expect(outputsOf({ run: { ...run, output: { a: 1 } }, steps })).toEqual([null])
  })

  it('is nothing of a run that is not completed or whose output is no object', () => {
    const steps = [step('a')]
    const going = { ...run, status: 'started', output: { a: 1 } }
    for (const row of [
      going,
      { ...run, output: [1] },
      { ...run, output: 'a' },
      { ...run, output: null },
    ]) {
      expect(outputsOf({ run: row, steps })).toEqual(['absent'])
    }
  })
})

describe('the error of a run of plain pgflow', () => {
  const failedAt = (time: string, error: string) =>
    step(error, { status: 'failed', failed_at: time, error_message: error })
  const errorOf = (steps: unknown[], more = {}) => {
    const failed = { ...run, status: 'failed', failed_at: '2026-01-02', ...more }
    const parsed = parsePlainSnapshot({ run: failed, steps })
    return parsed.ok ? parsed.value.run.error_message : parsed.reason
  }

  it('is that of the step that failed with it', () => {
    const steps = [step('a', { error_message: 'no' }), failedAt('2026-01-01', 'first')]
    expect(errorOf([...steps, failedAt('2026-01-02', 'second')])).toBe('second')
    expect(errorOf(steps)).toBe('first')
  })

  it('is its own where it has one, and none without a step that failed', () => {
    expect(errorOf([failedAt('2026-01-02', 'x')], { error_message: 'own' })).toBe('own')
    expect(errorOf([step('a', { error_message: 'no' })])).toBeNull()
    expect(errorOf([failedAt('2026-01-02', 'x')], { status: 'started' })).toBeNull()
  })
})

describe('rows of plain pgflow', () => {
  const { input: _input, ...listed } = run

  it('are a list, each with its place', () => {
    const started = { ...listed, started_at: '2026-01-01' }
    const other = { ...listed, run_id: runId.replace('1', '2') }
    const parsed = parsePlainRunSummaries([started, other])
    expect(parsed).toMatchObject({
      ok: true,
      value: [
        { run_id: runId, error_message: null, seq: null, cursor: `2026-01-01 ${runId}` },
        { run_id: other.run_id, cursor: ` ${other.run_id}` },
      ],
    })
  })

  it('that are no runs, or one run twice, are refused', () => {
    expect(parsePlainRunSummaries([{ run_id: 1 }]).ok).toBe(false)
    expect(parsePlainRunSummaries([listed, listed])).toEqual({
      ok: false,
      reason: 'the same row twice',
    })
  })

  it('are the shape of a flow, each step with what it needs', () => {
    const steps = ['a', 'b', 'c'].map((step_slug) => ({ step_slug, step_type: 'single' }))
    const deps = [
      { step_slug: 'c', dep_slug: 'b' },
      { step_slug: 'c', dep_slug: 'a' },
      { step_slug: 'b', dep_slug: 'a' },
    ]
    const parsed = parsePlainFlowShape('f', steps, deps)
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        flow_slug: 'f',
        steps: [
          { step_slug: 'a', step_type: 'single', deps: [] },
          { step_slug: 'b', deps: ['a'] },
          { step_slug: 'c', deps: ['a', 'b'] },
        ],
      },
    })
    expect(parsePlainFlowShape('f', [{}], deps).ok).toBe(false)
    expect(parsePlainFlowShape('f', steps, 'x').ok).toBe(false)
  })
})
