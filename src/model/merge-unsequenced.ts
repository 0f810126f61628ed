import { isTerminal, type PgflowStep } from './entities.ts'
import type { EventOutcome, HeldRun } from './merge.ts'
import { changesOf, type RunEvent } from './wire.ts'

// Merging without a seq, as with plain pgflow: the order is unknown, so statuses only move forward.

/** The rank of `started`, and of statuses of later versions that are not final. */
const underWay = 2

/** Decides what an event without a seq changes. */
export function mergeUnsequenced(view: HeldRun, event: RunEvent): EventOutcome {
  const hasEnded = isTerminal(view.run.status)
  const apply = { kind: 'apply', seq: null, needsSnapshot: false, hasEnded } as const
  const { step, retry } = event
  if (isNews(view, event)) {
    const run = changesOf(event)
    return { ...apply, run, step, retry, hasEnded: isTerminal(run.status ?? view.run.status) }
  }
  const output = missingOutput(view, event)
  if (output) return { ...apply, run: {}, step: output, retry: null }
  // An event that could not be understood changes nothing, but leads to a snapshot.
  return event.needsSnapshot ? { ...apply, run: {}, step: null, retry: null } : { kind: 'stale' }
}

/**
 * Whether a snapshot without a seq is older than what was held when it was requested: it would move
 * a status back. Events received since then are part of both.
 */
export function isOutdated(
  held: HeldRun,
  { status }: { status: string },
  steps: Iterable<PgflowStep>,
): boolean {
  if (rank(status) < rank(held.run.status)) return true
  for (const step of steps) {
    const known = held.step(step.step_slug)
    if (known && rank(step.status) < rank(known.status)) return true
  }
  return false
}

function isNews(view: HeldRun, { run, step }: RunEvent): boolean {
  const held = step ? view.step(step.slug) : view.run
  if (!held) return true
  const next = step ? step.patch.status : run.status
  if (next === undefined) return !isTerminal(held.status) && advances(view, step)
  const [from, to] = [rank(held.status), rank(next)]
  // Statuses of later versions have no order in this one: the last received counts.
  if (from === to) return to === underWay && next !== 'started' && next !== held.status
  return to > from
}

/** Without a status, only progress shows whether an event is late. */
function advances(view: HeldRun, step: RunEvent['step']): boolean {
  const left = step?.patch.remaining_tasks ?? -1
  const known = (step && view.step(step.slug)?.remaining_tasks) ?? Infinity
  return left < known
}

/** A snapshot may lack the output of a completed step; the event received before contains it. */
function missingOutput(view: HeldRun, { step }: RunEvent): RunEvent['step'] {
  const output = step?.patch.output ?? null
  if (step?.patch.status !== 'completed' || output === null) return null
  const held = view.step(step.slug)
  if (held?.status !== 'completed' || held.output !== null) return null
  return { slug: step.slug, patch: { output } }
}

function rank(status: string): number {
  if (status === 'pending') return 0
  if (status === 'created') return 1
  return isTerminal(status) ? 3 : underWay
}
