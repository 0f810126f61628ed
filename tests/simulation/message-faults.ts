import type { Message } from '../../src/testing/rows.ts'
import type { Forgery, MessageFate } from './plan.ts'
import type { RunTruth } from './truth.ts'

/** A broadcast as it arrives after something has happened to it on its way. */
export function distort(message: Message, fate: MessageFate): Message {
  const { name, payload } = message
  if (fate === 'truncated') {
    const { output: _output, input: _input, ...rest } = payload
    return { ...message, payload: { ...rest, truncated: ['output'] } }
  }
  if (fate === 'unknown') {
    const subject = name.split(':')[0] ?? 'run'
    const { run_id, seq, step_slug, status } = payload
    const known = step_slug === undefined ? {} : { step_slug }
    const event_type = step_slug === undefined ? 'run:archived' : 'step:archived'
    const envelope = { run_id: run_id ?? null, seq: seq ?? null, ...known, event_type }
    return {
      ...message,
      name: `${subject}:archived`,
      payload: { ...envelope, status: status ?? null },
    }
  }
  if (fate === 'malformed') return { ...message, payload: { ...payload, run_id: 7 } }
  return message
}

/** What anybody who has the id of a run may send on its public channel. */
export function forge({ record, last }: RunTruth, how: Forgery): Message {
  const { run_id } = record.run
  const topic = `pgflow:run:${run_id}`
  const step = record.flow.steps[0]?.slug ?? 'none'
  const ofStep = { run_id, step_slug: step, event_type: 'step:completed', status: 'completed' }
  const output = 'forged'
  const completed_at = '2026-02-02T02:02:02.000000+00:00'
  const next = last.snapshot.seq + 1
  if (how === 'end') {
    const payload = { run_id, seq: next, event_type: 'run:completed', status: 'completed', output }
    return { topic, name: 'run:completed', payload }
  }
  if (how === 'malformed')
    return { topic, name: 'run:completed', payload: { run_id: 'x', seq: 'y' } }
  const seq = { 'absurd-seq': Number.MAX_SAFE_INTEGER - 5, 'next-seq': next, 'old-seq': 1 }[how]
  return { topic, name: `${step}:completed`, payload: { ...ofStep, seq, output, completed_at } }
}
