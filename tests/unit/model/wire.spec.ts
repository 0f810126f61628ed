import { describe, expect, it } from 'vitest'
import { createdStep, pendingRun } from '../../../src/model/entities.ts'
import {
  parseEvent,
  parseRunSummaries,
  parseSnapshot,
  runTopic,
  userTopic,
} from '../../../src/model/wire.ts'

const run_id = '00000000-0000-4000-8000-000000000001'
const other = '00000000-0000-4000-8000-000000000002'

function event(name: string, payload: object) {
  const parsed = parseEvent(name, { run_id, ...payload })
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value
}

it('a run and a user have a topic each', () => {
  expect([runTopic('r'), userTopic('u')]).toEqual(['pgflow:run:r', 'pgflow:user:u'])
})

describe('a snapshot', () => {
  const snapshot = (...steps: ReturnType<typeof createdStep>[]) => {
    const run = pendingRun(run_id, 'f', {})
    return parseSnapshot({ run, steps: steps.map((step) => ({ ...step, step_index: 0 })), seq: 1 })
  }

  it('holds steps of its run, each once', () => {
    const [a, b] = [createdStep(run_id, 'a'), createdStep(run_id, 'b')]
    expect(snapshot(a, b).ok).toBe(true)
    expect(snapshot(a, a)).toEqual({ ok: false, reason: 'the same row twice' })
    expect(snapshot(a, createdStep(other, 'b'))).toEqual({
      ok: false,
      reason: 'a step of another run',
    })
  })
})

describe('a page of runs', () => {
  const { input: _input, output: _output, ...run } = pendingRun(run_id, 'f', {})
  const row = { run, seq: 3, cursor: 'here' }

  it('is a row for each, with its seq and its place', () => {
    const rows = [row, { ...row, run: { ...run, run_id: other }, seq: null }]
    expect(parseRunSummaries(rows)).toEqual({
      ok: true,
      value: [
        { ...run, seq: 3, cursor: 'here' },
        { ...run, run_id: other, seq: null, cursor: 'here' },
      ],
    })
  })

  it('that holds a run twice, or what is no run, is refused', () => {
    expect(parseRunSummaries([row, row])).toEqual({ ok: false, reason: 'the same row twice' })
    expect(parseRunSummaries([{ ...row, cursor: 1 }])).toEqual({
      ok: false,
      reason: '0.cursor: string was expected',
    })
  })
})

describe('a broadcast', () => {
  it('has the run and the step', () => {
    expect(event('run:started', {}).type).toBe('run:started')
    expect(event('a:started', { step_slug: 'a' }).type).toBe('step:started')
  })

  it('takes the status from its name, unless it has one itself', () => {
    expect(event('run:failed', {}).run.status).toBe('failed')
    expect(event('run:failed', { status: 'cancelled' }).run.status).toBe('cancelled')
    expect(event('a:started', { step_slug: 'a', status: 'paused' }).step?.patch.status).toBe(
      'paused',
    )
  })

  it('of a step contains only how many steps of the run remain', () => {
    const payload = { step_slug: 'a', status: 'completed', output: 1 }
    expect(event('a:completed', payload).run).toEqual({})
    expect(event('a:completed', { ...payload, remaining_steps: 2 }).run).toEqual({
      remaining_steps: 2,
    })
  })

  it('of a step with a field that is wrong is refused by the name of the field', () => {
    expect(parseEvent('a:started', { run_id, step_slug: 'a', initial_tasks: -1 })).toEqual({
      ok: false,
      reason: expect.stringContaining('initial_tasks') as string,
    })
  })

  it('of a start has all tasks remaining', () => {
    const { step } = event('a:started', { step_slug: 'a', initial_tasks: 3 })
    expect(step?.patch).toMatchObject({ initial_tasks: 3, remaining_tasks: 3 })
  })

  it('of a step that is skipped has no tasks remaining to be counted', () => {
    const { step } = event('a:skipped', { step_slug: 'a', initial_tasks: 3 })
    expect(step?.patch).toMatchObject({ status: 'skipped', remaining_tasks: null })
  })

  it('of an attempt that will be retried has the attempt, and no error of the step', () => {
    const attempt = { task_index: 1, attempts_count: 2, error_message: 'no' }
    const { retry, step } = event('a:retrying', { step_slug: 'a', ...attempt })
    expect(retry).toEqual(attempt)
    expect(step?.patch.error_message).toBeUndefined()
    expect(event('run:retrying', attempt).retry).toBeNull()
    const failed = event('a:failed', { step_slug: 'a', ...attempt })
    expect(failed.retry).toBeNull()
    expect(failed.step?.patch.error_message).toBe('no')
  })
})
