import type { Json } from '../model/entities.ts'
import { isTerminal } from '../model/entities.ts'
import type { FlowDefinition, StepDefinition } from './definition.ts'
import { newRun, newStep } from './new-rows.ts'
import type { Message, RunRow, SnapshotRow, StepRow } from './rows.ts'
import { RunEvents } from './run-events.ts'
import { newTasks, reachesFiftieth, retryOf, type Task } from './tasks.ts'

/** What a run needs from its database. */
export interface RecordContext {
  /** The time of the next transaction. */
  now: () => string
  /** Called with the messages of each transaction, in their order. */
  onCommit: (record: RunRecord, messages: readonly Message[]) => void
}

/** How many states before the present one an outdated replica may still show. */
const mostHistory = 20

/**
 * One run as pgflow processes it: its rows change in transactions, and each change is the
 * message that the SQL of this project sends. tests/conformance/scenarios.spec.ts holds it to the
 * real one.
 */
export class RunRecord {
  readonly run: RunRow
  /** The user who started it. */
  readonly owner: string | null
  readonly flow: FlowDefinition
  readonly #steps = new Map<string, StepRow>()
  readonly #tasks = new Map<string, Task[]>()
  readonly #context: RecordContext
  /** The newest last; as texts, so that nobody's changes are seen in it. */
  readonly #history: string[] = []
  readonly #events: RunEvents
  #time: string

  constructor(
    flow: FlowDefinition,
    start: { runId: string; input: Json; owner: string | null },
    context: RecordContext,
  ) {
    this.flow = flow
    this.owner = start.owner
    this.#context = context
    this.#time = context.now()
    this.run = newRun(flow, start.runId, start.input, this.#time)
    this.#events = new RunEvents(this.run)
    flow.steps.forEach((step, index) => {
      this.#steps.set(step.slug, newStep(this.run, step, index))
    })
    const { status, flow_slug, input, remaining_steps, started_at } = this.run
    this.#events.run({ status, flow_slug, input, remaining_steps, started_at })
    this.#completeTaskless()
    this.#startReady()
    this.#finish()
    this.#commit()
  }

  get isOver(): boolean {
    return isTerminal(this.run.status)
  }

  /** The row of a step. */
  step(slug: string): StepRow | undefined {
    return this.#steps.get(slug)
  }

  /** The tasks of a step that has started. */
  tasks(slug: string): readonly Readonly<Task>[] {
    return this.#tasks.get(slug) ?? []
  }

  /** The run as it is, or as it was some transactions ago. */
  snapshot(age = 0): SnapshotRow {
    const text = this.#history.at(-1 - Math.min(age, this.#history.length - 1)) ?? this.#text()
    // Nothing else is ever written there.
    return JSON.parse(text) as SnapshotRow
  }

  /** As `pgflow.complete_task`. */
  completeTask(step: StepDefinition, index: number, output: Json): void {
    this.#transaction(() => {
      const violated = this.#mapThatNeedsArray(step, output)
      if (violated !== undefined) {
        const found = output === null ? 'null' : typeof output
        return this.#failStep(
          step,
          `[TYPE_VIOLATION] Map step ${violated} expects array input but dependency ${step.slug} produced ${found}`,
        )
      }
      this.#settleTask(step, index, output)
      this.#startReady()
      this.#finish()
    })
  }

  /** As `pgflow.fail_task` after the last attempt. */
  failTask(step: StepDefinition, message: string): void {
    this.#transaction(() => this.#failStep(step, message))
  }

  /** As `pgflow.fail_task` while attempts are left. */
  retryTask(step: StepDefinition, index: number, message: string): void {
    this.#transaction(() => {
      const [row, task] = this.#at(step, index)
      const attempts_count = task.attempts
      task.attempts += 1
      task.error = message
      const all = this.tasks(step.slug).length
      // Of a map with more tasks, fifty of them, evenly spread, send a message.
      if (all > 50 && !reachesFiftieth(index, index + 1, all)) return
      const attempt = { task_index: index, attempts_count, error_message: message }
      this.#events.step(row, 'retrying', attempt)
    })
  }

  /** Fails the run itself, as the owner of the database may do by hand. */
  failRun(message: string | null): void {
    this.#transaction(() => this.#failRow(message))
  }

  /** As pgflow 0.14 when the condition of a step is not met: the steps after it run without it. */
  skipStep(step: StepDefinition, reason: string): void {
    this.#transaction(() => {
      const row = this.#row(step)
      Object.assign(row, { status: 'skipped', skipped_at: this.#time, skip_reason: reason })
      row.remaining_tasks = null
      this.run.remaining_steps -= 1
      for (const child of this.#childrenOf(step)) this.#row(child).remaining_deps -= 1
      this.#events.wholeStep(row)
      this.#startReady()
      this.#finish()
    })
  }

  /** A failed run continues, with its failed steps, as after a repair by hand. */
  repair(): void {
    this.#transaction(() => {
      for (const row of this.#steps.values()) {
        if (row.status !== 'failed') continue
        Object.assign(row, { status: 'started', failed_at: null, error_message: null })
        this.#events.wholeStep(row)
      }
      Object.assign(this.run, { status: 'started', failed_at: null, error_message: null })
      this.#events.wholeRun()
    })
  }

  /** The counter is lost, as when pinia-pgflow is uninstalled and installed again. */
  loseCounter(): void {
    this.#time = this.#context.now()
    this.#events.loseCounter(Date.parse(this.#time))
    this.#commit()
  }

  #settleTask(step: StepDefinition, index: number, output: Json): void {
    const [row, task] = this.#at(step, index)
    const before = row.remaining_tasks ?? 0
    const left = before - 1
    task.isDone = true
    task.output = output
    row.remaining_tasks = left
    if (left > 0) {
      const { initial_tasks } = row
      const all = initial_tasks ?? 0
      if (!reachesFiftieth(all - before, all - left, all)) return
      return this.#events.step(row, 'progress', { initial_tasks, remaining_tasks: left })
    }
    row.status = 'completed'
    row.completed_at = this.#time
    row.output = step.isMap ? this.tasks(step.slug).map((each) => each.output) : output
    this.run.remaining_steps -= 1
    for (const child of this.#childrenOf(step)) {
      const childRow = this.#row(child)
      childRow.remaining_deps -= 1
      if (child.isMap && Array.isArray(row.output)) childRow.initial_tasks = row.output.length
    }
    const { remaining_steps } = this.run
    this.#events.step(row, 'completed', {
      output: row.output,
      completed_at: row.completed_at,
      remaining_steps,
    })
    this.#completeTaskless()
  }

  /** Maps over empty arrays complete without starting, and so may those that map over them. */
  #completeTaskless(): void {
    for (;;) {
      const ready = this.#ready().filter(([, row]) => row.initial_tasks === 0)
      if (ready.length === 0) return
      for (const [step, row] of ready) {
        const both = { started_at: this.#time, completed_at: this.#time }
        Object.assign(row, both, { status: 'completed', remaining_tasks: 0, output: [] })
        for (const child of this.#childrenOf(step)) {
          const childRow = this.#row(child)
          childRow.remaining_deps -= 1
          if (child.isMap) childRow.initial_tasks = 0
        }
      }
      this.run.remaining_steps -= ready.length
      for (const [, row] of ready) this.#events.wholeStep(row)
    }
  }

  #startReady(): void {
    const ready = this.#ready().filter(([, row]) => (row.initial_tasks ?? 0) > 0)
    for (const [step, row] of ready.sort(([a], [b]) => (a.slug < b.slug ? -1 : 1))) {
      const count = row.initial_tasks ?? 0
      this.#tasks.set(step.slug, newTasks(count))
      row.status = 'started'
      row.started_at = this.#time
      row.remaining_tasks = count
      this.#events.step(row, 'started', { started_at: this.#time, initial_tasks: count })
    }
  }

  #finish(): void {
    if (this.run.remaining_steps > 0 || this.isOver) return
    const isLeaf = (step: StepDefinition) => this.#childrenOf(step).length === 0
    const leaves = this.flow.steps.filter(isLeaf)
    this.run.status = 'completed'
    this.run.completed_at = this.#time
    this.run.output = Object.fromEntries(leaves.map((step) => [step.slug, this.#row(step).output]))
    const { status, flow_slug, output, completed_at } = this.run
    this.#events.run({ status, flow_slug, output, completed_at })
  }

  #failStep(step: StepDefinition, message: string): void {
    const row = this.#row(step)
    row.status = 'failed'
    row.failed_at = this.#time
    row.error_message = message
    this.#events.step(row, 'failed', { error_message: message, failed_at: this.#time })
    this.#failRow(message)
  }

  #failRow(message: string | null): void {
    this.run.status = 'failed'
    this.run.failed_at = this.#time
    this.run.error_message = message
    const { status, flow_slug, error_message, failed_at, remaining_steps } = this.run
    this.#events.run({ status, flow_slug, error_message, failed_at, remaining_steps })
  }

  /** The steps that nothing keeps from starting. */
  #ready(): [StepDefinition, StepRow][] {
    if (this.isOver) return []
    return this.flow.steps
      .map((step): [StepDefinition, StepRow] => [step, this.#row(step)])
      .filter(([, row]) => row.status === 'created' && row.remaining_deps === 0)
  }

  #childrenOf({ slug }: StepDefinition): StepDefinition[] {
    return this.flow.steps.filter(({ deps }) => deps.includes(slug))
  }

  #mapThatNeedsArray(step: StepDefinition, output: Json): string | undefined {
    if (step.isMap || Array.isArray(output)) return undefined
    return this.#childrenOf(step).find(({ isMap }) => isMap)?.slug
  }

  #row({ slug }: StepDefinition): StepRow {
    const row = this.#steps.get(slug)
    if (!row) throw new Error(`no step ${slug}`)
    return row
  }

  #at(step: StepDefinition, index: number): [StepRow, Task] {
    const task = this.#tasks.get(step.slug)?.[index]
    if (!task) throw new Error(`no task ${index} of ${step.slug}`)
    return [this.#row(step), task]
  }

  #transaction(work: () => void): void {
    this.#time = this.#context.now()
    work()
    this.#commit()
  }

  #commit(): void {
    this.#history.push(this.#text())
    if (this.#history.length > mostHistory) this.#history.shift()
    this.#context.onCommit(this, this.#events.take())
  }

  #text(): string {
    const steps = [...this.#steps.values()]
      .sort((a, b) => (a.step_slug < b.step_slug ? -1 : 1))
      .map((row) => ({
        ...row,
        retry: row.status === 'started' ? retryOf(this.tasks(row.step_slug)) : null,
      }))
    return JSON.stringify({ run: this.run, steps, seq: this.#events.seq } satisfies SnapshotRow)
  }
}
