import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isTerminal,
  pendingRun,
  type Json,
  type PgflowStep,
  type RunSnapshot,
  type RunWithSteps,
} from '../../../src/model/entities.ts'
import { mergeEvent, mergeSnapshot, type HeldRun } from '../../../src/model/merge.ts'
import { parsePlainSnapshot } from '../../../src/model/plain-wire.ts'
import { parseEvent, type RunEvent } from '../../../src/model/wire.ts'

const runId = '00000000-0000-4000-8000-000000000001'
const at = (second: number) => `2026-11-23T00:00:${String(second).padStart(2, '0')}+00:00`

/** What pgflow sends on the topic of the run. */
function event(type: string, payload: object): RunEvent {
  const slug = 'step_slug' in payload ? String(payload.step_slug) : null
  const name = slug === null ? type : `step:${slug}:${type.split(':')[1] ?? ''}`
  const parsed = parseEvent(name, { event_type: type, run_id: runId, ...payload })
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value
}

/** What pgflow before 0.11 returns: no output of steps, no error of the run. */
function snapshot(run: object, steps: Record<string, object>): RunSnapshot {
  const base = { run_id: runId, flow_slug: 'f', input: { a: 1 }, started_at: at(1) }
  const parsed = parsePlainSnapshot({
    run: { ...base, output: null, completed_at: null, failed_at: null, ...run },
    steps: Object.entries(steps).map(([step_slug, step]) => ({
      run_id: runId,
      step_slug,
      ...step,
    })),
  })
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value
}

const created = { status: 'created', remaining_tasks: null, initial_tasks: 1, started_at: null }
const started = (tasks = 1, left = tasks) => ({
  status: 'started',
  initial_tasks: tasks,
  remaining_tasks: left,
  started_at: at(2),
})
const completed = (tasks = 1) => ({
  ...started(tasks, 0),
  status: 'completed',
  completed_at: at(4),
})
const failed = { ...started(), status: 'failed', error_message: 'no', failed_at: at(5) }

/** A run that completes and one that fails: what is sent, and what can be read after each change. */
const histories: { events: RunEvent[]; snapshots: RunSnapshot[]; outputs: Record<string, Json> }[] =
  [
    {
      events: [
        event('run:started', {
          flow_slug: 'f',
          status: 'started',
          input: { a: 1 },
          remaining_steps: 2,
        }),
        event('step:started', {
          step_slug: 'a',
          status: 'started',
          started_at: at(2),
          remaining_tasks: 1,
        }),
        event('step:completed', {
          step_slug: 'a',
          status: 'completed',
          output: '42',
          completed_at: at(4),
        }),
        event('step:started', {
          step_slug: 'b',
          status: 'started',
          started_at: at(2),
          remaining_tasks: 3,
        }),
        event('step:completed', {
          step_slug: 'b',
          status: 'completed',
          output: [1, 2, 3],
          completed_at: at(4),
        }),
        event('run:completed', {
          status: 'completed',
          output: { b: [1, 2, 3] },
          completed_at: at(6),
        }),
      ],
      snapshots: [
        snapshot({ status: 'started', remaining_steps: 2 }, { a: started(), b: created }),
        snapshot({ status: 'started', remaining_steps: 1 }, { a: completed(), b: started(3) }),
        snapshot({ status: 'started', remaining_steps: 1 }, { a: completed(), b: started(3, 1) }),
        snapshot(
          {
            status: 'completed',
            remaining_steps: 0,
            output: { b: [1, 2, 3] },
            completed_at: at(6),
          },
          { a: completed(), b: completed(3) },
        ),
      ],
      outputs: { a: '42', b: [1, 2, 3] },
    },
    {
      events: [
        event('run:started', {
          flow_slug: 'f',
          status: 'started',
          input: { a: 1 },
          remaining_steps: 2,
        }),
        event('step:started', {
          step_slug: 'a',
          status: 'started',
          started_at: at(2),
          remaining_tasks: 1,
        }),
        event('step:completed', {
          step_slug: 'a',
          status: 'completed',
          output: { x: null },
          completed_at: at(4),
        }),
        event('step:started', {
          step_slug: 'b',
          status: 'started',
          started_at: at(2),
          remaining_tasks: 1,
        }),
        event('step:failed', {
          step_slug: 'b',
          status: 'failed',
          error_message: 'no',
          failed_at: at(5),
        }),
        event('run:failed', { status: 'failed', error_message: 'no', failed_at: at(5) }),
      ],
      snapshots: [
        snapshot({ status: 'started', remaining_steps: 2 }, { a: started(), b: created }),
        snapshot({ status: 'started', remaining_steps: 1 }, { a: completed(), b: started() }),
        snapshot(
          { status: 'failed', remaining_steps: 1, failed_at: at(5) },
          { a: completed(), b: failed },
        ),
      ],
      outputs: { a: { x: null } },
    },
  ]

/** What a store holds, written as `run-table` does. */
class Held {
  run = pendingRun(runId, 'f', { a: 1 })
  steps = new Map<string, PgflowStep>()

  get view(): HeldRun {
    const seq = this.run.status === 'pending' ? null : 0
    return { run: this.run, step: (slug) => this.steps.get(slug), seq }
  }

  get state(): Omit<RunWithSteps, 'seq'> {
    const bySlug = (a: PgflowStep, b: PgflowStep) => (a.step_slug < b.step_slug ? -1 : 1)
    return { run: this.run, steps: [...this.steps.values()].sort(bySlug) }
  }

  hear(event: RunEvent): string {
    const outcome = mergeEvent(this.view, event)
    if (outcome.kind === 'stale') return outcome.kind
    this.run = { ...this.run, ...(outcome.run as object) }
    if (!outcome.step) return outcome.kind
    const { slug, patch } = outcome.step
    const known = this.steps.get(slug)
    const empty = snapshot({ status: 'started' }, { [slug]: { status: 'created' } }).steps[0]
    this.steps.set(slug, { ...empty, ...known, ...(patch as object) } as PgflowStep)
    return outcome.kind
  }

  read(snapshot: RunSnapshot, floor: number | null = 0): string {
    const outcome = mergeSnapshot(snapshot, [], floor, this.view)
    if (outcome.kind === 'stale') return outcome.kind
    this.run = outcome.run
    this.steps = new Map(outcome.steps.map((step) => [step.step_slug, step]))
    return outcome.kind
  }
}

type Message = { event: RunEvent } | { snapshot: RunSnapshot }

/** Everything that can arrive of a run, in any order, any of it lost or twice. */
const deliveries = fc.constantFrom(...histories).chain((history) => {
  const messages: Message[] = [
    ...history.events.map((event) => ({ event })),
    ...history.snapshots.map((snapshot) => ({ snapshot })),
  ]
  return fc.record({
    history: fc.constant(history),
    arrived: fc.array(fc.constantFrom(...messages), { maxLength: 30 }),
  })
})

function deliver(held: Held, message: Message): string {
  return 'event' in message ? held.hear(message.event) : held.read(message.snapshot)
}

const last = <T>(list: readonly T[]): T => {
  const item = list.at(-1)
  if (item === undefined) throw new Error('empty')
  return item
}

describe('plain pgflow: what is not counted', () => {
  it('in any order, lost or twice, leads to the last snapshot', () => {
    fc.assert(
      fc.property(deliveries, ({ history, arrived }) => {
        const held = new Held()
        for (const message of arrived) deliver(held, message)
        const truth = last(history.snapshots)
        expect(held.read(truth)).toBe('replace')
        const { run, steps } = held.state
        expect(run).toEqual(truth.run)
        for (const step of truth.steps) {
          const shown = steps.find(({ step_slug }) => step_slug === step.step_slug)
          expect(shown).toMatchObject(step)
        }
        expect(steps).toHaveLength(truth.steps.length)
      }),
    )
  })

  it('never takes a status back', () => {
    const ranks = ['pending', 'created', 'started', 'completed', 'failed']
    const rank = (status: string) => Math.min(ranks.indexOf(status), 3)
    fc.assert(
      fc.property(deliveries, ({ arrived }) => {
        const held = new Held()
        const shown = new Map<string, string>()
        for (const message of arrived) {
          deliver(held, message)
          const rows = [
            ['run', held.run.status],
            ...[...held.steps].map(([s, row]) => [s, row.status]),
          ]
          for (const [key = '', status = ''] of rows) {
            expect(rank(status)).toBeGreaterThanOrEqual(rank(shown.get(key) ?? 'pending'))
            if (isTerminal(shown.get(key) ?? '')) expect(isTerminal(status)).toBe(true)
            shown.set(key, status)
          }
        }
      }),
    )
  })

  it('never loses an output that arrived', () => {
    fc.assert(
      fc.property(deliveries, ({ history, arrived }) => {
        const held = new Held()
        const known = new Set<string>()
        for (const message of arrived) {
          deliver(held, message)
          const patch = 'event' in message ? message.event.step : null
          if (patch?.patch.status === 'completed') known.add(patch.slug)
          for (const slug of known) {
            expect(held.steps.get(slug)?.output).toEqual(history.outputs[slug])
          }
        }
      }),
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(deliveries, ({ arrived }) => {
        const held = new Held()
        for (const message of arrived) {
          deliver(held, message)
          const once = structuredClone(held.state)
          deliver(held, message)
          expect(held.state).toEqual(once)
        }
      }),
    )
  })
})

describe('a snapshot of plain pgflow', () => {
  const [completing, failing] = histories
  const first = () => completing?.snapshots[0] ?? last([])
  const end = () => last(completing?.snapshots ?? [])

  it('that takes a status back is outdated', () => {
    const held = new Held()
    held.read(end(), null)
    expect(held.read(first())).toBe('stale')
    expect(held.run.status).toBe('completed')
    const midway = new Held()
    midway.read(completing?.snapshots[1] ?? last([]), null)
    expect(midway.read(first())).toBe('stale')
  })

  it('wins all the same when it is the only thing to go by', () => {
    const held = new Held()
    held.read(end(), null)
    expect(held.read(first(), null)).toBe('replace')
    expect(held.run.status).toBe('started')
    expect(held.steps.get('a')).toMatchObject({ status: 'started', output: null })
  })

  it('decides how a run ended', () => {
    const held = new Held()
    held.read(first(), null)
    held.hear(event('run:failed', { status: 'failed', error_message: 'forged' }))
    held.hear(event('step:failed', { step_slug: 'a', status: 'failed', error_message: 'forged' }))
    held.hear(event('run:completed', { status: 'completed', output: {} }))
    expect(held.run).toMatchObject({ status: 'failed' })
    expect(held.read(end())).toBe('replace')
    expect(held.run).toMatchObject({ status: 'completed', error_message: null })
    expect(held.steps.get('a')).toMatchObject({ status: 'completed', error_message: null })
  })

  it('has what was received while it was read', () => {
    const { events = [], outputs = {} } = completing ?? {}
    const outcome = mergeSnapshot(first(), events, null)
    expect(outcome).toMatchObject({ kind: 'replace', run: { status: 'completed' } })
    const again = mergeSnapshot(end(), events, null)
    if (again.kind !== 'replace') throw new Error('stale')
    for (const step of again.steps) expect(step.output).toEqual(outputs[step.step_slug])
  })

  it('has the output of the last steps in that of the run', () => {
    expect(end().steps.find(({ step_slug }) => step_slug === 'b')?.output).toEqual([1, 2, 3])
    expect(end().steps.find(({ step_slug }) => step_slug === 'a')).not.toHaveProperty('output')
  })

  it('takes the error of the run from the step that failed it', () => {
    expect(last(failing?.snapshots ?? []).run.error_message).toBe('no')
    const two = snapshot(
      { status: 'failed', failed_at: at(5) },
      {
        a: { ...failed, failed_at: at(9), error_message: 'later' },
        b: { ...failed, error_message: 'first' },
      },
    )
    expect(two.run.error_message).toBe('first')
  })

  it('of a newer pgflow contains outputs, also null [C4]', () => {
    const newer = snapshot({ status: 'started' }, { a: { ...completed(), output: null } })
    const held = new Held()
    held.read(newer, null)
    expect(newer.steps[0]).toHaveProperty('output', null)
    held.hear(last(completing?.events.filter((e) => e.step?.slug === 'a') ?? []))
    held.read(snapshot({ status: 'started' }, { a: { ...completed(), output: 7 } }))
    expect(held.steps.get('a')?.output).toBe(7)
  })
})

describe('an event of plain pgflow', () => {
  it('starts a map step with its number of tasks', () => {
    const { step } = event('step:started', {
      step_slug: 'm',
      status: 'started',
      remaining_tasks: 5,
    })
    expect(step?.patch).toMatchObject({ initial_tasks: 5, remaining_tasks: 5 })
  })

  it('of an unknown status is kept; known ones that follow do not undo it', () => {
    const held = new Held()
    held.read(snapshot({ status: 'started' }, { a: started() }), null)
    const paused = event('step:paused', { step_slug: 'a', status: 'paused' })
    expect(paused.needsSnapshot).toBe(true)
    expect(held.hear(paused)).toBe('apply')
    expect(held.steps.get('a')?.status).toBe('paused')
    expect(held.hear(event('step:started', { step_slug: 'a', status: 'started' }))).toBe('stale')
    expect(held.read(snapshot({ status: 'started' }, { a: started() }))).toBe('replace')
    expect(held.steps.get('a')?.status).toBe('started')
  })

  it('of an unknown kind about something that has ended changes nothing, and needs a snapshot', () => {
    const held = new Held()
    held.read(last(histories[0]?.snapshots ?? []), null)
    const before = structuredClone(held.state)
    expect(held.hear(event('step:archived', { step_slug: 'a', output: 'gone' }))).toBe('apply')
    expect(held.state).toEqual(before)
  })

  it('of progress only counts down, and not after the end', () => {
    const held = new Held()
    held.read(snapshot({ status: 'started' }, { a: started(4, 2), b: completed(3) }), null)
    const progress = (step_slug: string, remaining_tasks: number) =>
      held.hear(event('step:progress', { step_slug, initial_tasks: 4, remaining_tasks }))
    expect(progress('a', 3)).toBe('stale')
    expect(progress('a', 1)).toBe('apply')
    expect(progress('a', 1)).toBe('stale')
    expect(progress('b', 1)).toBe('stale')
    expect(held.steps.get('a')?.remaining_tasks).toBe(1)
  })
})

describe('the status of a broadcast of plain pgflow', () => {
  const tell = (held: Held, status: string, fields: object = {}) =>
    held.hear(event(`step:${status}`, { step_slug: 'a', status, ...fields }))
  const holding = (step: object) => {
    const held = new Held()
    held.read(snapshot({ status: 'started' }, { a: step }), null)
    return held
  }

  it.each([
    ['created', 'started', 'apply'],
    ['created', 'skipped', 'apply'],
    ['started', 'started', 'stale'],
    ['started', 'failed', 'apply'],
    ['completed', 'started', 'stale'],
    ['completed', 'failed', 'stale'],
    ['failed', 'completed', 'stale'],
  ])('of a step that is %s: %s is %s', (before, status, kind) => {
    const held = holding({ status: before })
    expect(tell(held, status, status === 'completed' ? { output: 1 } : {})).toBe(kind)
    expect(held.steps.get('a')).toMatchObject({
      status: kind === 'apply' ? status : before,
      output: null,
    })
  })

  it('of a run that is being started applies', () => {
    const held = new Held()
    expect(held.hear(event('run:started', { flow_slug: 'f', status: 'started' }))).toBe('apply')
    expect(held.run.status).toBe('started')
  })

  it('for the second time changes nothing, be it one of a later version', () => {
    const held = holding(started())
    tell(held, 'paused')
    tell(held, 'paused', { error_message: 'late' })
    expect(held.steps.get('a')).toMatchObject({ status: 'paused', error_message: null })
  })

  it('with an output makes up for one that is missing, and for nothing else', () => {
    const held = holding(completed())
    expect(tell(held, 'completed')).toBe('stale')
    expect(held.steps.get('a')?.output).toBeNull()
    expect(tell(held, 'completed', { output: null })).toBe('stale')
    expect(tell(held, 'completed', { output: 1, completed_at: at(9) })).toBe('apply')
    expect(held.steps.get('a')).toMatchObject({ output: 1, completed_at: at(4) })
    expect(tell(held, 'completed', { output: 2 })).toBe('stale')
    expect(held.steps.get('a')?.output).toBe(1)
  })

  it('is missing, and so is what shows whether it is late: it applies', () => {
    const held = holding({ status: 'started', initial_tasks: 4, remaining_tasks: 1 })
    const progress = (fields: object) =>
      held.hear(event('step:progress', { step_slug: 'a', ...fields }))
    expect(progress({ started_at: at(3) })).toBe('apply')
    expect(held.steps.get('a')?.started_at).toBe(at(3))
    const unknown = holding({ status: 'started', initial_tasks: null, remaining_tasks: null })
    expect(unknown.hear(event('step:progress', { step_slug: 'a', remaining_tasks: 3 }))).toBe(
      'apply',
    )
    expect(unknown.steps.get('a')?.remaining_tasks).toBe(3)
    expect(unknown.hear(event('run:noted', { error_message: 'a note' }))).toBe('apply')
    expect(unknown.run).toMatchObject({ status: 'started', error_message: 'a note' })
  })
})

describe('a snapshot with the end of the run', () => {
  const end = () => snapshot({ status: 'failed', failed_at: at(5) }, { a: failed })

  it('is uncertain if an event meanwhile shows the run running', () => {
    const goesOn = event('run:started', { flow_slug: 'f', status: 'started', remaining_steps: 1 })
    expect(mergeSnapshot(end(), [goesOn], null)).toMatchObject({ needsSnapshot: true })
  })

  it('is certain if the events received meanwhile are part of it', () => {
    const before = event('step:started', { step_slug: 'a', status: 'started', started_at: at(2) })
    const itself = event('run:failed', { status: 'failed', failed_at: at(5) })
    expect(mergeSnapshot(end(), [before, itself], null)).toMatchObject({ needsSnapshot: false })
  })
})
