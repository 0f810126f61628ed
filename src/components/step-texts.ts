import type { PgflowStep } from '../model/entities.ts'
import { clip } from '../model/text.ts'
import { taskProgressOf } from '../model/progress.ts'
import type { StepAttempts } from './use-attempts.ts'
import { stateOf, type StepState } from './step-state.ts'

/** The texts of a step, for components that draw it. */
export interface StepView {
  slug: string
  /** Null while the store does not hold it. */
  step: PgflowStep | null
  state: StepState
  /** Of a map step, how many tasks are done and how many there are; null for any other. */
  tasks: { done: number; total: number } | null
  /** How many attempts failed, as far as was seen. */
  failedAttempts: number
  /**
   * Why it failed or was skipped, or why the last attempt failed; null where there is no reason.
   */
  reason: string | null
}

/** The texts of a step, from its row and its failed attempts. */
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

/** The name of a step, for people. */
export function nameText({ slug }: Pick<StepView, 'slug'>): string {
  return clip(slug, longestName) || 'unnamed step'
}

/** The text below the name of a step: the most important fact in a few words. */
export function shortText(view: StepView, took: string | null): string {
  return partsInShort(view, took).join(' · ') || stateText(view)
}

/**
 * All of a step as text except its name, for screen readers and as a tooltip. It begins with the
 * short text, because the visible text has to be part of the accessible name.
 */
export function detailText(view: StepView, deps: readonly string[], took: string | null): string {
  const known = [
    ...partsInShort(view, took),
    stateText(view),
    view.failedAttempts > 0 ? attemptsText(view.failedAttempts) : null,
    reasonText(view),
    took,
    deps.length > 0 ? afterText(deps) : null,
  ]
  return [...new Set(known)].filter((part) => part !== null).join(', ')
}

/** The text on the bar of a step. */
export function barText(view: StepView): string {
  const { failedAttempts } = view
  const parts = [
    tasksText(view),
    failedAttempts > 0 ? attemptsText(failedAttempts) : null,
    reasonText(view),
  ]
  return parts.filter((part) => part !== null).join(' · ')
}

/** The name of a step and its full text. */
export function fullText(view: StepView, deps: readonly string[], took: string | null): string {
  return `${nameText(view)}: ${detailText(view, deps, took)}`
}

function partsInShort(view: StepView, took: string | null): string[] {
  const { failedAttempts, state } = view
  const parts = [
    tasksText(view),
    failedAttempts > 0 && state !== 'failed' ? attemptsText(failedAttempts) : null,
    state === 'failed' || state === 'skipped' ? reasonText(view) : null,
    state === 'completed' ? took : null,
  ]
  return parts.filter((part) => part !== null)
}

function tasksText({ tasks, state }: StepView): string | null {
  if (!tasks) return null
  return state === 'completed' ? `${tasks.total} tasks` : `${tasks.done} of ${tasks.total} tasks`
}

/** Cuts long texts off; none of pgflow's own is that long. */
const longestName = 200
const longestReason = 300

function reasonText({ reason }: StepView): string | null {
  return reason ? clip(reason, longestReason) : null
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
