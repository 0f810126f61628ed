import { describe, expect, it } from 'vitest'
import { parsePlainSnapshot } from '../../../src/model/plain-wire.ts'

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

describe('what plain pgflow tells of outputs', () => {
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
