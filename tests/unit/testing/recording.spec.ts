import fc from 'fast-check'
import { createTestPgflow, type RunRecording } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { messageOf, parseRecording } from '../../../src/model/run-recording.ts'
import { parseEvent } from '../../../src/model/wire.ts'

const runId = '00000000-0000-4000-8000-000000000001'
const run = {
  run_id: runId,
  flow_slug: 'report',
  status: 'started',
  input: {},
  output: null,
  error_message: null,
  remaining_steps: 1,
  started_at: '2026-11-28T10:00:00.000000+00:00',
  completed_at: null,
  failed_at: null,
}
const snapshot = { run, steps: [], seq: 1 }
const recording: RunRecording = {
  format: 'pinia-pgflow recording',
  version: 1,
  exportedAt: '2026-11-28T10:00:01.000Z',
  versions: {},
  flow: null,
  connection: null,
  dropped: 0,
  final: snapshot,
  records: [{ at: '2026-11-28T10:00:00.000Z', kind: 'answer', snapshot }],
}
const at = '2026-11-28T10:00:00.000Z'
const other = { ...run, run_id: '00000000-0000-4000-8000-000000000002' }

describe('a file that is no recording is refused', () => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /it is not/],
    ['a text', 'recording', /it is not/],
    ['another JSON', { run }, /format is not/],
    ['a later version', { ...recording, version: 2 }, /version is not 1/],
    [
      'a run without an id',
      { ...recording, final: { ...snapshot, run: {} } },
      /final: run\.run_id/,
    ],
    ['no records', { ...recording, records: undefined }, /records is not/],
    ['a record without a time', { ...recording, records: [{ kind: 'event' }] }, /records\.0\.at/],
    [
      'a message that is none',
      { ...recording, records: [{ at, kind: 'event', message: { name: 'x', payload: {} } }] },
      /records\.0: run_id/,
    ],
    [
      'a message of another run',
      {
        ...recording,
        records: [{ at, kind: 'event', message: { name: 'run:started', payload: other } }],
      },
      /records\.0 is of another run/,
    ],
    [
      'an answer of another run',
      { ...recording, records: [{ at, kind: 'answer', snapshot: { ...snapshot, run: other } }] },
      /records\.0 is of another run/,
    ],
    ['a flow that is none', { ...recording, flow: { steps: 1 } }, /flow: /],
  ])('%s', (_name, given, reason) => {
    const replay = () => createTestPgflow().replay(given)
    expect(replay).toThrow(expect.objectContaining({ code: 'invalid_options' }))
    expect(replay).toThrow(/^This is not the recording of a run: /)
    expect(replay).toThrow(reason)
  })

  it('whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (records, final) => {
        const replay = () => parseRecording({ ...recording, records, final })
        expect(replay).toThrow(expect.objectContaining({ name: 'PgflowError' }))
      }),
    )
  })
})

it('reads what a recording has, and knows what it means', () => {
  const [record] = parseRecording(recording).records
  expect(record).toMatchObject({ at: Date.parse(at), kind: 'answer', snapshot: { run } })
})

it('writes a broadcast so that it is parsed as the same event', () => {
  const slug = fc.stringMatching(/^[a-z_]{1,9}$/)
  const change = fc.constantFrom('started', 'completed', 'failed', 'progress', 'retrying', 'other')
  const count = fc.nat()
  const fields = fc.record(
    {
      output: fc.jsonValue(),
      error_message: fc.string(),
      initial_tasks: count,
      remaining_tasks: count,
      remaining_steps: count,
      attempts_count: count,
      task_index: count,
      truncated: fc.constant(['output']),
      seq: fc.integer({ min: 1 }),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fields, slug, change, fc.boolean(), (given, step_slug, name, isStep) => {
      const payload = { ...given, run_id: runId, ...(isStep && { step_slug }) }
      const parsed = parseEvent(`${isStep ? step_slug : 'run'}:${name}`, payload)
      if (!parsed.ok) throw new Error(parsed.reason)
      const written = messageOf(parsed.value)
      const again = parseEvent(written.name, JSON.parse(JSON.stringify(written.payload)))
      expect(again).toEqual(JSON.parse(JSON.stringify(parsed)))
    }),
  )
})
