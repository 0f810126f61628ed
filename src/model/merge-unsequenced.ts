import { isTerminal, type PgflowStep } from './entities.ts'
import type { EventOutcome, HeldRun } from './merge.ts'
import { changesOf, type RunEvent } from './wire.ts'

// Merging without a seq, as with plain pgflow: nothing tells the order, so statuses only move up.

/** The rank of `started`, and of what later versions may know between the start and the end. */
const underWay = 2

/** Decides what a broadcast without a seq does. */
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
  // Not understood, so not applied either; that it came is told, and the snapshot is asked for.
  return event.needsSnapshot ? { ...apply, run: {}, step: null, retry: null } : { kind: 'stale' }
}

/**
 * Whether a snapshot without a seq is older than what was held when it was asked for: it
 * would take a status back. What was heard since then is part of both.
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
  // Between statuses of later versions there is no order that this one knows: the last one counts.
  if (from === to) return to === underWay && next !== 'started' && next !== held.status
  return to > from
}

/** Of an event without a status, only progress can be told to be late. */
function advances(view: HeldRun, step: RunEvent['step']): boolean {
  const left = step?.patch.remaining_tasks ?? -1
  const known = (step && view.step(step.slug)?.remaining_tasks) ?? Infinity
  return left < known
}

/** A snapshot may not tell the output of a completed step: the broadcast before it does. */
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
