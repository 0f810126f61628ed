import type { PgflowStep } from '../model/entities.ts'
import { clip } from '../model/text.ts'
import { taskProgressOf } from '../model/progress.ts'
import type { StepAttempts } from './use-attempts.ts'
import { stateOf, type StepState } from './step-state.ts'

/** What is known of a step, for whoever draws it. */
export interface StepView {
  slug: string
  /** Null while the store does not hold it. */
  step: PgflowStep | null
  state: StepState
  /** Of a map step, how many tasks are done and how many there are; null for any other. */
  tasks: { done: number; total: number } | null
  /** How many attempts failed, as far as was seen. */
  failedAttempts: number
  /** Why it failed or was skipped, or why the last attempt failed; null where there is no reason. */
  reason: string | null
}

/** What is to be said of a step, from its row and what was seen of its attempts. */
export function viewStep(
  slug: string,
  step: PgflowStep | undefined,
  attempts: StepAttempts | undefined,
  isMap: boolean,
): StepView {
  const failedAttempts = attempts?.count ?? 0
  const state = stateOf(step, failedAttempts > 0)
  const { done, total } = step ? taskProgressOf(step) : { done: 0, total: 0 }
  return {
    slug,
    step: step ?? null,
    state,
    tasks: total > 1 || (isMap && total > 0) ? { done, total } : null,
    failedAttempts,
    reason: reasonOf(step, state, attempts),
  }
}

function reasonOf(
  step: PgflowStep | undefined,
  state: StepState,
  attempts: StepAttempts | undefined,
): string | null {
  if (state === 'skipped') return step?.skip_reason ?? step?.error_message ?? null
  if (state === 'retrying') return attempts?.message ?? null
  return step?.error_message ?? null
}

/** The name of a state, for people; that of a later pgflow as pgflow writes it. */
export function stateText({ state, step }: StepView): string {
  return state === 'unknown' ? clip(step?.status ?? '') || 'unknown' : state
}

/** What stands below the name of a step: what matters most of it, in a few words. */
export function shortText(view: StepView, took: string | null): string {
  const { tasks, failedAttempts, reason, state } = view
  const parts: (string | null)[] = [
    tasks && state !== 'completed' ? `${tasks.done} of ${tasks.total}` : null,
    tasks && state === 'completed' ? `${tasks.total} tasks` : null,
    failedAttempts > 0 && state !== 'failed' ? attemptsText(failedAttempts) : null,
    state === 'failed' || state === 'skipped' ? reason : null,
    state === 'completed' ? took : null,
  ]
  const known = parts.filter((part) => part !== null && part !== '')
  return known.length > 0 ? known.join(' · ') : stateText(view)
}

/** All of a step in words, for screen readers and as a tooltip. */
export function fullText(view: StepView, deps: readonly string[], took: string | null): string {
  const { tasks, failedAttempts, reason } = view
  const parts = [
    `${clip(view.slug, 200) || 'unnamed step'}: ${stateText(view)}`,
    tasks ? `${tasks.done} of ${tasks.total} tasks done` : null,
    failedAttempts > 0 ? attemptsText(failedAttempts) : null,
    reason ? clip(reason, 300) : null,
    took,
    deps.length > 0 ? afterText(deps) : null,
  ]
  return parts.filter((part) => part !== null).join(', ')
}

export function attemptsText(count: number): string {
  return count === 1 ? '1 attempt failed' : `${count} attempts failed`
}

/** A map step may take the output of one, another step of hundreds. */
const mostNamed = 8

function afterText(deps: readonly string[]): string {
  const named = deps.slice(0, mostNamed).map((slug) => clip(slug))
  const more = deps.length - named.length
  return `after ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
