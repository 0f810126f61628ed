import type { AnyFlow, StepOutput, StepSlug } from '../flow-types.ts'
import type { Json } from '../model/entities.ts'
import type { RunRecord } from './run-record.ts'
import { completeStep, playAtOnce, startedStep } from './test-run.ts'

/** How a run that is there before the app looks is to be. */
export interface SeedOptions<Flow extends AnyFlow = AnyFlow> {
  /** Its id, a UUID; random if absent. */
  runId?: string
  /** The user who started it; default: the signed-in user. */
  user?: string | null
  /**
   * Steps that workers have completed, in the order of the flow: with an output, or with undefined
   * for what the script says.
   */
  completed?: { [Slug in StepSlug<Flow>]?: StepOutput<Flow, Slug> | undefined }
  /** Steps that have failed with a message; the run has failed then. */
  failed?: Partial<Record<StepSlug<Flow>, string>>
  /** `completed` plays the run to its end by the script. Default: as far as the above says. */
  status?: 'started' | 'completed' | 'failed'
  /** Why the run has failed, with `status: 'failed'`; default: the first step that is under way. */
  error?: string
}

/** Brings a run that was just started to where it is to be. */
export function seed(record: RunRecord, options: SeedOptions): void {
  const completed = new Map<string, Json | undefined>(Object.entries(options.completed ?? {}))
  for (const { slug } of record.flow.steps) {
    if (completed.has(slug)) completeStep(record, startedStep(record, slug), completed.get(slug))
    completed.delete(slug)
  }
  // The remaining keys are no steps of the flow.
  for (const slug of completed.keys()) startedStep(record, slug)
  for (const [slug, message] of Object.entries<string | undefined>(options.failed ?? {})) {
    record.failTask(startedStep(record, slug), message ?? 'the step failed')
  }
  if (options.status === 'completed') playAtOnce(record)
  if (options.status === 'failed' && !record.isOver) failFirst(record, options.error)
}

function failFirst(record: RunRecord, message = 'the step failed'): void {
  const step = record.flow.steps.find(({ slug }) => record.step(slug)?.status === 'started')
  if (step) record.failTask(step, message)
}
