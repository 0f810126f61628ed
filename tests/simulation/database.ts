import {
  createdStep,
  isTerminal,
  pendingRun,
  type Json,
  type PgflowStep,
  type RunWithSteps,
} from '../../src/model/entities.ts'
import { mergeSnapshot } from '../../src/model/merge.ts'
import type { RunEvent } from '../../src/model/wire.ts'
import { asEvent } from '../support/as-event.ts'

/** One message of a committed transaction. */
export interface Message {
  name: string
  seq: number
  payload: Record<string, unknown>
}

/**
 * What a database holds and sends of its runs, in short: rows change in transactions, and every
 * change is one message with the next seq. The rows come from the messages through the merge
 * itself: that both lead to the same state is held by the SQL tests against Postgres.
 */
export class ModelDatabase {
  /** Each run after every transaction. */
  readonly #history = new Map<string, RunWithSteps[]>()
  /** Each run after every message, by seq: what a client can be at that has missed nothing. */
  readonly #states = new Map<string, RunWithSteps[]>()
  readonly #onCommit: (runId: string, messages: Message[]) => void
  readonly #random: () => number
  #time = 0

  constructor(random: () => number, onCommit: (runId: string, messages: Message[]) => void) {
    this.#random = random
    this.#onCommit = onCommit
  }

  get runIds(): string[] {
    return [...this.#history.keys()]
  }

  /** The newest snapshot, or one that is up to `age` transactions old. */
  snapshot(runId: string, age = 0): RunWithSteps | null {
    const history = this.#history.get(runId)
    return history?.[Math.max(0, history.length - 1 - age)] ?? null
  }

  /** The run as it was when it had sent `seq` messages. */
  at(runId: string, seq: number): RunWithSteps | null {
    return this.#states.get(runId)?.[seq] ?? null
  }

  /** Starting the same id twice returns the run that exists. */
  start(runId: string, flowSlug: string, input: Json): RunWithSteps {
    const known = this.snapshot(runId)
    if (known) return known
    const slugs = ['a', 'b', 'c', 'd', 'e'].slice(0, 1 + Math.floor(this.#random() * 5))
    const empty: RunWithSteps = {
      run: pendingRun(runId, flowSlug, input),
      steps: slugs.map((slug) => createdStep(runId, slug)),
      seq: 0,
    }
    this.#history.set(runId, [empty])
    this.#states.set(runId, [empty])
    const started = { flow_slug: flowSlug, input, remaining_steps: slugs.length }
    this.#commit(runId, [
      ['run', 'started', { ...started, started_at: this.#now() }],
      ...this.#starts(empty.steps.slice(0, 1)),
    ])
    return this.snapshot(runId) ?? empty
  }

  /** Some worker does some of its work; false when the run has ended. */
  work(runId: string): boolean {
    const state = this.snapshot(runId)
    if (!state || isTerminal(state.run.status)) return false
    const open = state.steps.filter((step) => step.status === 'started')
    const step = open[Math.floor(this.#random() * open.length)]
    if (!step) return false
    const dice = this.#random()
    if (dice < 0.03) this.#fail(runId, step)
    else if (dice < 0.1) {
      this.#commit(runId, [[step.step_slug, 'retrying', { error_message: 'again', task_index: 0 }]])
    } else if ((step.remaining_tasks ?? 0) > 1) {
      const remaining_tasks = (step.remaining_tasks ?? 0) - 1
      this.#commit(runId, [[step.step_slug, 'progress', { remaining_tasks }]])
    } else this.#complete(runId, state, step)
    return true
  }

  #complete(runId: string, state: RunWithSteps, step: PgflowStep): void {
    const output = { of: step.step_slug, at: this.#now() }
    const waiting = state.steps.filter((other) => other.status === 'created')
    const remaining_steps = (state.run.remaining_steps ?? 1) - 1
    const completed = { output, remaining_steps, completed_at: this.#now() }
    const isLast = remaining_steps === 0
    this.#commit(runId, [
      [step.step_slug, 'completed', completed],
      ...this.#starts(waiting.slice(0, 1 + Math.floor(this.#random() * 2))),
      ...(isLast ? [['run', 'completed', { output: { all: output } }] as Change] : []),
    ])
  }

  #fail(runId: string, step: PgflowStep): void {
    const failed = { error_message: `${step.step_slug} is broken`, failed_at: this.#now() }
    this.#commit(runId, [
      [step.step_slug, 'failed', failed],
      ['run', 'failed', failed],
    ])
  }

  #starts(steps: PgflowStep[]): Change[] {
    return steps.map((step) => {
      const initial_tasks = this.#random() < 0.3 ? 4 : 1
      return [step.step_slug, 'started', { initial_tasks, started_at: this.#now() }]
    })
  }

  #commit(runId: string, changes: Change[]): void {
    const history = this.#history.get(runId) ?? []
    const before = history.at(-1)
    if (!before) throw new Error('no such run')
    const states = this.#states.get(runId) ?? []
    const applied = (state: RunWithSteps, event: RunEvent): RunWithSteps => {
      const next = mergeSnapshot(state, [event], null)
      if (next.kind !== 'replace') throw new Error('a commit cannot be stale')
      states.push({ run: next.run, steps: next.steps, seq: next.seq })
      return states.at(-1) ?? state
    }
    const messages = changes.map(([subject, change, fields], index): Message => {
      const seq = (before.seq ?? 0) + 1 + index
      const slug = subject === 'run' ? {} : { step_slug: subject }
      const payload = { run_id: runId, seq, ...slug, ...fields }
      return { name: `${subject}:${change}`, seq, payload }
    })
    const after = messages.map(parse).reduce(applied, before)
    history.push(after)
    this.#onCommit(runId, messages)
  }

  #now(): string {
    this.#time += 1
    return new Date(this.#time).toISOString()
  }
}

/** What changed (`run` or a step slug), how, and what the message says of it. */
type Change = [subject: string, change: string, fields: Record<string, unknown>]

function parse({ name, payload }: Message): RunEvent {
  const parsed = asEvent(name, payload)
  if (parsed.ok) return parsed.value
  throw new Error(parsed.reason)
}
