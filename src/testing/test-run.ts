import { PgflowError } from '../errors.ts'
import type { AnyFlow, FlowInput, StepOutput, StepSlug } from '../flow-types.ts'
import type { Json, RunStatus } from '../model/entities.ts'
import { toJson } from '../model/json.ts'
import type { StepDefinition } from './definition.ts'
import type { RunRecord } from './run-record.ts'
import { nextAction, outputOf } from './script.ts'

/**
 * A run in the database of a test, and the work of its workers. Each call resolves when the store
 * and the DOM show its result; an impossible one rejects with `invalid_options`.
 *
 * @example
 * const testPgflow = createTestPgflow({ flows: { analyze_text: AnalyzeText } })
 * const seeded = testPgflow.seedRun<typeof AnalyzeText>('analyze_text', { text: 'a bb' })
 * await seeded.complete('words', ['a', 'bb'])
 * await seeded.play()
 */
export interface TestRun<Flow extends AnyFlow = AnyFlow> {
  readonly id: string
  readonly flow: string
  readonly input: FlowInput<Flow>
  /** The run as it is in the database, whatever the store shows. */
  readonly status: RunStatus
  /**
   * A worker completes a step that has started, with `output` or the output of the script. For a
   * map step it completes all tasks that are left; `output` is the array of all of them.
   */
  complete: <Slug extends StepSlug<Flow>>(
    step: Slug,
    output?: StepOutput<Flow, Slug>,
  ) => Promise<void>
  /** A worker completes so many more tasks of a map step, by the script. Default: one. */
  progress: (step: StepSlug<Flow>, tasks?: number) => Promise<void>
  /** An attempt at a step fails and will be retried. `task` is the index in a map step. */
  retry: (step: StepSlug<Flow>, message?: string, task?: number) => Promise<void>
  /** A step fails for good, and the run with it. */
  fail: (step: StepSlug<Flow>, message?: string) => Promise<void>
  /** The run fails without any of its steps, as when somebody ends it by hand. */
  failRun: (message?: string | null) => Promise<void>
  /**
   * Workers do everything that is left, by the script, one action after the other. The store and
   * the DOM show each state in between.
   */
  play: () => Promise<void>
}

/** What a handle on a run needs. */
export interface TestRunContext {
  /** The run it is for, if there is one yet. */
  find: () => RunRecord | undefined
  settled: () => Promise<void>
}

/** A handle on a run, or on the one that is about to be started. */
export function createTestRun({ find, settled }: TestRunContext): TestRun {
  let found = find()
  const current = (): RunRecord => {
    found ??= find()
    if (found) return found
    throw new PgflowError('invalid_options', 'No such run was started.', {
      hint: 'Start one in the component, or with seedRun; see the `requests` that were made.',
    })
  }

  /** Does `work` once everything before has arrived, and waits until its result is shown. */
  async function act(work: (record: RunRecord) => void): Promise<void> {
    await settled()
    work(current())
    await settled()
  }

  return {
    get id() {
      return current().run.run_id
    },
    get flow() {
      return current().run.flow_slug
    },
    get input() {
      return toJson(current().run.input)
    },
    get status() {
      return current().run.status
    },
    complete: (slug, output) =>
      act((record) => completeStep(record, startedStep(record, slug), output)),
    progress: (slug, tasks = 1) =>
      act((record) => {
        const step = startedStep(record, slug)
        for (let task = 0; task < tasks; task += 1)
          completeNext(record, startedStep(record, step.slug))
      }),
    retry: (slug, message = 'an attempt failed', task = 0) =>
      act((record) => {
        const step = startedStep(record, slug)
        if (!record.tasks(slug)[task]) throw impossible(record, slug, `it has no task ${task}`)
        record.retryTask(step, task, message)
      }),
    fail: (slug, message = 'the step failed') =>
      act((record) => record.failTask(startedStep(record, slug), message)),
    failRun: (message = null) =>
      act((record) => {
        if (record.isOver) throw isOver(record)
        record.failRun(message)
      }),
    play: async () => {
      await settled()
      for (let action = nextAction(current()); action; action = nextAction(current())) {
        action()
        await settled()
      }
    },
  }
}

/** Plays a run to its end, or until a step fails, at once. */
export function playAtOnce(record: RunRecord): void {
  for (let action = nextAction(record); action; action = nextAction(record)) action()
}

/** Completes a step that has started: with this output, or by the script. */
export function completeStep(
  record: RunRecord,
  step: StepDefinition,
  output: Json | undefined,
): void {
  if (output === undefined) {
    while (record.step(step.slug)?.status === 'started') completeNext(record, step)
    return
  }
  const json = toJson(output)
  if (!step.isMap) return record.completeTask(step, 0, json)
  const tasks = record.tasks(step.slug)
  if (!Array.isArray(json) || json.length !== tasks.length) {
    throw impossible(
      record,
      step.slug,
      `its output is an array of ${tasks.length}, one for each task`,
    )
  }
  tasks.forEach((task, index) => {
    if (!task.isDone) record.completeTask(step, index, json[index] ?? null)
  })
}

/**
 * The step of a slug, which has to be under way.
 * @throws PgflowError `invalid_options`
 */
export function startedStep(record: RunRecord, slug: string): StepDefinition {
  if (record.isOver) throw isOver(record)
  const step = record.flow.steps.find((each) => each.slug === slug)
  const row = record.step(slug)
  if (!step || !row) {
    const known = record.flow.steps.map((each) => each.slug).join(', ')
    throw impossible(record, slug, `there is no such step, only ${known}`)
  }
  if (row.status === 'started') return step
  if (row.status !== 'created') throw impossible(record, slug, `it has ${row.status} already`)
  const missing = step.deps.filter((dep) => record.step(dep)?.status !== 'completed')
  throw impossible(record, slug, `it has not started, as it waits for ${missing.join(', ')}`)
}

/** Completes the next task by the script. Failures in the script apply only to `play`. */
function completeNext(record: RunRecord, step: StepDefinition): void {
  const index = record.tasks(step.slug).findIndex((task) => !task.isDone)
  record.completeTask(step, index, outputOf(record, step, index))
}

function isOver({ run }: RunRecord): PgflowError {
  const message = `The run of "${run.flow_slug}" has ${run.status} already.`
  return new PgflowError('invalid_options', message, { runId: run.run_id })
}

function impossible({ run }: RunRecord, slug: string, reason: string): PgflowError {
  const message = `This cannot be done with the step "${slug}" of "${run.flow_slug}": ${reason}.`
  return new PgflowError('invalid_options', message, { runId: run.run_id })
}
