import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createdStep, pendingRun, type RunWithSteps } from '../../../src/model/entities.ts'
import { isSameJson } from '../../../src/model/json.ts'
import { mergeEvent, mergeSnapshot, type HeldRun } from '../../../src/model/merge.ts'
import { parseEvent, parseSnapshot, type RunEvent } from '../../../src/model/wire.ts'

const runId = '00000000-0000-4000-8000-000000000001'

function event(name: string, payload: object): RunEvent {
  const parsed = parseEvent(name, { run_id: runId, ...payload })
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value
}

/** What a database sends over the life of a run of three steps, and its snapshot at every seq. */
function history(): { events: RunEvent[]; snapshots: RunWithSteps[] } {
  const at = (second: number) => `2026-11-23T00:00:0${second}+00:00`
  const events = [
    event('run:started', {
      seq: 1,
      flow_slug: 'f',
      status: 'started',
      input: { a: 1 },
      remaining_steps: 2,
      started_at: at(1),
    }),
    event('a:started', { seq: 2, step_slug: 'a', started_at: at(2), initial_tasks: 1 }),
    event('a:completed', {
      seq: 3,
      step_slug: 'a',
      output: { x: [1] },
      completed_at: at(3),
      remaining_steps: 1,
    }),
    event('b:started', { seq: 4, step_slug: 'b', started_at: at(3), initial_tasks: 3 }),
    event('b:progress', { seq: 5, step_slug: 'b', initial_tasks: 3, remaining_tasks: 1 }),
    event('b:completed', {
      seq: 6,
      step_slug: 'b',
      output: [1, 2, 3],
      completed_at: at(4),
      remaining_steps: 0,
    }),
    event('run:completed', { seq: 7, output: { b: [1, 2, 3] }, completed_at: at(4) }),
  ]
  const first: RunWithSteps = {
    run: { ...pendingRun(runId, 'f', { a: 1 }) },
    steps: [createdStep(runId, 'a'), createdStep(runId, 'b')],
    seq: 0,
  }
  const snapshots = [first]
  for (const next of events) {
    const outcome = mergeSnapshot(snapshots.at(-1) ?? first, [next], null)
    if (outcome.kind !== 'replace') throw new Error('the history does not apply')
    snapshots.push({ run: outcome.run, steps: outcome.steps, seq: outcome.seq })
  }
  return { events, snapshots }
}

const view = (snapshot: RunWithSteps): HeldRun => ({
  run: snapshot.run,
  step: (slug) => snapshot.steps.find((step) => step.step_slug === slug),
  seq: snapshot.seq,
})

describe('a broadcast with a seq', () => {
  const { events, snapshots } = history()
  const at = (seq: number) =>
    view(snapshots[seq] ?? { run: pendingRun(runId, 'f', 1), steps: [], seq })

  it('applies when it is the next one', () => {
    expect(mergeEvent(at(2), event('a:completed', { seq: 3, step_slug: 'a' }))).toMatchObject({
      kind: 'apply',
      seq: 3,
      needsSnapshot: false,
    })
  })
  it('is stale when it is not newer', () => {
    for (const seq of [1, 2, 3]) {
      expect(mergeEvent(at(3), event('a:completed', { seq, step_slug: 'a' })).kind).toBe('stale')
    }
  })
  it('applies and shows the gap when some before it are missing', () => {
    expect(mergeEvent(at(2), event('b:started', { seq: 4, step_slug: 'b' }))).toMatchObject({
      kind: 'apply',
      seq: 4,
      needsSnapshot: true,
    })
  })
  it('brings the run to where the next snapshot has it, one by one', () => {
    expect(snapshots.at(-1)).toMatchObject({
      run: { status: 'completed', output: { b: [1, 2, 3] }, remaining_steps: 0 },
      steps: [
        { step_slug: 'a', status: 'completed', output: { x: [1] }, remaining_tasks: 0 },
        { step_slug: 'b', status: 'completed', output: [1, 2, 3], remaining_tasks: 0 },
      ],
      seq: events.length,
    })
  })
})

describe('a broadcast with a seq about what has ended', () => {
  const { snapshots } = history()
  const ended = view(snapshots.at(-1) ?? fail())
  it.each([
    ['run:started', { status: 'started' }, true],
    ['run:failed', {}, false],
    ['a:started', { step_slug: 'a' }, true],
    ['a:failed', { step_slug: 'a' }, false],
    ['a:progress', { step_slug: 'a' }, false],
    ['new:started', { step_slug: 'new' }, false],
  ])(
    '%s applies, and a snapshot is needed where the run continues',
    (name, payload, needsSnapshot) => {
      const outcome = mergeEvent(ended, event(name, { seq: 8, ...payload }))
      expect(outcome).toMatchObject({ kind: 'apply', needsSnapshot })
    },
  )
})

describe('a broadcast without a seq', () => {
  const started: HeldRun = {
    run: { ...pendingRun(runId, 'f', 1), status: 'started' },
    step: (slug) => ({ ...createdStep(runId, slug), status: 'started' }),
    seq: null,
  }
  it.each([
    ['step:a:completed', { step_slug: 'a' }, 'apply'],
    ['step:a:started', { step_slug: 'a' }, 'stale'],
    ['run:completed', {}, 'apply'],
    ['run:started', {}, 'stale'],
  ])('%s only moves a status up', (name, payload, kind) => {
    expect(mergeEvent(started, event(name, payload)).kind).toBe(kind)
  })
  it('never takes a terminal status back', () => {
    const ended: HeldRun = { ...started, run: { ...started.run, status: 'completed' } }
    expect(mergeEvent(ended, event('run:failed', {})).kind).toBe('stale')
  })
})

describe('a snapshot', () => {
  const { events, snapshots } = history()

  it('older than what was held when it was requested is stale [C3] [F13]', () => {
    expect(mergeSnapshot(snapshots[2] ?? fail(), [], 3).kind).toBe('stale')
    expect(mergeSnapshot(snapshots[3] ?? fail(), [], 3).kind).toBe('replace')
  })

  it('whatever of the broadcasts arrived meanwhile, in whatever order, leads to the same state [F1]', () => {
    const last = events.length
    fc.assert(
      fc.property(
        fc.nat(last),
        fc.shuffledSubarray(events, { minLength: 0 }),
        fc.shuffledSubarray(events),
        (seq, arrived, again) => {
          const outcome = mergeSnapshot(snapshots[seq] ?? fail(), [...arrived, ...again], null)
          if (outcome.kind !== 'replace') throw new Error('unexpectedly stale')
          const newer = new Set(
            [...arrived, ...again].map((e) => e.seq ?? 0).filter((s) => s > seq),
          )
          const isContiguous = [...newer].every((s) => s === seq + 1 || newer.has(s - 1))
          expect(outcome.needsSnapshot).toBe(!isContiguous)
          const { kind: _, needsSnapshot: __, ...state } = outcome
          if (isContiguous) expect(state).toEqual(snapshots[seq + newer.size])
          // Whatever was lost: the next snapshot settles it.
          const settled = mergeSnapshot(
            snapshots[last] ?? fail(),
            [...arrived, ...again],
            outcome.seq,
          )
          expect(settled).toMatchObject({ ...snapshots[last], needsSnapshot: false })
        },
      ),
    )
  })

  it('without a seq, of a run that was counted, is not taken for an old one', () => {
    const uncounted = { ...(snapshots[3] ?? fail()), seq: null }
    expect(mergeSnapshot(uncounted, [], 3).kind).toBe('replace')
  })

  it('without a seq, and with an end, is uncertain if a step continued meanwhile', () => {
    const { run, steps } = snapshots.at(-1) ?? fail()
    const [a, b] = [{ ...(steps[0] ?? fail()), status: 'created' }, steps[1] ?? fail()]
    const uncounted = { run, steps: [a, b], seq: null }
    const since = [event('a:started', { step_slug: 'a' })]
    expect(mergeSnapshot(uncounted, since, null)).toMatchObject({ needsSnapshot: true })
    expect(mergeSnapshot(uncounted, [], null)).toMatchObject({ needsSnapshot: false })
  })

  it('keeps its fields of a step with a later event, and adds new steps', () => {
    const { run } = snapshots[0] ?? fail()
    const [a, b] = [createdStep(runId, 'a'), createdStep(runId, 'b')]
    const first = { ...a, step_index: 1, status: 'started', started_at: 'then' }
    const steps = [first, { ...b, step_index: 0 }]
    const since = [
      event('a:completed', { seq: 2, step_slug: 'a', output: 1 }),
      event('new:started', { seq: 3, step_slug: 'new' }),
    ]
    expect(mergeSnapshot({ run, steps, seq: 1 }, since, null)).toMatchObject({
      steps: [
        { step_slug: 'b', status: 'created' },
        { step_slug: 'a', status: 'completed', output: 1, started_at: 'then' },
        { run_id: runId, step_slug: 'new', status: 'started', started_at: null },
      ],
    })
  })

  it('does not change what it was given', () => {
    const snapshot = snapshots[1] ?? fail()
    const before = JSON.stringify(snapshot)
    mergeSnapshot(snapshot, events, null)
    expect(JSON.stringify(snapshot)).toBe(before)
  })
})

describe('isSameJson', () => {
  it('takes -0 for 0, as JSON does', () => {
    expect(isSameJson(JSON.parse(JSON.stringify([-0])), [-0])).toBe(true)
  })

  it('is equality of JSON, whatever the order of keys', () => {
    const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(isSameJson(a, JSON.parse(JSON.stringify(a)))).toBe(true)
        if (isSameJson(a, b)) expect(b).toEqual(a)
      }),
    )
    expect(isSameJson({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toBe(true)
    expect(isSameJson([], {})).toBe(false)
    expect(isSameJson({ a: undefined }, {})).toBe(false)
  })
})

describe('what comes over the wire', () => {
  it.each([
    ['no object', 'run:started', 7],
    ['no run id', 'run:started', {}],
    ['a seq that is no number', 'run:started', { run_id: runId, seq: '1' }],
    ['a seq below 1', 'run:started', { run_id: runId, seq: 0 }],
    ['a status that is no text', 'run:started', { run_id: runId, status: 3 }],
    ['a step slug that is no text', 'a:started', { run_id: runId, step_slug: {} }],
  ])('%s does not parse, and reports why', (_, name, payload) => {
    const parsed = parseEvent(name, payload)
    expect(parsed).toEqual({ ok: false, reason: expect.stringMatching(/\w{3,}/) as string })
  })

  it.each(['run:exploded', 'a:paused', 'nonsense'])(
    '"%s" is kept, and asks for a snapshot',
    (name) => {
      const slug = name.startsWith('a:') ? { step_slug: 'a', status: 'paused' } : {}
      expect(event(name, { seq: 1, ...slug })).toMatchObject({ needsSnapshot: true, seq: 1 })
    },
  )

  it('the same change reads the same with the names of pgflow and of the specification', () => {
    const payload = { step_slug: 'a', output: false, event_type: 'step:completed' }
    const ours = event('a:completed', payload)
    expect(event('step:a:completed', payload)).toEqual(ours)
    expect(event('a:completed', { step_slug: 'a', output: false })).toEqual(ours)
    expect(ours.step).toEqual({
      slug: 'a',
      patch: { output: false, status: 'completed', remaining_tasks: 0 },
    })
  })

  it.each([null, false, 0, '', '42', [], {}])('an output of %j stays what it is [C9]', (output) => {
    expect(event('a:completed', { step_slug: 'a', output }).step?.patch.output).toEqual(output)
    expect(event('run:completed', { output }).run.output).toEqual(output)
  })

  it('the error of an attempt that will be repeated is not the error of the step', () => {
    const retrying = event('a:retrying', { step_slug: 'a', error_message: 'again', task_index: 0 })
    expect(retrying.step?.patch).toEqual({})
    expect(retrying.needsSnapshot).toBe(false)
  })

  it('a malformed snapshot names the field', () => {
    const { snapshots } = history()
    const good = snapshots[3] ?? fail()
    expect(parseSnapshot(good)).toEqual({ ok: true, value: good })
    expect(parseSnapshot({ ...good, run: { ...good.run, status: null } })).toEqual({
      ok: false,
      reason: expect.stringContaining('run.status') as string,
    })
    expect(parseSnapshot(null).ok).toBe(false)
    expect(parseSnapshot({ ...good, run: { ...good.run, new_in_pgflow_2: 1 } }).ok).toBe(true)
  })
})

function fail(): never {
  throw new Error('no such snapshot')
}
